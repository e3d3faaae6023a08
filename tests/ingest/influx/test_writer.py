"""From the journal to real servers: every point once, whatever happens on the way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert
from structlog.testing import capture_logs

from devices.database import writing
from devices.schema import device, registry_change, series
from ingest.journal_files import read_mark
from ingest.store.influx.server import Answer, Later, Refused, Server, Taken
from tests.faulty_proxy import Fault, FaultyProxy
from tests.ingest.influx.house import House, account_at, eventually, expected, running, stored, writing_to
from tests.ingest.influx.house_series import device_of
from tests.ingest.influx.reading_lines import Line, read_lines
from tests.series_servers import INFLUX2, INFLUX16, INFLUX18, VICTORIA, SeriesServer, SeriesServers


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


def test_every_point_is_in_the_server_with_its_value_time_and_quality(
    house: House, series_server: SeriesServer
) -> None:
    house.tick(20)
    writer = house.writer(Server(account_at(series_server), 4))
    while writer.run_once():
        pass
    assert (writer.points, writer.behind, house.refused()) == (house.points, 0, 0)
    writer.close()
    for kind in ("smoke", "electrical"):
        rows = set(series_server.rows(kind))
        values = {row for row in rows if not row.field.endswith("_quality")}
        assert values == expected(house, kind)
        doubtful = rows - values
        assert {row.value for row in doubtful} == {1 << 13}
        assert len(doubtful) == 20 * sum(1 for slot in range(1, 41) if slot % 7 == 0 and _is_of(slot, kind))


def _is_of(slot: int, kind: str) -> bool:
    return (kind == "smoke") == bool((slot - 1) // 4 % 2)


def test_what_is_written_twice_is_there_once(house: House, series_server: SeriesServer) -> None:
    """A writer that died before the journal was told begins again where that stands."""
    house.tick(10)
    for _ in range(2):
        writer = house.writer(Server(account_at(series_server), 4))
        writer.run_once()
        writer.close()
        (house.folder / "journal" / "reader-store").unlink()
    assert stored(series_server) == house.points


@pytest.mark.parametrize("series_kind", [INFLUX16, *INFLUX2, VICTORIA])
def test_a_server_that_is_killed_again_and_again_holds_every_point(
    house: House, series_server: SeriesServer
) -> None:
    """VictoriaMetrics acknowledges before its disk has a point, and is given it again."""
    with writing_to(house, account_at(series_server), settled_s=5.0) as writer, capture_logs() as logs:
        for _ in range(3):
            house.tick(40)
            eventually(lambda: writer.points > 0, "something is written")
            series_server.kill()
            house.tick(10)
            time.sleep(0.3)
            series_server.start()
        mark = house.folder / "journal" / "reader-store"
        eventually(lambda: read_mark(mark) == house.ticks, "everything is written, and has settled")
    assert stored(series_server) == house.points
    assert {one["event"] for one in logs} <= {"store_waits", "store_goes_on", "store_started_anew"}


def test_a_server_that_stands_still_is_waited_for(house: House, series_server: SeriesServer) -> None:
    house.tick(20)
    series_server.pause()
    with writing_to(house, account_at(series_server), answer_s=0.5) as writer:
        eventually(lambda: writer.failing, "the silence is noticed")
        assert read_mark(house.folder / "journal" / "reader-store") == 0
        series_server.resume()
        eventually(lambda: writer.behind == 0 and not writer.failing, "everything is written")
    assert stored(series_server) == house.points


FAULTS = {
    "no connection": Fault(refuse=True),
    "nobody reads": Fault(deaf=True),
    "answers are lost": Fault(swallow=True),
}


@pytest.mark.parametrize("series_kind", [INFLUX16, *INFLUX2])
@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_line_to_the_server_loses_and_doubles_nothing(
    name: str, house: House, series_server: SeriesServer
) -> None:
    assert series_server.process
    with FaultyProxy(series_server.process.port) as proxy:
        house.tick(20)
        proxy.fault = FAULTS[name]
        with writing_to(house, account_at(series_server, proxy.url), answer_s=0.5) as writer:
            eventually(lambda: writer.failing, "it is noticed")
            proxy.fault = Fault(delay_s=0.05)
            house.tick(5)
            eventually(lambda: writer.behind == 0 and not writer.failing, "everything is written")
    assert stored(series_server) == house.points


@pytest.mark.parametrize("series_kind", [INFLUX16, *INFLUX2])
def test_a_line_cut_anywhere_loses_and_doubles_nothing(house: House, series_server: SeriesServer) -> None:
    assert series_server.process
    with FaultyProxy(series_server.process.port) as proxy:
        house.tick(200)
        proxy.cut_sent_after = [100, 5_000, 40_000, 90_000]
        proxy.cut_after = [10**9, 10**9, 10**9, 10**9, 10, 60]
        with writing_to(house, account_at(series_server, proxy.url)) as writer:
            eventually(lambda: writer.behind == 0 and not writer.failing, "everything is written")
    assert stored(series_server) == house.points
    assert proxy.connections > 4


@pytest.mark.parametrize("series_kind", [INFLUX16, INFLUX18, *INFLUX2])
def test_a_line_that_is_refused_is_kept_as_a_dead_letter_and_all_others_are_stored(
    house: House, series_server: SeriesServer
) -> None:
    """Somebody has written text where a number belongs."""
    series_server.write(b'smoke,device=own:other voltage="text" 1790000000000000000\n')
    house.tick(10)
    writer = house.writer(Server(account_at(series_server), 4))
    with capture_logs():
        while writer.run_once():
            pass
    writer.close()
    lost = {row for row in expected(house, "smoke") if row.field == "voltage"}
    assert writer.refused == house.refused() == len(lost)
    for kind in ("smoke", "electrical"):
        assert expected(house, kind) - set(series_server.rows(kind)) == (lost if kind == "smoke" else set())
    assert read_mark(house.folder / "journal" / "reader-store") == 10


def test_a_server_that_names_a_time_is_asked_then_and_not_before(house: House) -> None:
    class Busy:
        """Takes nothing before it was asked three times."""

        def __init__(self) -> None:
            self.asked_s: list[float] = []

        def post(self, lines: bytes) -> Answer:
            self.asked_s.append(time.monotonic())
            return Later("HTTP 429", wait_s=0.2) if len(self.asked_s) < 3 else Taken()

        def life(self) -> str:
            return ""

        def close(self) -> None:
            pass

    busy = Busy()
    house.tick()
    with capture_logs(), running(house, busy) as writer:
        eventually(lambda: writer.behind == 0, "it is taken")
    first, second, third = busy.asked_s[:3]
    assert second - first >= 0.2
    assert third - second >= 0.2


def test_an_outage_longer_than_it_takes_to_settle_loses_nothing_that_was_acknowledged(
    house: House, series_servers: SeriesServers
) -> None:
    """VictoriaMetrics is killed with points that it has acknowledged and not kept."""
    with series_servers.own(VICTORIA) as server:
        house.tick(30)
        mark = house.folder / "journal" / "reader-store"
        with writing_to(house, account_at(server), settled_s=1.0) as writer, capture_logs():
            eventually(lambda: writer.behind == 0, "all is acknowledged")
            server.kill()
            kept = read_mark(mark)
            time.sleep(2.5)
            assert read_mark(mark) == kept, "a dead server settles nothing"
            server.start()
            house.tick()
            eventually(lambda: read_mark(mark) == house.ticks, "everything is written, and has settled")
        assert stored(server) == house.points


def test_series_that_were_first_named_in_a_gap_are_written_before_it_is_closed(house: House) -> None:
    house.tick(600)
    taken = Taking()
    writer = house.writer(taken)
    writer.run_once()
    assert writer.behind > 0, "the rest is a gap"
    house.name("own:new", 9_001)
    house.tick_of(9_001)
    eventually(lambda: bool(writer.run_once()), "what comes in now")
    writer.close()
    assert "own:new" in {line.tags["device"] for line in taken.lines}
    assert writer.unnamed == 0


class Says:
    """Answers everything alike, and a comment otherwise."""

    def __init__(self, to_lines: Answer, to_comments: Answer) -> None:
        self._to_lines, self._to_comments = to_lines, to_comments
        self.posts = 0

    def post(self, lines: bytes) -> Answer:
        self.posts += 1
        return self._to_comments if lines.startswith(b"#") else self._to_lines

    def life(self) -> str:
        return ""

    def close(self) -> None:
        pass


def test_somebody_who_refuses_everything_throws_no_history_away(house: House) -> None:
    """Such as a proxy, or a server that wants TLS."""
    house.tick(2)
    writer = house.writer(Says(Refused("HTTP 400"), Refused("HTTP 400: comments too")))
    for _ in range(2):
        assert writer.run_once() == Later("HTTP 400: comments too", denied=True)
    assert (writer.behind, writer.refused, house.refused()) == (2, 0, 0)
    writer.close()


def test_a_load_in_which_every_value_is_refused_is_passed(house: House) -> None:
    house.tick()
    writer = house.writer(Says(Refused("HTTP 400: beyond retention"), Taken()))
    assert writer.run_once() == 1
    assert writer.refused == house.refused() == house.points
    writer.close()


def test_a_server_that_says_come_back_at_once_is_not_asked_without_end(house: House) -> None:
    busy = Says(Later("HTTP 429", wait_s=0.0), Taken())
    house.tick()
    with capture_logs(), running(house, busy):
        time.sleep(1.0)
    assert busy.posts < 30


def test_a_device_that_is_registered_later_goes_on_as_what_it_is(house: House) -> None:
    """Before that its points are those of nobody's device."""
    taken = Taking()
    with writing(house.engine) as connection:
        connection.execute(delete(device).where(device.c.uid == device_of(0)))
    house.tick()
    writer = house.writer(taken)
    writer.run_once()
    register(house, device_of(0), "smoke")
    house.tick()
    eventually(lambda: bool(writer.run_once()), "its second look")
    writer.close()
    of = [line.measurement for line in taken.lines if line.tags["device"] == device_of(0)]
    assert of == ["unregistered", "smoke"]


def test_points_that_nobody_can_name_are_counted_and_hold_nothing_up(house: House) -> None:
    """Of a series that went with its device while the journal still had its points."""
    house.tick()
    taken = Taking()
    first = house.writer(taken)
    assert [first.run_once(), first.run_once()] == [1, 0]
    first.close()
    house.tick()
    with writing(house.engine) as connection:
        connection.execute(delete(series))
    writer = house.writer(taken)
    assert writer.run_once() == 1
    assert (writer.points, writer.unnamed, writer.behind) == (0, house.points // 2, 0)
    writer.close()


class Taking:
    """Takes everything and keeps it."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def post(self, lines: bytes) -> Answer:
        self.lines += read_lines(lines)
        return Taken()

    def life(self) -> str:
        return ""

    def close(self) -> None:
        pass


def register(house: House, uid: str, kind: str) -> None:
    with writing(house.engine) as connection:
        made = insert(registry_change).values(at_us=1, by="t", what="device")
        change = connection.execute(made.returning(registry_change.c.id)).scalar_one()
        row = {"uid": uid, "kind": kind, "profile": "own", "registered_us": 0, "registered_by": "t"}
        connection.execute(insert(device).values(row | {"change_id": change}))
