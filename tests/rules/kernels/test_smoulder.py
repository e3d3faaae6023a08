"""S8: a channel that rises above its own baseline; what it learns, and what it never learns."""

from __future__ import annotations

import io
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import HARD_QUALITY, Metric, Quality, ReadingBatch, SeriesTable, Severity
from rules.catalogue import Catalogue, CatalogueError, parse_catalogue
from rules.engine import Engine
from rules.transition import To
from tests.rules.story import Story, shipped, us

RAW, PERCENT, DBM = 1, 2, 3
UNSEEN = [*HARD_QUALITY, Quality.LATE, Quality.RETAINED, Quality.REPLAYED, Quality.BACKFILL]
UNSEEN += [Quality.DUPLICATE, Quality.STALE]
USUAL = 200.0
RAISE = USUAL + 6 * 2.0
TEXT = """version = 1
[[rule]]
name = "S8"
kernel = "smoulder"
metric = "smoke.density"
severity = "P1"
raise = "6"
hold = "0 s"
samples = "2 of 3"
clear = "3"
clear_hold = "5 min"
max_gap = "15 min"
noise_share = "1 %"
noise = { "smoke.density" = "1 raw" }
memory = "2 h"
least = 5
warm_up = "20 s"
title = { en = "Rising", zh-CN = "升高" }
[rule.source]
raise = "s"
hold = "s"
samples = "s"
clear = "s"
clear_hold = "s"
max_gap = "s"
noise_share = "s"
noise = "s"
memory = "s"
least = "s"
warm_up = "s"
"""


def alone(name: str) -> Catalogue:
    """One rule of those that are shipped."""
    return Catalogue(version=1, rule=tuple(rule for rule in shipped().rule if rule.name == name))


def heads() -> SeriesTable:
    metric = [0, Metric.SMOKE_DENSITY, Metric.SMOKE_DENSITY_PCT, Metric.SMOKE_DENSITY_DBM]
    n = len(metric)
    return SeriesTable.plain(
        1, np.array(metric, np.int16), np.arange(n, dtype=np.int32), np.zeros(n, np.int32), np.full(n, np.nan)
    )


def quiet(until_s: int = 60, slot: int = RAW, value: float = USUAL) -> Story:
    """A head that has said the same every 2 s."""
    story = Story(alone("S8"), heads())
    assert story.series(slot, 0, until_s, 2, value) == []
    return story


def smoking() -> Story:
    story = quiet()
    assert len(story.series(RAW, 62, 64, 2, 260)) == 1
    return story


def test_two_readings_far_above_the_baseline_raise_and_say_the_numbers() -> None:
    story = quiet()
    assert story.read(RAW, 62, 213) == []
    (raised,) = story.read(RAW, 64, 213)
    assert (raised.rule, raised.to, raised.severity, raised.slot) == ("S8", To.RAISED, Severity.P1, RAW)
    assert raised.why.en == (
        "smoke density 213 raw, usual 200 raw: 6.5 times its noise of 2.00 raw above (≥ 6) for 2 s"
    )
    assert (
        raised.why.zh_cn == "烟雾浓度 213 raw，平时 200 raw：高出其噪声 2.00 raw 的 6.5 倍（≥ 6），持续 2 秒"
    )


def test_exactly_the_level_raises_and_just_below_it_never_does() -> None:
    assert len(quiet().series(RAW, 62, 64, 2, RAISE)) == 1
    assert quiet().series(RAW, 62, 64, 2, np.nextafter(RAISE, 0)) == []


def test_one_odd_reading_raises_nothing() -> None:
    story = quiet()
    story.read(RAW, 62, 4000)
    assert story.series(RAW, 64, 600, 2, USUAL) == []


def test_two_of_three_are_enough() -> None:
    story = quiet()
    assert story.read(RAW, 62, 260) + story.read(RAW, 64, USUAL) == []
    assert len(story.read(RAW, 66, 260)) == 1


def test_a_gap_longer_than_the_longest_allowed_lets_the_first_of_two_go() -> None:
    story = quiet()
    story.read(RAW, 62, 260)
    assert story.read(RAW, 62 + 2701, 260) == []


def test_what_was_heard_for_too_short_or_too_seldom_is_no_baseline() -> None:
    story = Story(alone("S8"), heads())
    story.series(RAW, 0, 18, 2, USUAL)
    assert story.read(RAW, 19, 9000) + story.read(RAW, 19.9, 9000) == []
    story = Story(alone("S8"), heads())
    story.series(RAW, 0, 180, 60, USUAL)
    assert story.read(RAW, 240, 9000) == []


def test_a_reading_every_half_minute_is_enough_to_know_the_baseline() -> None:
    story = Story(alone("S8"), heads())
    assert story.series(RAW, 0, 1800, 30, USUAL) == []
    assert len(story.series(RAW, 1830, 1860, 30, 260)) == 1


def test_a_noisy_channel_needs_a_higher_rise_than_a_quiet_one() -> None:
    story = Story(alone("S8"), heads())
    for n in range(100):
        assert story.read(RAW, 2 * n, USUAL + (20 if n % 2 else -20)) == []
    assert story.series(RAW, 200, 210, 2, USUAL + 100) == []
    assert len(story.series(RAW, 220, 230, 2, USUAL + 500)) == 1


def test_a_channel_at_nothing_is_not_alarmed_by_its_smallest_step() -> None:
    story = quiet(value=0, slot=PERCENT)
    assert story.series(PERCENT, 62, 100, 2, 5) == []
    story = quiet(value=0, slot=DBM)
    assert len(story.series(DBM, 62, 64, 2, 0.06)) == 1


def test_a_slow_drift_over_days_becomes_usual() -> None:
    story = quiet()
    for n in range(2880):
        assert story.read(RAW, 90 + 60 * n, USUAL + 0.05 * n) == []


def test_a_fire_that_smoulders_for_an_hour_does_not() -> None:
    story = quiet(3600)
    raised = [story.read(RAW, 3600 + 2 * n, USUAL + n / 30) for n in range(1800)]
    assert sum(map(len, raised)) == 1


def test_one_odd_low_reading_makes_a_channel_no_less_watchful() -> None:
    story = quiet()
    assert story.read(RAW, 7260, 0) == []
    assert len(story.series(RAW, 7262, 7264, 2, 214)) == 1


def test_one_reading_after_a_long_silence_is_not_all_that_is_known() -> None:
    story = quiet()
    assert story.read(RAW, 36_060, 210) == []
    assert len(story.series(RAW, 36_062, 36_064, 2, 214)) == 1


def test_a_channel_that_falls_raises_nothing() -> None:
    assert quiet().series(RAW, 62, 3600, 2, 20) == []


def test_smoke_does_not_become_usual_while_the_alarm_is_active() -> None:
    story = smoking()
    assert story.series(RAW, 66, 86_400, 60, 260) == []
    assert story.series(RAW, 86_460, 86_760, 60, USUAL)[-1].to is To.CLEARED


def test_five_minutes_below_half_the_level_clear() -> None:
    story = smoking()
    assert story.series(RAW, 66, 360, 6, USUAL + 6) == []
    assert story.series(RAW, 366, 660, 6, USUAL + 5.9) == []
    (cleared,) = story.read(RAW, 666, USUAL + 5.9)
    assert (cleared.to, cleared.rule) == (To.CLEARED, "S8")
    assert cleared.why.en.endswith("3.0 times its noise of 2.00 raw above (< 3) for 5 min")


@pytest.mark.parametrize("act", ["reset", "close"])
def test_a_person_who_ends_it_has_the_baseline_learnt_anew(act: str) -> None:
    story = smoking()
    acts = {"reset": story.reset, "close": story.close}
    (cleared,) = acts[act]("S8", 66, RAW)
    assert cleared.to is To.CLEARED
    assert story.series(RAW, 68, 600, 2, 260) == []
    assert len(story.series(RAW, 602, 604, 2, 300)) == 1


@pytest.mark.parametrize("flag", UNSEEN)
def test_readings_that_do_not_count_neither_raise_nor_teach_nor_break(flag: Quality) -> None:
    story = quiet()
    assert story.read(RAW, 61, 4000, flag) + story.read(RAW, 61.5, 4000, flag) == []
    story.read(RAW, 62, 213)
    assert story.read(RAW, 63, 0, flag) == []
    (raised,) = story.read(RAW, 64, 213)
    assert "6.5 times" in raised.why.en


def test_nan_is_nothing_and_a_queued_reading_starts_the_count_again() -> None:
    story = quiet()
    story.read(RAW, 62, 260)
    assert story.read(RAW, 63, math.nan) == []
    assert story.read(RAW, 64, 260, Quality.QUEUED) == []
    assert story.read(RAW, 66, 260) == []
    assert len(story.read(RAW, 68, 260)) == 1


def test_numbers_beyond_all_measure_are_values_and_no_errors() -> None:
    story = Story(alone("S8"), heads())
    for n, value in enumerate([1e308, -1e308, 1e308, 0.0, 5e-324, -1e308, 1e308] * 5):
        story.read(RAW, 10 * n, value)


@settings(max_examples=40, deadline=None)
@given(
    readings=st.lists(
        st.tuples(st.sampled_from([RAW, PERCENT]), st.floats(0, 400), st.integers(1, 40)), max_size=60
    ),
    cuts=st.lists(st.integers(0, 60), max_size=6),
    stop=st.integers(0, 60),
)
def test_how_the_stream_is_cut_and_where_it_is_restored_changes_nothing(
    readings: list[tuple[int, float, int]], cuts: list[int], stop: int
) -> None:
    batch = stream(readings)
    whole = [*Engine(alone("S8"), heads()).evaluate(batch, [], batch.received_us)]
    engine, parts = Engine(alone("S8"), heads()), []
    edges = sorted({0, len(batch), stop, *cuts} & set(range(len(batch) + 1)))
    for start, end in pairwise(edges):
        if start == stop:
            engine = restored(engine, Engine(alone("S8"), heads()))
        parts += engine.evaluate(part(batch, start, end), [], batch.received_us)
    assert parts == whole


def stream(readings: list[tuple[int, float, int]]) -> ReadingBatch:
    """Readings so many seconds after each other, all received at the end."""
    after = np.cumsum([0, *(gap for *_, gap in readings)])[1:] * 1_000_000
    n = len(readings)
    return ReadingBatch(
        us(2400),
        np.array([slot for slot, *_ in readings], np.int32),
        us(0) + after.astype(np.int64),
        np.zeros(n, np.uint16),
        np.array([value for _, value, _ in readings], np.float64),
        np.zeros(n, np.uint32),
    )


def part(batch: ReadingBatch, start: int, end: int) -> ReadingBatch:
    chosen = slice(start, end)
    return ReadingBatch(
        batch.received_us,
        batch.slot[chosen],
        batch.observed_us[chosen],
        batch.nudge_ns[chosen],
        batch.value[chosen],
        batch.quality[chosen],
    )


def restored(engine: Engine, other: Engine) -> Engine:
    """The engine after a restart: its state through a file into a new one."""
    file = io.BytesIO()
    np.savez(file, **engine.snapshot())  # type: ignore[arg-type]
    file.seek(0)
    with np.load(file, allow_pickle=False) as state:
        other.restore(dict(state))
    return other


def test_its_own_entry_is_one() -> None:
    assert isinstance(parse_catalogue(TEXT, "s8.toml"), Catalogue)


@pytest.mark.parametrize(
    ("was", "given_", "said"),
    [
        ('raise = "6"', 'raise = "6 raw"', "key `raise`: unit `raw` does not fit"),
        ('raise = "6"', 'raise = "2"', "key `raise`: is below `clear`"),
        ('memory = "2 h"', 'memory = "0 s"', "key `memory`: a time above 0 s is allowed"),
        ('noise_share = "1 %"', 'noise_share = "101 %"', "key `noise_share`: from 0 % to 100 % is allowed"),
        ('noise_share = "1 %"', 'noise_share = "1"', "key `noise_share`: unit `` does not fit"),
        ('"smoke.density" = "1 raw"', '"smoke.density" = "1 %"', "key `noise`: unit `%` does not fit"),
        ('"smoke.density" = "1 raw"', '"smoke.density" = "0 raw"', "must be above 0"),
        ('"smoke.density" = "1 raw"', '"smoke" = "1 raw"', "key `noise`: nothing said about `smoke.density`"),
        ("least = 5", "least = 1", "key `least`:"),
        ('clear = "3"', 'clear = "9"\nbelow = true', "key `below`: smoke is a rise"),
        ('noise = "s"\n', "", "nothing said about noise"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_with_its_key(was: str, given_: str, said: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        parse_catalogue(TEXT.replace(was, given_), "s8.toml")
    assert said in str(refused.value) and "s8.toml, line" in str(refused.value)
