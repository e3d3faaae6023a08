"""What was written to real servers is read back: times, values, qualities, in every language."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Iterator
from itertools import count
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.model import Metric, Quality
from ingest.store.influx.asking import Away, Limits
from ingest.store.influx.reading import ServerReader
from ingest.store.influx.reading_dialect import Dialect
from ingest.store.influx.server import Account
from ingest.store.points import Points
from tests.ingest.influx.house_reading import (
    ASKED,
    END_NS,
    MS,
    START_NS,
    account_of,
    name,
    points,
    put,
    reader_of,
    same,
)
from tests.series_servers import INFLUX16, VICTORIA, SeriesServer

HARD = int(Quality.FAULT)
HOSTILE = st.sampled_from(
    [
        "'",
        '"',
        "\\",
        "%5C",
        " ",
        ",",
        "=",
        "${r}",
        "|>",
        ".*",
        "\n",
        "\t",
        "\x00",
        "--",
        ";",
        "楼道",
        "é",
        "' OR '1'='1",
    ]
)
TEXT = st.lists(HOSTILE | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).map("".join)


@pytest.fixture(params=ASKED, ids=lambda one: f"{one[0]}-{one[1]}")
def asked(request: pytest.FixtureRequest) -> tuple[str, Dialect]:
    found: tuple[str, Dialect] = request.param
    return found


@pytest.fixture
def series_kind(asked: tuple[str, Dialect]) -> str:
    return asked[0]


@pytest.fixture
def dialect(asked: tuple[str, Dialect]) -> Dialect:
    return asked[1]


@pytest.fixture
def reader(series_server: SeriesServer, dialect: Dialect) -> Iterator[ServerReader]:
    reader = reader_of(series_server, dialect)
    yield reader
    reader.close()


def test_values_qualities_and_what_is_no_number_come_back_as_written(
    series_server: SeriesServer, reader: ServerReader
) -> None:
    names = {1: name("own:m", "l1", slot=1), 2: name("own:m", "l1", Metric.SMOKE_ALARM, slot=2)}
    current = points(
        1,
        (0, 3.25, 0),
        (1, 3.5, 1 << 13),
        (2, math.nan, HARD),
        (3, -0.5, 0),
        (4, math.nan, 0),
        (5, 7.0, 0xFFFF_FFFF & ~Quality.LATE),
    )
    smoke = points(2, (0, 0.0, 0), (1, 1.0, 0))
    put(series_server, names, Points.joined([current, smoke]))
    same(reader.read(names[1], START_NS, END_NS), current)
    same(reader.read(names[2], START_NS, END_NS), smoke)


def test_a_span_has_its_first_time_and_not_its_last(
    series_server: SeriesServer, reader: ServerReader
) -> None:
    own = points(0, *((10 * n, float(n), n % 2) for n in range(10)))
    put(series_server, {0: name("own:m")}, own)
    same(reader.read(name("own:m"), START_NS + 20 * MS, START_NS + 50 * MS), own[2:5])
    same(reader.read(name("own:m"), -5, 2**63 - 1, limit=3), own[:3])
    assert not len(reader.read(name("own:m"), START_NS, START_NS))
    assert not len(reader.read(name("own:m"), END_NS, START_NS))
    assert not len(reader.read(name("own:other"), START_NS, END_NS))
    assert not len(reader.read(name("own:m", metric=Metric.VOLTAGE), START_NS, END_NS))


def test_a_device_of_one_point_is_not_taken_for_its_channels(
    series_server: SeriesServer, reader: ServerReader
) -> None:
    names = {n: name("own:m", channel, slot=n) for n, channel in enumerate(["", "l1", "l2"])}
    own = [points(n, (n, float(n), n)) for n in names]
    put(series_server, names, Points.joined(own))
    for n, one in names.items():
        same(reader.read(one, START_NS, END_NS), own[n])


def test_points_of_a_device_that_became_another_kind_are_one_series(
    series_server: SeriesServer, reader: ServerReader
) -> None:
    first = points(0, (0, 1.0, 0), (2, math.nan, HARD), (4, 5.0, 1 << 16))
    then = points(0, (1, 2.0, 1 << 13), (3, 4.0, 0), (4, 5.0, 1 << 16), (6, 7.0, 0))
    put(series_server, {0: name("own:m")}, first, "unregistered")
    put(series_server, {0: name("own:m")}, then, "electrical")
    found = reader.read(name("own:m"), START_NS, END_NS)
    same(
        found,
        points(
            0,
            (0, 1.0, 0),
            (1, 2.0, 1 << 13),
            (2, math.nan, HARD),
            (3, 4.0, 0),
            (4, 5.0, 1 << 16),
            (6, 7.0, 0),
        ),
    )
    same(reader.latest([name("own:m")]), then[3:])


def test_many_pages_are_one_answer(series_server: SeriesServer, dialect: Dialect) -> None:
    n = 2_000
    rng = np.random.default_rng(20261122)
    own = points(
        0, *((int(at), float(at) / 8, int(at) % 3) for at in np.sort(rng.choice(10**6, n, replace=False)))
    )
    own.value[::17] = math.nan
    own.quality[::17] |= np.uint32(HARD)
    half = np.arange(n) % 2 == 0
    put(series_server, {0: name("own:m")}, own[half], "smoke")
    put(series_server, {0: name("own:m")}, own[~half], "other")
    reader = reader_of(series_server, dialect, page=97)
    same(reader.read(name("own:m"), START_NS, END_NS), own)
    same(reader.read(name("own:m"), START_NS, END_NS, limit=1_001), own[:1_001])
    reader.close()


def test_the_newest_point_of_each_that_has_one(series_server: SeriesServer, reader: ServerReader) -> None:
    names = {n: name(f"own:{n}", slot=n) for n in range(3)}
    own = [points(0, (0, 1.0, 0), (9, 2.0, 0)), points(2, (0, 1.0, 0), (5, math.nan, HARD))]
    put(series_server, names, Points.joined(own))
    same(reader.latest([names[0], names[1], names[2]]), Points.joined([own[0][1:], own[1][1:]]))
    same(reader.latest([names[2], names[0]]), Points.joined([own[1][1:], own[0][1:]]))


@pytest.mark.parametrize("asked", [(INFLUX16, Dialect.INFLUXQL)])
def test_a_server_that_is_slow_with_each_series_does_not_hold_a_page_for_all(
    series_server: SeriesServer, dialect: Dialect
) -> None:
    ticks = count()
    limits = Limits(whole_s=2.5)
    account = account_of(series_server, dialect)
    reader = ServerReader(account, dialect, limits=limits, monotonic=lambda: float(next(ticks)))
    assert not len(reader.latest([name("own:m"), name("own:n")]))
    with pytest.raises(Away, match=r"not all newest points within 2\.5 s"):
        reader.latest([name(f"own:{n}") for n in range(9)])
    reader.close()


@pytest.mark.parametrize("after_s", [-20 * 365 * 86_400, -40 * 86_400, 240])
def test_the_newest_point_may_be_years_old_or_a_little_ahead(
    series_server: SeriesServer, reader: ServerReader, after_s: int
) -> None:
    at_s = int(time.time()) + after_s
    own = Points(np.zeros(1, np.int32), np.array([at_s * 10**9]), np.ones(1), np.zeros(1, np.uint32))
    put(series_server, {0: name("own:m")}, own)
    same(reader.latest([name("own:m")]), own)


@given(st.lists(st.tuples(TEXT, st.just("") | TEXT), min_size=1, max_size=8, unique=True))
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_name_is_only_a_name_whatever_stands_in_it(
    series_server: SeriesServer, reader: ServerReader, called: list[tuple[str, str]]
) -> None:
    names = {n: name(device, channel, slot=n) for n, (device, channel) in enumerate(called)}
    own = [points(n, (0, float(zlib.crc32(repr(one).encode()) % 10**6), 0)) for n, one in names.items()]
    put(series_server, names, Points.joined(own))
    for n, one in names.items():
        same(reader.read(one, START_NS, END_NS), own[n])
        assert reader.outline(one, START_NS, END_NS, 10**9).most.tolist() == own[n].value.tolist()
    same(reader.latest(list(names.values())), Points.joined(own))


def test_what_answers_is_asked_in_its_own_language(series_server: SeriesServer, dialect: Dialect) -> None:
    put(series_server, {0: name("own:m")}, points(0, (0, 1.5, 0)))
    reader = ServerReader.open(account_of(series_server, dialect))
    same(reader.read(name("own:m"), START_NS, END_NS), points(0, (0, 1.5, 0)))
    reader.close()


@pytest.mark.parametrize("asked", [(VICTORIA, Dialect.VICTORIA)])
def test_a_database_of_victoriametrics_is_read_alone(series_server: SeriesServer) -> None:
    for database, value in (("a", 1.0), ("b\"'", 2.0)):
        line = f"smoke,device=own:m current={value} {START_NS}\n".encode()
        assert series_server.post(f"/write?db={quote(database)}", line).status == 204
    series_server.post("/internal/force_flush")
    for database, value in (("a", 1.0), ("b\"'", 2.0)):
        reader = ServerReader.open(Account(series_server.url, database=database))
        same(reader.read(name("own:m"), START_NS, END_NS), points(0, (0, value, 0)))
        reader.close()
