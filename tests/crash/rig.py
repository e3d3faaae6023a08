"""A real broker, a real store, a real ingest process again and again, and the books of what was published."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import msgspec
from sqlalchemy import Engine, insert, select

from alerts.schema import transition
from benchmarks.service import eventually
from devices.database import open_database, reading, writing
from devices.model import Quality
from devices.schema import device, series
from devices.vault import create_key
from gengfu.config_file import load_config
from gengfu.migrate import upgrade
from ingest.schema import shed
from ingest.store.points import Points
from ingest.store.reader import SeriesReader
from simulators.ledger import read_ledger
from simulators.load import LoadPlan, run_load
from simulators.stencil import FIRST_SEQ
from tests.crash.dying import Death, start_ingest, start_store
from tests.ingest.mosquitto import Mosquitto, RawPublisher

LOAD_DEVICES = 40
FIRES = 600
"""Detectors that nobody else uses: each gives one alarm at most."""
PLAIN = 12
"""Messages of a detector beside its two states, without time and number: the hardest to tell apart."""
KEEP_ALIVE_S = 5


@dataclass
class Rig:
    """What outlives the ingest process: folder, database, broker, store process; and the books."""

    folder: Path
    broker: Mosquitto
    engine: Engine
    store: ForkServerProcess
    ingest: ForkServerProcess | None = None
    acknowledged: Counter[str] = field(default_factory=Counter)
    fires: list[str] = field(default_factory=list)
    _seq: int = FIRST_SEQ
    _fires_used: int = 0

    @property
    def config(self) -> Path:
        return self.folder / "gengfu.toml"

    @property
    def pid(self) -> int:
        assert self.ingest
        assert self.ingest.pid
        return self.ingest.pid

    def load(self, messages: int, rate: float = 0.0) -> None:
        """The load generator's messages, each acknowledged by the broker; its ledger goes into the books."""
        ledger = self.folder / "load.ledger"
        plan = LoadPlan(
            port=self.broker.port,
            rate=rate,
            seconds=600,
            count=messages,
            devices=LOAD_DEVICES,
            first_seq=self._seq,
            drain_s=60,
            ledger=str(ledger),
        )
        run_load(plan)
        self._seq += messages // LOAD_DEVICES + 1
        taken = [one for one in read_ledger(ledger) if one.what == "acknowledged"]
        for uid, _ in (pair for one in taken for pair in one):
            self.acknowledged[f"own:load-{uid:07d}"] += 4

    def fire(self, count: int = 1) -> None:
        """Detectors that were quiet report smoke, after some readings."""
        with RawPublisher(self.broker.port, "detectors") as publisher:
            for _ in range(count):
                name = f"fire-{self._fires_used:03d}"
                self._fires_used += 1
                assert self._fires_used <= FIRES
                publisher.publish(f"gengfu/{name}/readings", *detector_messages())
                self.fires.append(f"own:{name}")
                self.acknowledged[f"own:{name}"] += PLAIN + 2

    def start(self) -> None:
        """A process that lives until it is told otherwise; what a failed test left behind ends."""
        self.kill()
        self.ingest = start_ingest(self.config)

    def dies(self, death: Death) -> None:
        """A process that comes to that place while messages come, and is gone."""
        self.kill()
        self.ingest = start_ingest(self.config, death)
        until = time.monotonic() + 30
        while self.ingest.is_alive() and time.monotonic() < until:
            self.load(LOAD_DEVICES)
            self.ingest.join(0.02)
        code = self.ingest.exitcode
        self.kill()
        assert code == -signal.SIGKILL, f"{death}: ended with {code}; see {self.folder}/ingest.log"

    def kill(self) -> None:
        """kill -9, wherever it is."""
        if self.ingest and self.ingest.is_alive():
            self.ingest.kill()
            self.ingest.join()
        self.ingest = None

    def stop(self) -> None:
        """The process ends in order."""
        assert self.ingest
        self.ingest.terminate()
        self.ingest.join(30)
        assert self.ingest.exitcode == 0, f"see {self.folder}/ingest.log"
        self.ingest = None

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def rss_kb(self) -> int:
        """What the process holds in memory."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def balances(self, timeout_s: float = 60.0) -> None:
        """Waits until all is stored (or counted as shed) and raised; then nothing is there that was not
        published, or twice."""
        self.drains(timeout_s)
        lost = self.shed()
        for prefix in ("own:fire-", "own:load-"):
            assert self.stored(prefix) + _of(lost, prefix) == _of(self.acknowledged, prefix)
        assert Counter(self.raised()) == Counter(self.fires)
        for uid in self.fires[-2:]:
            values = Counter(self.points(uid).value.tolist())
            assert values <= expected_values()
            assert values.total() + lost[uid] == expected_values().total()

    def drains(self, timeout_s: float = 60.0) -> None:
        """Waits until as much is stored (or counted as shed) and raised as was published."""
        wanted = self.acknowledged.total()
        assert self.ingest
        lives = self.ingest.is_alive
        eventually(
            lambda: not lives() or self.stored() + self.shed().total() >= wanted,
            f"{wanted} points stored; see {self.folder}/ingest.log",
            timeout_s,
        )
        eventually(
            lambda: not lives() or len(self.raised()) >= len(self.fires), "every fire raised", timeout_s
        )
        assert lives(), f"ingest ended by itself; see {self.folder}/ingest.log"

    def shed(self) -> Counter[str]:
        """How many points of each device were counted as shed."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(shed.c.device, shed.c.points)).all()
        return Counter({row.device: row.points for row in rows})

    def says(self, word: str) -> int:
        """How often the ingest process has said this so far."""
        return (self.folder / "ingest.log").read_text().count(f'"event": "{word}"')

    def raised(self) -> list[str]:
        """The devices of all transitions: nothing but smoke may be raised, and nothing cleared."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(transition.c.rule, transition.c.to, transition.c.uid)).all()
        assert {(rule, to) for rule, to, _ in rows} <= {("S1", "raised")}
        return [uid for *_, uid in rows]

    def stored(self, prefix: str = "") -> int:
        """How many points are in the store, of these devices."""
        with the_store(self.folder) as reader:
            return reader.count(self._slots(prefix)) if prefix else reader.count()

    def points(self, uid: str) -> Points:
        """All points of a device."""
        with the_store(self.folder) as reader:
            return Points.joined([reader.read(slot, 0, 2**62) for slot in self._slots(uid)])

    def queued(self, uid: str) -> list[bool]:
        """Of each point of a device, whether the broker had held it for us."""
        return [bool(bits & Quality.QUEUED) for bits in self.points(uid).quality.tolist()]

    def _slots(self, prefix: str) -> list[int]:
        with reading(self.engine) as connection:
            return list(connection.scalars(select(series.c.slot).where(series.c.uid.startswith(prefix))))


def _of(counts: Counter[str], prefix: str) -> int:
    return sum(count for uid, count in counts.items() if uid.startswith(prefix))


@contextmanager
def the_store(folder: Path) -> Iterator[SeriesReader]:
    """The store of a rig, read beside its writer."""
    reader = SeriesReader.open(folder / "data" / "points.db")
    try:
        yield reader
    finally:
        reader.close()


def detector_messages() -> list[bytes]:
    """Quiet, some readings, smoke: without time and number."""
    readings = [{"channels": {"l1": {"voltage": value}}} for value in _voltages()]
    states = [{"values": {"smoke.alarm": smoke}} for smoke in (False, True)]
    return [msgspec.json.encode(one) for one in (states[0], *readings, states[1])]


def expected_values() -> Counter[float]:
    """The values of one detector's points."""
    return Counter([0.0, 1.0, *_voltages()])


def _voltages() -> Sequence[float]:
    return [220.0 + number for number in range(PLAIN)]


@contextmanager
def rig(folder: Path, broker: Mosquitto, **settings: object) -> Iterator[Rig]:
    """Registered devices, a store process, and no ingest process yet; `settings` go under [ingest]."""
    _write_config(folder, broker.port, settings)
    config = load_config(folder / "gengfu.toml")
    config.data_dir.mkdir()
    create_key(config.key_path)
    engine = open_database(config.database_url)
    upgrade(engine)
    register(engine)
    one = Rig(folder, broker, engine, start_store(folder / "gengfu.toml"))
    try:
        one.start()
        eventually(lambda: subscribed(one), f"ingest is subscribed; see {folder}/ingest.log")
        one.kill()
        yield one
    finally:
        one.kill()
        one.store.kill()
        one.store.join()
        engine.dispose()


def subscribed(one: Rig) -> bool:
    """Whether the broker keeps a session for us from now on."""
    assert one.ingest
    assert one.ingest.is_alive(), f"see {one.folder}/ingest.log"
    log = one.folder / "ingest.log"
    if not log.exists() or b"broker_connected" not in log.read_bytes():
        return False
    time.sleep(0.3)  # the SUBSCRIBE leaves with the greeting
    return True


def register(engine: Engine) -> None:
    """The load generator's devices and the detectors."""
    names = [f"load-{n:07d}" for n in range(LOAD_DEVICES)] + [f"fire-{n:03d}" for n in range(FIRES)]
    facts = {"kind": "electrical", "profile": "own", "breaker_a": 25.0, "cable_a": 27.0}
    rows = [{"uid": f"own:{name}", **facts, "registered_us": 1, "registered_by": "test"} for name in names]
    with writing(engine) as connection:
        connection.execute(insert(device), rows)


def _write_config(folder: Path, port: int, settings: dict[str, object]) -> None:
    words = {"snapshot_s": 0.2, "segment_mb": 1, "reserve_mb": 16, "ballast_mb": 0, **settings}
    metrics = "".join(f"{name} = 0\n" for name in ("ingest", "store"))
    (folder / "gengfu.toml").write_text(
        f'data = "data"\n[broker]\nhost = "127.0.0.1"\nanonymous = true\nport = {port}\n'
        f"keep_alive_s = {KEEP_ALIVE_S}\n"
        f'receive_maximum = 60\nclient_id = "{folder.name}"\n'
        "[ingest]\n"
        + "".join(f"{name} = {value}\n" for name, value in words.items())
        + f"[metrics]\n{metrics}"
    )
