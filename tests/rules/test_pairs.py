"""The pair table: several rules a metric, growth, and what keeps its state."""

from __future__ import annotations

import numpy as np
import pytest

from devices.model import Metric, SeriesTable
from rules.pairs import Pairs

BLANK: dict[str, np.generic] = {"mark": np.uint8(0)}


def table(metric: list[int], device: list[int] | None = None) -> SeriesTable:
    n = len(metric)
    return SeriesTable.plain(
        generation=1,
        metric=np.array(metric, np.int16),
        device=np.array(device or range(n), np.int32),
        dwelling=np.zeros(n, np.int32),
        reference_a=np.full(n, np.nan),
    )


def two_current_rules(of: SeriesTable) -> Pairs:
    return Pairs([[Metric.CURRENT], [Metric.SMOKE_ALARM], [Metric.CURRENT]], BLANK, of)


def marked(pairs: Pairs) -> list[tuple[int, int]]:
    """(slot, rule) of the pairs whose state was written."""
    found = np.flatnonzero(pairs.state["mark"][: pairs.n])
    return [(int(pairs.slot[pair]), int(pairs.rule[pair])) for pair in found]


def test_a_batch_becomes_its_pairs_in_arrival_order_and_rules_in_theirs() -> None:
    pairs = two_current_rules(table([0, 30, 1, 23, 30]))
    rows, pair = pairs.expand(np.array([4, 3, 2, 1, 4], np.int32))
    assert rows.tolist() == [0, 0, 2, 3, 3, 4, 4]
    assert pairs.slot[pair].tolist() == [4, 4, 2, 1, 1, 4, 4]
    assert pairs.rule[pair].tolist() == [0, 2, 1, 0, 2, 0, 2]


def test_one_rule_a_metric_takes_the_short_way_to_the_same() -> None:
    pairs = Pairs([[Metric.CURRENT]], BLANK, table([0, 30, 1, 30]))
    rows, pair = pairs.expand(np.array([3, 2, 1, 3], np.int32))
    assert rows.tolist() == [0, 2, 3]
    assert pairs.slot[pair].tolist() == [3, 1, 3]


def test_a_pair_is_found_by_slot_and_rule() -> None:
    pairs = two_current_rules(table([0, 30, 1, 30]))
    assert pairs.slot[pairs.find(3, 2)] == 3
    assert pairs.rule[pairs.find(3, 2)] == 2
    assert [pairs.find(slot, rule) for slot, rule in [(1, 1), (2, 0), (0, 0), (9, 0), (-1, 0)]] == [-1] * 5


def test_growing_slot_by_slot_keeps_state_and_gives_what_building_at_once_gives() -> None:
    metric = [0, 30, 1, 30, 23, 1, 30, 30, 0, 30]
    pairs = two_current_rules(table(metric[:2]))
    pairs.state["mark"][pairs.find(1, 2)] = 1
    for n in range(3, len(metric) + 1):
        pairs.adopt(table(metric[:n]))
    whole = two_current_rules(table(metric))
    assert marked(pairs) == [(1, 2)]
    assert pairs.slot[: pairs.n].tolist() == whole.slot[: whole.n].tolist()
    assert pairs.rule[: pairs.n].tolist() == whole.rule[: whole.n].tolist()


@pytest.mark.parametrize(
    ("metric", "device"),
    [
        ([0, 30, 1, 30], [0, 1, 2, 9]),
        ([0, 30, 1, 0], None),
        ([0, 30, 1, 23], None),
        ([0, 30, 1], None),
        ([0, 30, 1, 30, 30], [0, 1, 2, 0, 4]),
    ],
)
def test_a_slot_that_lost_its_device_or_metric_starts_blank(
    metric: list[int], device: list[int] | None
) -> None:
    pairs = two_current_rules(table([0, 30, 1, 30]))
    pairs.state["mark"][:] = 1
    pairs.adopt(table(metric, device))
    pairs.adopt(table([0, 30, 1, 30], device[:4] if device else None))
    assert marked(pairs) == [(1, 0), (1, 2), (2, 1)]


def test_a_rule_that_now_reads_another_metric_starts_blank() -> None:
    of = table([0, 30, 1])
    before = Pairs([[Metric.CURRENT]], BLANK, of)
    before.state["mark"][:] = 1
    after = Pairs([[Metric.SMOKE_ALARM]], BLANK, of)
    after.restore(before.snapshot(), np.array([0], np.int16))
    assert marked(after) == []


def test_only_readings_in_hot_company_are_kept_and_nothing_is_left_behind() -> None:
    pairs = two_current_rules(table([0, 30, 1, 30]))
    pair = np.array([0, 1, 0, 2])
    assert pairs.company(pair, np.array([False, False, True, False])).tolist() == [True, False, True, False]
    assert not pairs.company(pair, np.zeros(4, np.bool_)).any()


def test_what_is_heard_has_its_first_pair_and_each_of_its_pairs() -> None:
    pairs = two_current_rules(table([0, 30, 1, 23, 30]))
    slots = np.array([4, 2, 1, 4])
    rows, first = pairs.heard(np.arange(4), slots)
    assert rows.tolist() == [0, 1, 2, 3]
    every_row, pair = pairs.each(rows, first)
    assert every_row.tolist() == [0, 0, 1, 2, 2, 3, 3]
    assert pairs.slot[pair].tolist() == [4, 4, 2, 1, 1, 4, 4]
    assert pairs.rule[pair].tolist() == [0, 2, 1, 0, 2, 0, 2]


def test_what_was_forgotten_is_not_heard_until_it_is_somebody_s_again() -> None:
    of = table([0, 30, 30])
    pairs = two_current_rules(of)
    pairs.forget(np.array([1], np.int32))
    assert pairs.heard(np.arange(2), np.array([1, 2]))[0].tolist() == [1]
    pairs.adopt(of, np.array([1], np.int32))
    rows, first = pairs.heard(np.arange(2), np.array([1, 2]))
    assert rows.tolist() == [0, 1]
    assert pairs.slot[first].tolist() == [1, 2]


def test_facts_by_slot_begin_blank_and_stay_when_slots_come() -> None:
    pairs = Pairs([[Metric.CURRENT]], BLANK, table([0, 30]), of_slot={"lowest": np.float64(np.inf)})
    pairs.of_slot["lowest"][1] = 5.0
    pairs.adopt(table([0, 30, 30, 30]), np.empty(0, np.int32))
    assert pairs.of_slot["lowest"].tolist() == [np.inf, 5.0, np.inf, np.inf]
