"""Recordings as files: both forms, packed or not, and every wrong line by its place."""

from __future__ import annotations

import gzip
import json
import math
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import Metric, Quality
from gengfu.replay.reading import LONGEST_LINE, RecordingError, instant_us
from gengfu.replay.recorded import Book, Recorded, Recording
from tests.gengfu.replay.files import HEAD, clock, written

EIGHT_US = 1_772_352_000_000_000


def read(path: Path, book: Book | None = None) -> Recorded:
    """The whole file."""
    parts = list(Recording(path, book or Book(), UTC))
    return Recorded(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def lines(path: Path, *texts: str, head: str = HEAD) -> Recorded:
    return read(written(path / "r.csv", texts, head))


def flags(found: Recorded) -> list[Quality]:
    return [Quality(one) for one in found.quality.tolist()]


def test_csv_json_lines_and_packed_files_are_the_same(tmp_path: Path) -> None:
    rows = [["own:a", "l1", "current", clock(n), 1.5 * n] for n in range(5)]
    plain = written(tmp_path / "r.csv", [",".join(map(str, row)) for row in rows])
    packed = tmp_path / "r.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    names = HEAD.split(",")
    objects = tmp_path / "r.jsonl"
    objects.write_text("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows))
    first = read(plain)
    assert first.value.tolist() == [0, 1.5, 3, 4.5, 6]
    assert first.observed_us.tolist() == [EIGHT_US + n * 1_000_000 for n in range(5)]
    for other in (packed, objects):
        assert [column.tolist() for column in first] == [column.tolist() for column in read(other)]


def test_columns_may_stand_in_any_order_and_the_file_may_begin_with_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(f"\ufeffvalue,metric,device,observed_at,channel\n5,humidity,a,{clock(0)},\n", "utf-8")
    assert read(path).value.tolist() == [5]


def test_what_decode_prints_can_be_replayed(tmp_path: Path) -> None:
    book = Book()
    path = tmp_path / "r.jsonl"
    line = {
        "device": "d", "metric": "smoke.density", "channel": "", "value": 7, "unit": "ppm",
        "observed_at": clock(0), "quality": ["suspect"],
    }  # fmt: skip
    device = {**line, "metric": "temperature", "role": "device", "unit": "degC", "quality": []}
    path.write_text("\n".join(map(json.dumps, (line, device))))
    assert flags(read(path, book)) == [Quality.SUSPECT, Quality(0)]
    assert book.table().metric.tolist() == [0, Metric.SMOKE_DENSITY_PPM, Metric.TEMPERATURE_DEVICE]


def test_nothing_is_a_broken_value_and_true_is_one(tmp_path: Path) -> None:
    found = lines(tmp_path, f"a,,smoke.alarm,{clock(0)},", f"a,,smoke.alarm,{clock(1)},true")
    assert math.isnan(found.value[0]) and found.value[1] == 1
    assert flags(found) == [Quality.FAULT, Quality(0)]


def test_a_hard_quality_takes_the_value_away(tmp_path: Path) -> None:
    head = f"{HEAD},quality"
    row = f"a,,current,{clock(0)},7,sentinel|queued"
    found = lines(tmp_path, row, head=head)
    assert math.isnan(found.value[0]) and flags(found) == [Quality.SENTINEL | Quality.QUEUED]


def test_what_stands_before_a_line_above_it_is_late_and_what_stands_twice_is_a_duplicate(
    tmp_path: Path,
) -> None:
    rows = [f"a,,current,{clock(at)},{value}" for at, value in ((10, 1), (5, 1), (10, 1), (10, 2), (11, 2))]
    found = lines(tmp_path, *rows)
    assert flags(found) == [Quality(0), Quality.LATE, Quality.DUPLICATE, Quality(0), Quality(0)]
    assert found.nudge_ns.tolist() == [0, 0, 1, 2, 0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a,,current,yesterday,1", "line 3, column `observed_at`: `yesterday` is no time"),
        ("a,,current,2026-03-01T08:00:00Z,much", "line 3, column `value`: `much` is no value"),
        ("a,,current,2026-03-01T08:00:00Z,inf", "line 3, column `value`: `inf` is no value"),
        (
            "a,,amps,2026-03-01T08:00:00Z,1",
            "line 3, column `metric`: `amps` is unknown; allowed: smoke.alarm",
        ),
        (",,current,2026-03-01T08:00:00Z,1", "line 3, column `device`: a text is needed"),
        ("a,,current,2026-03-01T08:00:00Z", "line 3: 4 cells; the first line names 5 columns"),
        ('a,,current,2026-03-01T08:00:00Z,"1', "not CSV"),
        ("a,,current,2026-02-01T08:00:00Z,1", "line 3, column `observed_at`: more than 7 days before a line"),
    ],
)
def test_a_wrong_line_is_refused_with_its_place(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(RecordingError) as refused:
        lines(tmp_path, f"a,,current,{clock(0)},1", line)
    assert said in str(refused.value) and "r.csv" in str(refused.value)


def test_blank_lines_and_lines_in_quotes_are_counted(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="line 6, column `value`"):
        lines(tmp_path, "", f'"a\nb",,current,{clock(0)},1', "", f"a,,current,{clock(1)},x")


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("device,channel,metric,observed_at", "line 1, column `value`: is missing"),
        (f"{HEAD},colour", "line 1, column `colour`: is unknown; allowed:"),
        (f"{HEAD},value", "line 1: a column is named twice"),
    ],
)
def test_wrong_columns_are_refused_by_name(tmp_path: Path, head: str, said: str) -> None:
    with pytest.raises(RecordingError) as refused:
        lines(tmp_path, "a,,current,0,1", head=head)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "line 1, column `device`: is missing"),
        (
            '{"device": 5, "channel": "", "metric": "current", "observed_at": 0, "value": 1}',
            "a text is needed",
        ),
        ('{"device": [], "channel": "", "metric": "current", "observed_at": 0, "value": 1}', "are texts"),
        ("{\n}", "line 1: not a JSON object"),
        ('{"device": "a"} x', "not a JSON object"),
        ("[1]\n", "column `device`: is missing"),
    ],
)
def test_wrong_objects_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(text)
    with pytest.raises(RecordingError) as refused:
        read(path)
    assert said in str(refused.value)


@given(st.binary(max_size=300))
def test_whatever_bytes_come_it_is_readings_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, octets: bytes
) -> None:
    for name in ("r.csv", "r.csv.gz"):
        path = tmp_path_factory.mktemp("bytes") / name
        path.write_bytes(octets)
        try:
            list(Recording(path, Book(), UTC))
        except RecordingError as refused:
            assert name in str(refused)


def test_a_file_that_is_not_there_cut_or_of_one_endless_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        read(tmp_path / "none.csv")
    packed = tmp_path / "cut.csv.gz"
    packed.write_bytes(gzip.compress(HEAD.encode() * 1000)[:-20])
    with pytest.raises(RecordingError, match="not a whole gzip file"):
        read(packed)
    (tmp_path / "long.csv").write_text("a" * (LONGEST_LINE + 1))
    with pytest.raises(RecordingError, match="line 1: longer than"):
        read(tmp_path / "long.csv")


def test_an_empty_file_is_no_readings(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("")
    assert list(Recording(tmp_path / "r.csv", Book(), UTC)) == []


def test_a_time_without_an_offset_is_the_sites_and_a_number_is_seconds() -> None:
    assert instant_us("2026-03-01T08:00:00.25", ZoneInfo("Asia/Shanghai")) == EIGHT_US - 28_799_750_000
    assert instant_us("1772352000.5", UTC) == instant_us(1772352000.5, UTC) == EIGHT_US + 500_000
    refused: list[object] = ["nan", "-1", "1e300", "noon", None, [], {}]
    for wrong in refused:
        with pytest.raises(ValueError, match="is no time"):
            instant_us(wrong, UTC)
