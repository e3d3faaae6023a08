"""An outline that a real server works out is the one of the points that were written, in every language."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from devices.model import Metric, Quality
from ingest.store.embedded import EmbeddedStore
from ingest.store.embedded_history import EmbeddedHistory
from ingest.store.history import Outline, Series, outline_of
from ingest.store.influx.reading import LATEST_NS, ServerReader
from ingest.store.influx.reading_dialect import Dialect
from ingest.store.points import Points
from tests.ingest.influx.house_reading import ASKED, END_NS, MS, START_NS, name, points, put, reader_of
from tests.ingest.outlines import alike
from tests.series_servers import VICTORIA, SeriesServer

HARD = int(Quality.FAULT)
OWN = name("own:m")
YEAR_NS = 365 * 86_400 * 10**9
SPREAD = points(
    0,
    (0, 1.5, 0),
    (1, 2.5, HARD),
    (999, -3.0, 0),
    (1000, math.nan, HARD),
    (1001, math.nan, 0),
    (2999, 4.0, 0),
    (3000, 5.0, 1 << 16),
    (8999, 6.0, 0),
    (9000, 7.0, 0),
    (9001, 8.0, 0),
)
SPANS_MS = [(0, 9002), (0, 9001), (1, 9000), (999, 3000), (1000, 1001), (9002, 9990)]


@pytest.fixture(params=ASKED, ids=lambda one: f"{one[0]}-{one[1]}")
def asked(request: pytest.FixtureRequest) -> tuple[str, Dialect]:
    found: tuple[str, Dialect] = request.param
    return found


@pytest.fixture
def series_kind(asked: tuple[str, Dialect]) -> str:
    return asked[0]


@pytest.fixture
def reader(series_server: SeriesServer, asked: tuple[str, Dialect]) -> Iterator[ServerReader]:
    reader = reader_of(series_server, asked[1])
    yield reader
    reader.close()


def test_a_piece_says_what_was_heard_and_of_what_use_it_was(
    series_server: SeriesServer, reader: ServerReader
) -> None:
    put(series_server, {0: OWN}, SPREAD)
    found = reader.outline(OWN, START_NS, START_NS + 9001 * MS, 1000 * MS)
    assert found.step_ns == 1000 * MS
    assert ((found.begin_ns - START_NS) // MS).tolist() == [0, 1000, 2000, 3000, 8000, 9000]
    assert found.count.tolist() == [3, 0, 1, 1, 1, 1]
    assert found.doubtful.tolist() == [1, 2, 0, 1, 0, 0]
    np.testing.assert_array_equal(found.least, [-3.0, math.nan, 4.0, 5.0, 6.0, 7.0])
    np.testing.assert_allclose(found.mean, [1 / 3, math.nan, 4.0, 5.0, 6.0, 7.0], rtol=1e-9)
    np.testing.assert_array_equal(found.most, [2.5, math.nan, 4.0, 5.0, 6.0, 7.0])


@pytest.mark.parametrize("span_ms", SPANS_MS)
def test_pieces_begin_with_the_span_and_end_before_its_end(
    series_server: SeriesServer, reader: ServerReader, span_ms: tuple[int, int]
) -> None:
    put(series_server, {0: OWN}, SPREAD)
    begin, end = (START_NS + at * MS for at in span_ms)
    for step_ms in (1, 7, 1000, 1001, 8999, 9000, 9001, 10**6, 86_400_000):
        alike(reader.outline(OWN, begin, end, step_ms * MS), outline_of(SPREAD, begin, end, step_ms * MS))


@pytest.mark.parametrize("add_ns", [-1, 1, 499_999, MS - 1])
def test_a_span_may_begin_and_end_between_two_milliseconds(
    series_server: SeriesServer, reader: ServerReader, add_ns: int
) -> None:
    put(series_server, {0: OWN}, SPREAD)
    for begin_ms, end_ms in ((0, 9001), (1, 1000), (1000, 1000), (999, 1001)):
        begin, end = START_NS + begin_ms * MS + add_ns, START_NS + end_ms * MS + 2 * add_ns
        for step_ms in (1, 1000, 10**6):
            alike(reader.outline(OWN, begin, end, step_ms * MS), outline_of(SPREAD, begin, end, step_ms * MS))


@pytest.mark.parametrize("step_ns", [YEAR_NS, 100 * YEAR_NS, LATEST_NS // MS * MS])
@pytest.mark.parametrize(
    ("from_ns", "to_ns"),
    [
        (0, 2**63 - 1),
        (-5, 2**63 - 7),
        (-(2**62), 2**62 - 1),
        (START_NS - 270 * YEAR_NS, START_NS + 10**12),
        (START_NS - 55 * YEAR_NS, 2**63 - 1),
    ],
)
def test_steps_may_be_as_long_as_time(
    series_server: SeriesServer, reader: ServerReader, from_ns: int, to_ns: int, step_ns: int
) -> None:
    put(series_server, {0: OWN}, SPREAD)
    alike(reader.outline(OWN, from_ns, to_ns, step_ns), outline_of(SPREAD, from_ns, to_ns, step_ns))


def test_the_longest_span_is_asked_for_in_many_pieces(
    series_server: SeriesServer, reader: ServerReader
) -> None:
    put(series_server, {0: OWN}, SPREAD)
    step_ns = LATEST_NS // 10_990 // MS * MS
    found = reader.outline(OWN, 0, LATEST_NS, step_ns)
    alike(found, outline_of(SPREAD, 0, LATEST_NS, step_ns))
    assert found.count.sum() == 8


def test_nothing_and_one_point(series_server: SeriesServer, reader: ServerReader) -> None:
    assert not len(reader.outline(OWN, START_NS, END_NS, 1000 * MS))
    own = points(0, (0, 1.0, 0))
    put(series_server, {0: OWN}, own)
    alike(reader.outline(OWN, START_NS, START_NS + MS, MS), outline_of(own, START_NS, START_NS + MS, MS))
    assert not len(reader.outline(OWN, START_NS - MS, START_NS, MS))
    assert not len(reader.outline(OWN, START_NS, START_NS, MS))
    assert not len(reader.outline(OWN, END_NS, START_NS, MS))
    assert not len(reader.outline(name("own:other"), START_NS, END_NS, 1000 * MS))
    assert not len(reader.outline(name("own:m", metric=Metric.VOLTAGE), START_NS, END_NS, 1000 * MS))
    assert not len(reader.outline(name("own:m", "l1"), START_NS, END_NS, 1000 * MS))


def test_values_of_a_device_that_became_another_kind_are_taken_together(
    series_server: SeriesServer, reader: ServerReader
) -> None:
    first = points(0, (0, 1.0, 0), (20, 2.0, 0), (30, 6.0, HARD), (1000, math.nan, HARD))
    then = points(0, (40, 10.0, 0), (2000, 5.0, 0), (2001, math.nan, HARD))
    put(series_server, {0: OWN}, first, "unregistered")
    put(series_server, {0: OWN}, then, "electrical")
    both = Points.joined([first[:3], then[:1], first[3:], then[1:]])
    found = reader.outline(OWN, START_NS, END_NS, 1000 * MS)
    assert found.mean[0] == pytest.approx(4.75, rel=1e-9)
    alike(found, outline_of(both, START_NS, END_NS, 1000 * MS))


def test_each_channel_and_metric_is_for_itself(series_server: SeriesServer, reader: ServerReader) -> None:
    several = [
        name("own:m"),
        name("own:m", "l1", slot=1),
        name("own:m", "l'2\"\\", slot=2),
        name("own:m", metric=Metric.VOLTAGE, slot=3),
    ]
    own = [points(one.slot, (one.slot, 1.5 + one.slot, one.slot), (5, 7.0, 0)) for one in several]
    put(series_server, dict(enumerate(several)), Points.joined(own))
    for one, wanted in zip(several, own, strict=True):
        alike(
            reader.outline(one, START_NS, END_NS, MS * 1000), outline_of(wanted, START_NS, END_NS, MS * 1000)
        )


@pytest.mark.parametrize("ahead_ms", [1, 60_000])
@pytest.mark.parametrize("step_ms", [250, 10_000, 120_000])
def test_what_was_heard_a_moment_ago_is_in_it(
    series_server: SeriesServer, reader: ServerReader, step_ms: int, ahead_ms: int
) -> None:
    """Also where a server thinks that the newest values are not whole yet."""
    now_ns = time.time_ns() // MS * MS
    ago_ms = np.array([70_000, 40_000, 29_000, 12_000, 1_000, 10, 0, -20_000])
    own = Points(
        np.zeros(len(ago_ms), np.int32),
        now_ns - ago_ms * MS,
        np.arange(len(ago_ms), dtype=float),
        np.zeros(len(ago_ms), np.uint32),
    )
    put(series_server, {0: OWN}, own)
    begin, end = now_ns - 100_000 * MS, now_ns + ahead_ms * MS
    alike(reader.outline(OWN, begin, end, step_ms * MS), outline_of(own, begin, end, step_ms * MS))


def test_what_came_since_the_last_look_is_in_the_next(
    series_server: SeriesServer, reader: ServerReader
) -> None:
    own = points(0, *((10 * n, float(n), 0) for n in range(200)))
    for end in (50, 120, 200):
        put(series_server, {0: OWN}, own[:end])
        found = reader.outline(OWN, START_NS, END_NS, 400 * MS)
        alike(found, outline_of(own[:end], START_NS, END_NS, 400 * MS))


def some(rng: np.random.Generator, n: int, within_ms: int, fine: bool) -> Points:
    """Random points, each at its own time, a fifth of them doubtful and a tenth without a value."""
    scale = 1000 if fine else MS
    at = np.sort(rng.choice(within_ms * MS // scale, n, replace=False)).astype(np.int64) * scale
    value = np.round(rng.uniform(1, 1000, n), 3)
    quality = np.where(rng.random(n) < 0.2, HARD, 0).astype(np.uint32)
    value[rng.random(n) < 0.1] = math.nan
    return Points(np.zeros(n, np.int32), START_NS + at, value, quality)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_that_of_the_embedded_store(
    series_server: SeriesServer, reader: ServerReader, tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(20261123 + seed)
    own = some(rng, 700, 60_000, fine=series_server.kind != VICTORIA)
    half = rng.random(len(own)) < 0.5
    put(series_server, {0: OWN}, own[half], "smoke")
    put(series_server, {0: OWN}, own[~half], "other")
    store = EmbeddedStore(tmp_path / "points.db", keep_days=10_000)
    store.write(own, 1)
    store.close()
    embedded = EmbeddedHistory.open(tmp_path / "points.db")
    for _ in range(15):
        begin, end = np.sort(rng.integers(-5_000, 65_000, 2)).tolist()
        if rng.random() < 0.5:  # begins and ends with a reading
            begin, end = (int(at - START_NS) // MS for at in np.sort(rng.choice(own.ts_ns, 2)))
        step_ms = max(int(10 ** rng.uniform(0, 5)), (end - begin) // 11_000 + 1)
        span = START_NS + begin * MS, START_NS + end * MS, step_ms * MS
        alike(reader.outline(OWN, *span), embedded.outline(OWN, *span))
    embedded.close()


@pytest.mark.parametrize("asked", [(VICTORIA, Dialect.VICTORIA)])
def test_victoriametrics_puts_a_reading_into_the_piece_of_its_millisecond(
    series_server: SeriesServer, reader: ServerReader
) -> None:
    own = points(0, (0, 1.0, 0), (1, 2.0, 0))
    put(series_server, {0: OWN}, Points(own.slot, own.ts_ns + 999_999, own.value, own.quality))
    alike(reader.outline(OWN, START_NS, END_NS, 1000 * MS), outline_of(own, START_NS, END_NS, 1000 * MS))
    assert outline_at(reader, OWN, START_NS + 1).tolist() == [START_NS + 1]


def outline_at(reader: ServerReader, series: Series, begin: int) -> np.ndarray:
    found: Outline = reader.outline(series, begin, begin + MS, MS)
    return found.begin_ns
