"""Rounds keep arrival order and hold each pair once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rules.rounds import rounds


def test_different_pairs_are_one_round() -> None:
    assert [turn.tolist() for turn in rounds(np.array([5, 3, 9]))] == [[0, 1, 2]]


def test_a_pair_that_comes_again_waits_for_the_next_round() -> None:
    assert [turn.tolist() for turn in rounds(np.array([5, 3, 5, 5, 3]))] == [[0, 1], [2, 4], [3]]


@given(st.lists(st.integers(0, 6)))
def test_every_reading_is_in_one_round_and_each_pair_in_arrival_order(pairs: list[int]) -> None:
    turns = rounds(np.array(pairs, np.intp))
    assert sorted(row for turn in turns for row in turn.tolist()) == list(range(len(pairs)))
    for pair in set(pairs):
        mine = [[row for row in turn.tolist() if pairs[row] == pair] for turn in turns]
        assert all(len(rows) <= 1 for rows in mine)
        assert [row for rows in mine for row in rows] == [n for n, one in enumerate(pairs) if one == pair]


@given(st.lists(st.integers(0, 30), max_size=60))
def test_every_round_has_each_pair_once_in_arrival_order_and_pairs_stay_in_theirs(pair: list[int]) -> None:
    cut = [turn.tolist() for turn in rounds(np.array(pair, np.intp))]
    assert sorted(row for turn in cut for row in turn) == list(range(len(pair)))
    assert all(turn == sorted(turn) for turn in cut)
    for n, turn in enumerate(cut):
        assert [pair[:row].count(pair[row]) for row in turn] == [n] * len(turn)
