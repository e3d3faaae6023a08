"""A detector's test button on the real service: on record once, over kill -9, and nobody is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from simulators.block import plan_block
from simulators.formats import SmokeState, smoke_payload, smoke_topic
from tests.databases import POSTGRESQL, Server
from tests.e2e.site import Publish, Site, eventually, phones_in_a_thread, register, site, uid_of
from tests.e2e.test_postgresql import OnPostgresql, server
from tests.gengfu.program import gengfu

__all__ = ["server"]


@pytest.fixture
def here(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    with ExitStack() as stack:
        if engine_name != POSTGRESQL:
            yield stack.enter_context(site(tmp_path, 6))
            return
        own: Server = request.getfixturevalue("server")
        service, block = OnPostgresql(tmp_path, own), plan_block(6, 3)
        phones = stack.enter_context(phones_in_a_thread())
        stack.callback(service.stop)
        register(service, block, phones)
        service.start()
        yield Site(service, block, phones)


def report(here: Site, home: str, *, test: bool) -> Publish:
    """The whole state of a home's detector, as zigbee2mqtt repeats it."""
    state = SmokeState(smoke=False, battery=90.0, linkquality=99, temperature=21.0, test=test)
    return smoke_topic(here.detector(home).native_id), smoke_payload(state), 1, False


def on_record(here: Site) -> dict[str, list[tuple[int, int, int | None]]]:
    found: dict[str, list[tuple[int, int, int | None]]] = {}
    query = "SELECT uid, began_us, received_us, ended_us FROM device_test ORDER BY began_us"
    for uid, *times in here.service.rows(query):
        found.setdefault(uid, []).append((times[0], times[1], times[2]))
    return found


def card(here: Site, home: str) -> str:
    uid = uid_of(here.detector(home))
    done = gengfu("--config", str(here.service.config), "device", "show", uid, cwd=here.service.folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_press_is_on_record_once_whoever_dies_and_pages_nobody(here: Site) -> None:
    homes = [home.code for home in here.block.dwellings][:3]
    uids = {home: uid_of(here.detector(home)) for home in homes}
    first, second, third = homes
    here.publish([report(here, home, test=False) for home in homes])
    here.publish([report(here, first, test=True)] * 3)
    eventually(lambda: uids[first] in on_record(here), "the first press is on record")

    here.publish([report(here, second, test=True)])
    here.service.kill("ingest")
    here.publish([report(here, third, test=True), report(here, second, test=True)])
    here.service.ready()
    eventually(lambda: on_record(here).keys() == set(uids.values()), "all three are on record")
    here.publish([report(here, home, test=False) for home in homes])
    eventually(lambda: all(rows[0][2] for rows in on_record(here).values()), "each has its end")

    before = on_record(here)
    assert [len(rows) for rows in before.values()] == [1, 1, 1]
    for [(began_us, received_us, ended_us)] in before.values():
        assert began_us <= received_us and ended_us is not None and ended_us > began_us
    here.service.kill("ingest")
    here.service.ready()
    here.publish([report(here, home, test=False) for home in homes])
    assert on_record(here) == before

    assert here.transitions() == []
    assert here.service.rows("SELECT count(*) FROM notification") == [(0,)]
    said = next(line for line in card(here, first).splitlines() if line.startswith("last test"))
    assert ", to 20" in said
