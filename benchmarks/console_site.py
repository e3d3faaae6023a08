"""The console in service: a database full of open incidents, the alerts process, and the console itself."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, Engine, func, inspect, select

from alerts.schema import incident, notification, pulse
from benchmarks.console_town import add_people, build_district, store_overload
from benchmarks.errors import CannotMeasure
from benchmarks.receiver import receiving
from benchmarks.service import eventually
from devices.database import open_database, reading, writing
from devices.vault import Vault, create_key
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.config_file import load_config
from gengfu.migrate import upgrade
from gengfu.ports import free_port
from rules.transition import To

RULE: Final = "O2"
"""The overload that opens the incidents."""
OPENING_S: Final = 1_800.0
"""How long opening and telling may take: it only bounds failures."""
_SLICE: Final = 500


@dataclass(frozen=True, slots=True)
class Site:
    """`incidents` are those that are open, by id, with their dwellings."""

    engine: Engine
    address: str
    console: subprocess.Popen[bytes]
    alerts: subprocess.Popen[bytes]
    incidents: dict[int, int]


@contextmanager
def site(incidents: int, database: str = "") -> Iterator[Site]:
    """So many open incidents and both processes. `database` is the URL of
    an empty database, else it is a SQLite file. Raises CannotMeasure, DidNotHappen."""
    with tempfile.TemporaryDirectory() as name, receiving() as provider:
        folder, port = Path(name), free_port()
        config = _configured(folder, port, database)
        engine = open_database(config.database_url)
        try:
            _check_empty(engine)
            create_key(config.key_path)
            upgrade(engine)
            vault = Vault.open(config.key_path)
            build_district(engine, incidents, now_us())
            with _process(folder, "alerts") as alerts:
                eventually(lambda: _count(engine, pulse.c.name == "alerts") > 0, "the alerts process is up")
                _open(engine, incidents, alerts)
                add_people(engine, vault, incidents, f"http://127.0.0.1:{provider}/", now_us())
                with _process(folder, "console") as console:
                    address = f"http://127.0.0.1:{port}"
                    eventually(lambda: _serves(console, address), "the console answers")
                    yield Site(engine, address, console, alerts, _incidents(engine))
        finally:
            engine.dispose()


def _configured(folder: Path, port: int, database: str) -> Config:
    file = folder / "gengfu.toml"
    where = f'database = "{database}"\n' if database else ""
    file.write_text(
        f'data = "data"\n{where}[broker]\nanonymous = true\n[console]\nport = {port}\n'
        "[metrics]\nalerts = 0\nconsole = 0\n"
    )
    config = load_config(file)
    config.data_dir.mkdir(parents=True)
    return config


def _check_empty(engine: Engine) -> None:
    if inspect(engine).get_table_names():
        raise CannotMeasure("the database is not empty")


@contextmanager
def _process(folder: Path, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """One process of the service; what it says goes to a file of its name."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gengfu", name, "--config", str(folder / "gengfu.toml")],
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def _open(engine: Engine, count: int, alerts: subprocess.Popen[bytes]) -> None:
    """Raises an overload in each dwelling, and returns when all are decided and nothing is to be sent."""
    for start in range(1, count + 1, _SLICE):
        with writing(engine) as connection:
            for dwelling in range(start, min(start + _SLICE, count + 1)):
                store_overload(connection, dwelling, RULE, To.RAISED, now_us())

    def settled() -> bool:
        if alerts.poll() is not None:
            raise CannotMeasure(f"the alerts process ended with {alerts.returncode}")
        unsent = notification.c.state.in_(("sending", "waiting"))
        return _count(engine, incident.c.dwelling_id > 0) >= count and not _count(engine, unsent)

    eventually(settled, "every incident is open and everybody told", OPENING_S)


def _count(engine: Engine, where: ColumnElement[bool]) -> int:
    with reading(engine) as connection:
        return int(connection.scalar(select(func.count()).where(where)) or 0)


def _incidents(engine: Engine) -> dict[int, int]:
    i = incident.c
    here = select(i.id, i.dwelling_id).where(i.closed_us.is_(None), i.dwelling_id > 0)
    with reading(engine) as connection:
        return {row.id: row.dwelling_id for row in connection.execute(here)}


def _serves(console: subprocess.Popen[bytes], address: str) -> bool:
    """Whether the console is up. Raises CannotMeasure where it has ended."""
    if console.poll() is not None:
        raise CannotMeasure(f"the console ended with {console.returncode}")
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=2) as answer:  # noqa: S310 - our own
            return bool(answer.status == 200)
    except OSError:
        return False
