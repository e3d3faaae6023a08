"""`gengfu bench alerts`: from stored transitions to hand-overs, and a fire in a storm of lesser alarms.

The alerts process runs as in service, alone on a database in a folder of its own; transitions are stored as
ingest stores them; the provider is a process that takes everything. Times are the database's own: an alarm's
from the transition's receipt, a hand-over's when the provider's answer was in hand.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec import Struct
from sqlalchemy import Engine

from benchmarks.alarmed import CONTACTS, build_town, raise_alarms
from benchmarks.errors import CannotMeasure
from benchmarks.numbers import percentile_ms
from benchmarks.receiver import receiving
from benchmarks.service import eventually
from devices.database import open_database, writing
from devices.model import Carrier, Severity
from devices.vault import Vault, create_key
from gengfu.clock import now_us
from gengfu.config_file import load_config
from gengfu.migrate import upgrade

BURST: Final = 1_500
"""Fires of a run at full speed through native channels (chosen: 13,500 hand-overs)."""
APPRISE_BURST: Final = 400
STORM_P0_PER_S: Final = 10
SLICES_PER_S: Final = 50
"""Transactions a second in which a storm's alarms are stored: ingest's ticks (its default is 20 ms)."""
_DRAIN_S: Final = 3_600.0
_LOOK_S: Final = 0.25


class AlertFigures(Struct, frozen=True):
    """What `gengfu bench alerts --json` prints; docs/benchmarks.md says what each key means."""

    native_per_s: float
    apprise_per_s: float
    p0_p50_ms: float
    p0_p99_ms: float
    p0_first_p99_ms: float
    p0_worst_ms: float
    backlog: int
    storm_s: float
    drained_s: float
    alarms: int
    incidents: int
    messages: int
    untold: int
    held: int
    rolled: int
    lost: int
    peak_mb: int
    database_mb: int


@dataclass(frozen=True, slots=True)
class Course:
    """How the measurement goes: the storm's length and rate, and the bursts."""

    seconds: float = 60.0
    alarms_per_s: int = 1_000
    burst: int = BURST
    apprise_burst: int = APPRISE_BURST

    @property
    def fire_every(self) -> int:
        """Which alarms of the storm are fires: 10 a second."""
        return self.alarms_per_s // STORM_P0_PER_S

    @property
    def storm(self) -> int:
        """Alarms of the storm."""
        return round(self.seconds * SLICES_PER_S) * self._each

    @property
    def _each(self) -> int:
        return self.alarms_per_s // SLICES_PER_S

    def slice(self, n: int) -> Iterator[tuple[int, Severity]]:
        """Which dwelling raises what in the storm's n-th slice, the first being 0."""
        dwellings = range(n * self._each + 1, (n + 1) * self._each + 1)
        return ((k, Severity.P1 if k % self.fire_every else Severity.P0) for k in dwellings)


def run_bench(course: Course) -> AlertFigures:
    """The whole measurement. Raises CannotMeasure, DidNotHappen."""
    native = _burst(course.burst, Carrier.WEBHOOK, "http")
    apprise = _burst(course.apprise_burst, Carrier.APPRISE, "json")
    with town(course.storm, Carrier.WEBHOOK, "http") as scene:
        storm_s = _storm(scene, course)
        backlog = scene.count("notification", "state IN ('sending', 'waiting')")
        began_s = time.monotonic()
        scene.drain(course.storm)
        drained_s = time.monotonic() - began_s
        return _figures(scene, course, (native, apprise), backlog, (storm_s, drained_s))


def _burst(alarms: int, carrier: Carrier, scheme: str) -> float:
    """Hand-overs a second from the first stored alarm to the last answer."""
    with town(alarms, carrier, scheme) as scene:
        at_us = now_us()
        with writing(scene.engine) as connection:
            raise_alarms(connection, ((n, Severity.P0) for n in range(1, alarms + 1)), at_us)
        scene.drain(alarms)
        last_us, handed = scene.one("SELECT max(ended_us), count(*) FROM attempt WHERE outcome = 'accepted'")
    return round(handed / ((last_us - at_us) / 1e6), 1)


def _storm(scene: Scene, course: Course) -> float:
    """Stores each slice's alarms as received when its time came. As with ingest, a transaction that had to
    wait for the database takes all that came meanwhile. How many seconds it took in the end."""
    start, start_us, slices = time.monotonic(), now_us(), round(course.seconds * SLICES_PER_S)
    stored = 0
    while stored < slices:
        time.sleep(max(0.0, start + stored / SLICES_PER_S - time.monotonic()))
        with writing(scene.engine) as connection:
            due = min(slices, int((time.monotonic() - start) * SLICES_PER_S) + 1)
            for n in range(stored, due):
                raise_alarms(connection, course.slice(n), start_us + n * 1_000_000 // SLICES_PER_S)
        stored = due
    return round(time.monotonic() - start, 1)


class Scene:
    """A running alerts process and its database."""

    def __init__(self, engine: Engine, path: Path, process: subprocess.Popen[bytes]) -> None:
        self.engine = engine
        self._path = path
        self._process = process

    def one(self, query: str) -> tuple[int, ...]:
        """The first row."""
        with closing(sqlite3.connect(self._path)) as connection:
            row: tuple[int, ...] = connection.execute(query).fetchone()
        return row

    def all(self, query: str) -> list[tuple[int, ...]]:
        """Every row."""
        with closing(sqlite3.connect(self._path)) as connection:
            return connection.execute(query).fetchall()

    def count(self, table: str, where: str) -> int:
        """How many rows of `table` fit."""
        return self.one(f"SELECT count(*) FROM {table} WHERE {where}")[0]  # noqa: S608 - our own words

    def peak_mb(self) -> int:
        """The most memory that the process has held; 0 where there is no /proc."""
        try:
            lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM")), 0)

    def database_mb(self) -> int:
        """What the database takes on the disk, its log included."""
        return sum(file.stat().st_size for file in self._path.parent.glob(f"{self._path.name}*")) >> 20

    def drain(self, alarms: int) -> None:
        """Returns when every alarm was decided and nothing is to be sent. Raises DidNotHappen."""

        def drained() -> bool:
            if self._process.poll() is not None:
                raise CannotMeasure(f"the alerts process ended with {self._process.returncode}")
            decided = self.count("incident_alarm", "1") >= alarms
            return decided and not self.count("notification", "state IN ('sending', 'waiting')")

        eventually(drained, "every alarm was decided and every message handed over", _DRAIN_S)


@contextmanager
def town(dwellings: int, carrier: Carrier, scheme: str) -> Iterator[Scene]:
    """So many dwellings with their people, and an alerts process that tells them."""
    with tempfile.TemporaryDirectory() as folder, receiving() as port:
        config_file = Path(folder) / "gengfu.toml"
        config_file.write_text('data = "data"\n[broker]\nanonymous = true\n[metrics]\nalerts = 0\n')
        config = load_config(config_file)
        config.data_dir.mkdir(parents=True)
        create_key(config.key_path)
        engine = open_database(config.database_url)
        upgrade(engine)
        vault = Vault.open(config.key_path)
        build_town(engine, vault, dwellings, f"{scheme}://127.0.0.1:{port}/", carrier, now_us())
        with _alerts(config_file) as process:
            yield Scene(engine, config.data_dir / "gengfu.db", process)
        engine.dispose()


@contextmanager
def _alerts(config_file: Path) -> Iterator[subprocess.Popen[bytes]]:
    log = (config_file.parent / "alerts.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "gengfu", "alerts", "--config", str(config_file)], stdout=log, stderr=log
    )
    try:
        path = config_file.parent / "data" / "gengfu.db"
        eventually(lambda: _pulses(path), "the alerts process is up")
        yield process
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def _pulses(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("SELECT count(*) FROM pulse WHERE name = 'alerts'").fetchone()[0])


_P0_TIMES: Final = """
    SELECT a.ended_us - t.received_us, n.incident_id
    FROM attempt a JOIN notification n ON n.id = a.notification_id
    JOIN incident_alarm i ON i.incident_id = n.incident_id JOIN transition t ON t.uid = i.uid
    WHERE n.severity = 'P0' AND n.key LIKE '%/at_once/%' AND a.outcome = 'accepted' AND t.severity = 'P0'
"""


def _figures(
    scene: Scene, course: Course, bursts: tuple[float, float], backlog: int, took_s: tuple[float, float]
) -> AlertFigures:
    times = scene.all(_P0_TIMES)
    if not times:
        raise CannotMeasure("no fire was handed over")
    first: dict[int, int] = {}
    for late_us, incident in times:
        first[incident] = min(first.get(incident, late_us), late_us)
    incidents = scene.count("incident", "hazard != 'system'")
    untold = scene.count(
        "incident", "hazard != 'system' AND id NOT IN (SELECT incident_id FROM notification)"
    )
    return AlertFigures(
        native_per_s=bursts[0],
        apprise_per_s=bursts[1],
        p0_p50_ms=percentile_ms([late_us for late_us, _ in times], 50),
        p0_p99_ms=percentile_ms([late_us for late_us, _ in times], 99),
        p0_first_p99_ms=percentile_ms(list(first.values()), 99),
        p0_worst_ms=round(max(times)[0] / 1000, 1),
        backlog=backlog,
        storm_s=took_s[0],
        drained_s=round(took_s[1], 1),
        alarms=course.storm,
        incidents=incidents,
        messages=scene.count("notification", "1"),
        untold=untold,
        held=scene.count("notification", "state = 'held'"),
        rolled=scene.count("notification", "state = 'rolled'"),
        lost=course.storm - incidents + _messages_lost(scene, course),
        peak_mb=scene.peak_mb(),
        database_mb=scene.database_mb(),
    )


def messages_lost(course: Course, *, told: int, kept: int, given_up: int) -> int:
    """Messages that nobody has got and that wait no more. Of a fire each must be handed over (`told`), one by
    one; of a lesser alarm they may be told in a summary or wait for one as well (`kept`)."""
    fires = sum(1 for n in range(1, course.storm + 1) if not n % course.fire_every)
    missing = fires * (CONTACTS + 1) - told, (course.storm - fires) * CONTACTS - kept
    return sum(max(0, one) for one in missing) + given_up


def _messages_lost(scene: Scene, course: Course) -> int:
    first = "key LIKE '%/at_once/%' AND severity"
    return messages_lost(
        course,
        told=scene.count("notification", f"{first} = 'P0' AND state = 'accepted'"),
        kept=scene.count("notification", f"{first} = 'P1' AND state IN ('accepted', 'rolled', 'held')"),
        given_up=scene.count("notification", "state = 'dead'"),
    )
