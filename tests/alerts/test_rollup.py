"""When messages wait, and what a summary says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.case import Hazard
from alerts.rollup import TOGETHER_US, WINDOW_US, Held, held_until_us, summary

NOW = 1_700_000_000_000_000
TIMES = st.lists(st.integers(NOW - WINDOW_US + 1, NOW), max_size=30)


@given(st.integers(0, 1), st.sampled_from(Hazard), TIMES, st.integers(1, 10))
def test_what_is_urgent_never_waits(rank: int, hazard: Hazard, lately: list[int], limit: int) -> None:
    assert held_until_us(rank, hazard, lately, NOW, limit) == 0


@given(st.integers(2, 4), TIMES, st.integers(1, 10))
def test_no_minute_has_more_than_its_number(rank: int, lately: list[int], limit: int) -> None:
    until_us = held_until_us(rank, Hazard.ELECTRICAL, lately, NOW, limit)
    if until_us == 0:
        assert len(lately) < limit
    else:
        assert NOW < until_us <= NOW + WINDOW_US
        assert sum(at_us > until_us - WINDOW_US for at_us in lately) < limit


def test_faults_wait_for_others_of_their_kind() -> None:
    assert held_until_us(2, Hazard.FAULT, [], NOW, 6) == NOW + TOGETHER_US
    assert held_until_us(2, Hazard.ELECTRICAL, [], NOW, 6) == 0
    assert held_until_us(2, Hazard.SYSTEM, [], NOW, 6) == 0


def test_a_summary_counts_and_names_the_most_frequent_first() -> None:
    held = [Held("3号楼", "楼栋断电")] * 2 + [Held("4号楼", "电路过载")] * 12
    assert summary(held, "02:14", "zh-CN") == (
        "【汇总】02:14起14处报警：4号楼电路过载12处；3号楼楼栋断电2处。请查看处理。"
    )


def test_of_many_kinds_it_says_how_many_more_there_are() -> None:
    held = [Held(f"Building {n}", "building dark") for n in range(50)]
    text = summary(held, "02:14", "en")
    assert text.startswith("SUMMARY: 50 alarms since 02:14: Building 0 building dark; ")
    assert "; 47 more." in text
    assert len(summary(held, "11-22 02:14", "zh-CN")) <= 134  # two UCS-2 segments
