"""History is copied from the embedded store to real servers, whole, whatever happens on the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from devices.database import reading
from devices.model import Quality
from ingest.deadletters import count_dead_letters
from ingest.store.embedded import EmbeddedStore
from ingest.store.influx.copying import StillWritten
from ingest.store.influx.lines import bodies
from ingest.store.influx.names import SeriesNames
from ingest.store.influx.server import Answer, Server
from ingest.store.layout import DAY_NS, open_for_writing
from ingest.store.points import Points
from ingest.store.reader import SeriesReader
from tests.ingest.influx.house import account_at
from tests.ingest.influx.house_copying import (
    DAY,
    DAYS,
    MS,
    NOBODY,
    Site,
    hard_points,
    is_copied,
    rows_of,
    rows_wanted,
)
from tests.series_servers import INFLUX2, INFLUX16, INFLUX18, KINDS, VICTORIA, SeriesServer

QUICK = (INFLUX16, *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS if kind != INFLUX16))
"""The others take half a minute and more: VictoriaMetrics shows what it was given some ten seconds later."""


class Between:
    """A server, and what somebody does with requests on their way to it."""

    def __init__(self, server: SeriesServer, change: Callable[[bytes], bytes]) -> None:
        self._server, self._change = Server(account_at(server), 4), change
        self.posts = 0

    def post(self, lines: bytes) -> Answer:
        self.posts += 1
        return self._server.post(self._change(lines))

    def life(self) -> str | None:
        return self._server.life()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def keep_five_days(server: SeriesServer) -> None:
    if server.kind not in INFLUX2:
        policy = f"ALTER RETENTION POLICY autogen ON {server.database}"
        server.query(f"{policy} DURATION 5d SHARD DURATION 1d")
        return
    organisation = server.organisation
    number = organisation.buckets()[server.bucket]["id"]
    rule = {"type": "expire", "everySeconds": 5 * 86_400, "shardGroupDurationSeconds": 86_400}
    organisation.ask("PATCH", f"/api/v2/buckets/{number}", {"retentionRules": [rule]})


def points(slot: int, *rows: tuple[int, float, int], day: int = DAY) -> Points:
    """Milliseconds after midnight, value, quality."""
    after, value, quality = zip(*rows, strict=True)
    return Points(
        np.full(len(rows), slot, np.int32),
        day * DAY_NS + np.array(after, np.int64) * MS,
        np.array(value, np.float64),
        np.array(quality, np.uint32),
    )


def minutes(slot: int, n: int, day: int = DAY) -> Points:
    return points(slot, *((60_000 * k, 230.0 + k / 8, 0) for k in range(n)), day=day)


@pytest.mark.parametrize("series_kind", QUICK)
def test_a_hundred_thousand_hard_points_are_copied_and_found_equal(
    series_server: SeriesServer, site: Site
) -> None:
    writes = hard_points(100_000)
    site.keep(*writes)
    found = site.copied(series_server, shown_at_once=False)
    assert [day.day for day in found] == [*range(DAY, DAY + DAYS)]
    assert all(day.complete and not day.refused and not day.unnamed for day in found)
    if series_server.kind != VICTORIA:
        there = len({(row.measurement, row.tags, row.field.removesuffix("_quality"), row.time_ns)
                     for row in rows_wanted(writes)})  # fmt: skip
        assert sum(day.points - day.joined for day in found) == there
    is_copied(series_server, writes)


def test_writing_it_again_changes_nothing(series_server: SeriesServer, site: Site) -> None:
    writes = hard_points(3_000)
    site.keep(*writes)
    site.copied(series_server)
    found = site.copied(series_server)
    assert all(day.complete for day in found)
    is_copied(series_server, writes)


def test_live_points_of_the_same_series_and_times_do_no_harm(series_server: SeriesServer, site: Site) -> None:
    """The same ones again, as after a crash, and late ones of times that are in the history."""
    writes = [minutes(3, 1_000), minutes(4, 1_000)]
    late = Points.joined(writes)
    late = Points(late.slot, late.ts_ns, late.value + 0.5, np.full(len(late), Quality.LATE, np.uint32))
    site.keep(*writes)
    names = SeriesNames()
    with reading(site.engine) as connection:
        names.load(connection)
    lived = Points.joined([*writes, late]) if series_server.kind != VICTORIA else Points.joined(writes)
    stop = threading.Event()

    def live() -> None:
        for n in count():
            if stop.is_set() and n:
                return
            for body in bodies(lived, names, 300):
                series_server.write(body.lines)

    thread = threading.Thread(target=live)
    thread.start()
    found = site.copied(series_server)
    stop.set()
    thread.join()
    assert [day.complete for day in found] == [True]
    is_copied(series_server, [*writes, late] if series_server.kind != VICTORIA else writes)


@pytest.mark.parametrize("series_kind", [INFLUX18, VICTORIA])
@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        (b"voltage=231.0 ", b"voltage=231.5 ", (231.5, 0)),
        (b"voltage=232.0,voltage_quality=8192i ", b"voltage=232.0,voltage_quality=8193i ", (232.0, 8193)),
        (b"voltage=232.0,voltage_quality=8192i ", b"voltage=232.0 ", (232.0, 0)),
        (b"voltage_quality=1i ", b"voltage=0.0,voltage_quality=1i ", (0.0, 1)),
        (b"voltage=231.0 ", b"power=231.0 ", None),
        (b"voltage_quality=1i ", b"power=231.0 ", None),
    ],
    ids=["value", "quality", "no-quality", "value-of-none", "missing", "quality-missing"],
)
def test_what_the_server_has_otherwise_is_found(
    series_server: SeriesServer,
    site: Site,
    was: bytes,
    becomes: bytes,
    told: tuple[float, int] | None,
) -> None:
    site.keep(points(4, (0, 230.0, 0), (10, 231.0, 0), (20, 232.0, 8192), (30, np.nan, 1), (40, 233.0, 0)))

    def change(lines: bytes) -> bytes:
        assert was in lines
        return lines.replace(was, becomes)

    patience_s = 3.0 if series_server.kind == VICTORIA else 0.0
    (day,) = site.copied(series_server, Between(series_server, change), seen_s=patience_s)
    assert (day.missing, day.different) == ((1, 0) if told is None else (0, 1))
    assert [(one.series.slot, one.found) for one in day.wrong] == [(4, told)]
    assert not day.complete


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_only_the_first_that_are_missing_are_named_and_all_are_counted(
    series_server: SeriesServer, site: Site
) -> None:
    site.keep(minutes(3, 30), minutes(1_030, 30), minutes(17_000, 30))
    nothing = Between(series_server, lambda _: b"# nothing\n")
    (day,) = site.copied(series_server, nothing, seen_s=0.0)
    assert (day.points, day.missing, len(day.wrong)) == (90, 90, 10)


@pytest.mark.parametrize("series_kind", QUICK)
def test_a_server_that_dies_and_comes_back_is_waited_for(series_server: SeriesServer, site: Site) -> None:
    """VictoriaMetrics forgets what it acknowledged; that is written again."""
    writes = hard_points(20_000)
    site.keep(*writes)
    told: list[str] = []
    died = threading.Event()

    def die() -> None:
        series_server.kill()
        time.sleep(1.5)
        series_server.start()

    server, killer = Server(account_at(series_server), 4), threading.Thread(target=die)
    n = count()

    class Dying:
        def post(self, lines: bytes) -> Answer:
            if next(n) == 3:
                killer.start()
                died.set()
            return server.post(lines)

        def life(self) -> str | None:
            return server.life()

    with site.copying(series_server, Dying(), told=told) as copying:
        found = list(copying.run(site.days()))
    killer.join()
    assert died.is_set()
    assert [line.split(":")[0] for line in told] == ["waits for the server", "goes on"] * (len(told) // 2)
    assert told
    assert all(day.complete for day in found)
    is_copied(series_server, writes)


@pytest.mark.parametrize("series_kind", [INFLUX16, INFLUX18, *INFLUX2])
def test_a_value_that_the_server_refuses_is_named_and_kept_and_all_others_are_copied(
    series_server: SeriesServer, site: Site
) -> None:
    """Where a field holds words that day, no numbers go in."""
    series_server.write(b'electrical,device=own:other current="much" %d\n' % (DAY * DAY_NS + 5))
    one, rest = minutes(3, 1), [minutes(4, 500), minutes(1, 20, DAY + 1), minutes(3, 20, DAY + 8)]
    site.keep(one, *rest)
    first, *others = site.copied(series_server)
    assert (first.refused, first.missing, first.different, first.points) == (1, 0, 0, 501)
    assert b"current=230.0" in first.refusals[0].line
    assert "field type conflict" in first.refusals[0].why
    assert all(day.complete and not day.refused for day in others)
    with reading(site.engine) as connection:
        assert count_dead_letters(connection) == {"store": 1}
    there = {row for row in rows_of(series_server) if row.value != "much"}
    assert there == rows_wanted(rest)


@pytest.mark.parametrize("series_kind", [INFLUX16, INFLUX18, *INFLUX2])
def test_points_older_than_the_server_keeps_are_counted_and_not_sent_one_by_one(
    series_server: SeriesServer, site: Site
) -> None:
    keep_five_days(series_server)
    today = time.time_ns() // DAY_NS
    writes = [minutes(slot, 1_400, today - back) for slot in (3, 4) for back in (30, 8, 5, 3, 1)]
    site.keep(*writes)
    posts = Between(series_server, lambda lines: lines)
    found = site.copied(series_server, posts)
    after_ns = time.time_ns() - 5 * DAY_NS
    first, second, at_the_edge, *young = found
    assert [first.expired, second.expired] == [2_800, 2_800]
    old = np.count_nonzero(Points.joined(writes).ts_ns <= after_ns) - 5_600
    assert 0 <= at_the_edge.expired <= old, "InfluxDB keeps what is too old beside what is not"
    assert not any(day.expired for day in young)
    assert all(day.complete and not day.refused for day in found)
    assert posts.posts < 60
    there = {row for row in rows_of(series_server) if row.time_ns >= after_ns}
    assert there == {row for row in rows_wanted(writes) if row.time_ns >= after_ns}
    with reading(site.engine) as connection:
        assert not count_dead_letters(connection)


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_points_of_series_that_no_table_knows_stay_behind(series_server: SeriesServer, site: Site) -> None:
    site.keep(minutes(3, 50), minutes(NOBODY, 7))
    (day,) = site.copied(series_server)
    assert (day.points, day.series, day.unnamed, day.complete) == (50, 1, 7, True)
    is_copied(series_server, [minutes(3, 50)])


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_a_damaged_block_is_left_out_and_named(series_server: SeriesServer, site: Site) -> None:
    site.keep(minutes(3, 50), minutes(4, 50))
    connection = open_for_writing(site.path)
    (bad,) = connection.execute("SELECT min(id) FROM block").fetchone()
    connection.execute("UPDATE block SET body = zeroblob(99) WHERE id = ?", (bad,))
    connection.close()
    (day,) = site.copied(series_server)
    reader = SeriesReader.open(site.path)
    assert [len(piece) for piece in reader.pieces(DAY)] == [50]
    assert reader.damaged_blocks == [bad]
    reader.close()
    assert (day.points, day.complete) == (50, True)
    is_copied(series_server, [minutes(4, 50)])


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_it_ends_when_somebody_writes_to_the_embedded_store(series_server: SeriesServer, site: Site) -> None:
    site.keep(minutes(3, 50), minutes(3, 50, DAY + 1))
    store = EmbeddedStore(site.path, keep_days=100_000)

    def change(lines: bytes) -> bytes:
        store.write(minutes(4, 1), store.offset + 1)
        return lines

    with pytest.raises(StillWritten):
        site.copied(series_server, Between(series_server, change))
    store.close()
