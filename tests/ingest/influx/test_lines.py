"""Points as line protocol: each once, under its name, at its time, with its quality."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from devices.model import Int16, Int32, Metric, Quality
from ingest.store.influx.lines import Body, bodies, settled
from ingest.store.influx.words import field, head, tag, untag
from ingest.store.points import Points
from tests.ingest.influx.reading_lines import Line, read_lines

METRICS = (Metric.CURRENT, Metric.VOLTAGE, Metric.SMOKE_ALARM, Metric.TEMPERATURE_AMBIENT)
CHANNELS = ("", "l1", "ch 2")
DEVICES = ("own:a", "own:b,c=d e", "zigbee:back\\slash\\")
LATE = int(Quality.LATE)


class Town:
    """Twelve series a device: four metrics on three channels. Slots count from 1, in that order."""

    def __init__(self) -> None:
        points = [(device, channel) for device in DEVICES for channel in CHANNELS]
        self.names = [(*point, metric) for point in points for metric in METRICS]
        self._heads = np.full(len(points) + 1, b"", np.object_)
        self._heads[1:] = [head("electrical", *point) for point in points]

    def rows(self, slots: Int32) -> Int32:
        found: Int32 = ((slots - 1) // len(METRICS) + 1).astype(np.int32)
        return found

    def metrics(self, slots: Int32) -> Int16:
        found: Int16 = np.array([self.names[slot - 1][2] for slot in slots.tolist()], np.int16)
        return found

    @property
    def heads(self) -> NDArray[np.object_]:
        return self._heads


TOWN = Town()
SERIES = len(TOWN.names)


def points(*rows: tuple[int, int, float, int]) -> Points:
    slot, ts_ns, value, quality = zip(*rows, strict=True)
    return Points(
        np.array(slot, np.int32), np.array(ts_ns, np.int64), np.array(value), np.array(quality, np.uint32)
    )


def lines(made: list[Body]) -> list[Line]:
    return [line for body in made for line in read_lines(body.lines)]


ROWS = st.lists(
    st.tuples(
        st.integers(1, SERIES),
        st.integers(0, 20).map(lambda n: 1_700_000_000_000_000_000 + n),
        st.floats(width=64) | st.sampled_from([0.0, 1.0, 230.5, math.nan]),
        st.sampled_from([0, int(Quality.SENTINEL), int(Quality.TZ_ASSUMED), 2**31]),
    ),
    min_size=1,
    max_size=60,
    unique_by=lambda row: row[:2],
)


@given(ROWS, st.integers(1, 30), st.integers(1, 70))
def test_what_is_written_is_what_was_given(
    rows: list[tuple[int, int, float, int]], most: int, slice_points: int
) -> None:
    made = list(bodies(points(*rows), TOWN, most, slice_points))
    assert sum(body.points for body in made) == len(rows)
    found: dict[tuple[str, str, str, int], float | int] = {}
    for line in lines(made):
        assert line.measurement == "electrical"
        of = untag(line.tags["device"]), untag(line.tags.get("channel", ""))
        for name, value in line.fields.items():
            key = (*of, name, line.ts_ns)
            assert key not in found
            found[key] = value
    assert found == expected(rows)


def expected(rows: list[tuple[int, int, float, int]]) -> dict[tuple[str, str, str, int], float | int]:
    """Quality is said where there is some, and in place of what is no number."""
    wanted: dict[tuple[str, str, str, int], float | int] = {}
    for slot, ts_ns, value, quality in rows:
        device, channel, metric = TOWN.names[slot - 1]
        name = metric.name_on_wire.replace(".", "_")
        if math.isfinite(value):
            wanted[device, channel, name, ts_ns] = value
        if quality or not math.isfinite(value):
            wanted[device, channel, f"{name}_quality", ts_ns] = quality
    return wanted


def test_the_readings_of_a_message_share_a_line() -> None:
    made = list(bodies(points((1, 10, 1.5, 0), (2, 10, 230.0, 0), (3, 10, 1.0, 0), (5, 10, 2.0, 0)), TOWN))
    assert made == [
        Body(
            b"electrical,device=own:a current=1.5,voltage=230.0,smoke_alarm=1.0 10\n"
            b"electrical,channel=l1,device=own:a current=2.0 10\n",
            4,
        )
    ]


def test_a_body_is_cut_between_lines_only() -> None:
    made = list(bodies(points(*[(slot, 10, 1.0, 0) for slot in range(1, 9)]), TOWN, 3))
    assert [body.points for body in made] == [4, 4]
    assert all(read_lines(body.lines) for body in made)


def test_nothing_makes_no_body() -> None:
    assert list(bodies(Points.empty(), TOWN)) == []


def test_a_late_reading_does_not_replace_the_one_that_was_there() -> None:
    """Both were observed in one microsecond, and the later came after others."""
    both = points((1, 5_000, 1.0, 0), (1, 5_000, 2.0, LATE))
    first, late = settled(both).tolist()
    assert first == 5_000
    assert 5_000 < late < 6_000


@given(st.integers(0, 10**12), st.floats(allow_nan=False))
def test_a_late_reading_is_at_the_same_place_whenever_it_is_written(at_us: int, value: float) -> None:
    alone = settled(points((1, at_us * 1000, value, LATE)))[0]
    beside = settled(points((2, 7, 0.0, 0), (1, at_us * 1000, value, LATE)))[1]
    assert alone == beside
    assert alone // 1000 == at_us


@given(st.text(max_size=40))
def test_a_tag_says_whatever_a_device_calls_itself(text: str) -> None:
    text = text.encode(errors="replace").decode()
    if not text:
        return
    line = b"m,device=" + tag(text) + b" f=1 1\n"
    assert b"\n" not in line[:-1]
    assert not tag(text).endswith(b"\\")
    assert untag(read_lines(line)[0].tags["device"]) == text


@pytest.mark.parametrize("metric", list(Metric))
def test_a_field_needs_no_quotes_and_names_one_metric(metric: Metric) -> None:
    assert field(metric).decode().isidentifier()
    assert not field(metric).endswith(b"_quality")
    assert [one for one in Metric if field(one) == field(metric)] == [metric]


def test_a_metric_of_a_newer_release_is_written_by_its_number() -> None:
    """It must not hold up what comes behind it in the journal."""

    class Newer(Town):
        def metrics(self, slots: Int32) -> Int16:
            found = super().metrics(slots)
            found[slots == 1] = 999
            return found

    made = lines(list(bodies(points((1, 17, 1.5, 0), (2, 18, 2.5, 8)), Newer())))
    assert [one.fields for one in made] == [{"metric_999": 1.5}, {"voltage": 2.5, "voltage_quality": 8}]
