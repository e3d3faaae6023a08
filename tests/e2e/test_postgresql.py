"""The real service on PostgreSQL: the main job in small, kill -9, a database that goes away under load."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.service import RunningService
from devices.model import Role
from simulators.block import plan_block
from tests.databases import Server, left_out
from tests.e2e.site import Publish, Site, eventually, phones_in_a_thread, register, uid_of

NAME = "gengfu"
REPORTS = 20
"""Of every monitor, before and after the database was away."""
POINTS = 4
"""Of one current report."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of this test's own, that asks for a password and can be stopped."""
    left_out()
    server = Server(password=secrets.token_urlsafe(12))
    with server.connect() as admin:
        admin.execute(f"CREATE DATABASE {NAME}")
    yield server
    server.close()


class OnPostgresql(RunningService):
    """`gengfu up` with its database on `server`."""

    def __init__(self, folder: Path, server: Server) -> None:
        super().__init__(folder)
        self._server = server
        self.config.write_text(f'database = "{server.url(NAME)}"\n' + self.config.read_text())

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._server.connect(NAME) as connection:
            return connection.execute(query.replace("?", "%s"), values or None).fetchall()


@pytest.fixture
def here(tmp_path: Path, server: Server) -> Iterator[Site]:
    block = plan_block(48, 3)
    service = OnPostgresql(tmp_path, server)
    with phones_in_a_thread() as phones:
        try:
            register(service, block, phones)
            service.start()
            yield Site(service, block, phones)
        finally:
            service.stop()


def reports(here: Site, first_seq: int) -> list[Publish]:
    """Ordinary currents of every monitor, each with its own time and sequence."""
    now_ms = int(time.time() * 1000)
    return [
        here.current(home.code, now_ms - 60_000 + first_seq * 10 + n * 100, first_seq + n, 2.0)
        for n in range(REPORTS)
        for home in here.block.dwellings
    ]


def told_by_the_table(here: Site, dwelling: str, *, alone: bool = True) -> None:
    """Everybody of the table at once; and nobody else, where the fire is `alone` on its stair."""
    eventually(lambda: here.incident_of(dwelling) is not None, f"{dwelling} has its incident")
    incident = here.incident_of(dwelling) or 0
    expected = here.expected_at_once(dwelling)
    eventually(lambda: expected <= here.told(incident).keys(), f"{expected} are told of {dwelling}")
    at_once = {
        phone for phone, counts in here.told(incident).items() if any("at_once" in key for key in counts)
    }
    brigade = {b.contact for b in here.block.bindings if b.role is Role.FIRE_BRIGADE}
    assert at_once - brigade == expected or not alone


def test_alarms_and_points_survive_kills_and_a_database_that_goes_away(here: Site, server: Server) -> None:
    homes = [home.code for home in here.block.dwellings]
    quiet = [here.smoke(home, smoke=False) for home in homes]
    published = here.publish(quiet) + here.publish(reports(here, 1_000))
    eventually(lambda: here.ingested() >= published, f"{published} messages are ingested")
    first, second = {home.stair: home.code for home in here.block.dwellings}.values()
    third = homes[0]
    fires = [first, second, third]

    here.publish([here.smoke(first)])
    told_by_the_table(here, first)

    for victim in ("ingest", "alerts"):
        here.service.kill(victim)
    here.publish([here.smoke(second)])
    here.service.ready()
    told_by_the_table(here, second)

    acked = here.service.figures("ingest")["gengfu_ingest_acked_total"]
    server.stop()
    here.publish([here.smoke(third)])
    eventually(
        lambda: here.service.figures("ingest")["gengfu_ingest_stalls_total"] >= 1, "ingest waits for it"
    )
    here.publish(reports(here, 5_000))
    assert here.service.figures("ingest")["gengfu_ingest_acked_total"] == acked
    ingest = here.service.pid("ingest")
    server.start()
    here.service.ready()
    told_by_the_table(here, third, alone=False)
    assert here.service.pid("ingest") == ingest, "it went on by itself"

    raised = Counter(uid for rule, to, uid in here.transitions() if (rule, to) == ("S1", "raised"))
    assert raised == {uid_of(here.detector(home)): 1 for home in fires}
    wanted = 2 * REPORTS * len(homes) * POINTS
    eventually(lambda: monitored(here) >= wanted, f"{wanted} points stored")
    assert monitored(here) == wanted
    said = (here.service.folder / "service.log").read_text(encoding="utf-8")
    assert server.url(NAME).split("@")[0].rpartition(":")[2] not in said
    assert (here.service.data / "settled.json").stat().st_mode & 0o077 == 0


def monitored(here: Site) -> int:
    """Points of the monitors."""
    slots = [slot for (slot,) in here.service.rows("SELECT slot FROM series WHERE uid LIKE 'own:%'")]
    return here.service.count_points(slots)
