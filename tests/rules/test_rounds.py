"""Rounds keep arrival order and hold each pair once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rules.rounds import Price, rounds, rounds_and_rest


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


PRICES = st.builds(Price, round=st.integers(0, 9), pair=st.integers(0, 9), reading=st.integers(0, 9))


@given(st.lists(st.integers(0, 6), max_size=40), PRICES)
def test_rounds_that_are_worth_it_come_first_and_the_rest_stays_in_arrival_order(
    pairs: list[int], price: Price
) -> None:
    pair = np.array(pairs, np.intp)
    turns, rest = rounds_and_rest(pair, price)
    whole = [turn.tolist() for turn in rounds(pair)]
    assert [turn.tolist() for turn in turns] == whole[: len(turns)]
    assert rest.tolist() == sorted(row for turn in whole[len(turns) :] for row in turn)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), PRICES)
def test_no_other_number_of_rounds_is_cheaper(sizes: list[int], price: Price) -> None:
    ordered = sorted(sizes, reverse=True)

    def cost(taken: int) -> float:
        left = ordered[taken:]
        return price.round * taken + price.pair * max(left, default=0) + price.reading * sum(left)

    assert cost(price.rounds(np.array(ordered))) == min(map(cost, range(len(ordered) + 1)))


def test_one_flag_that_toggles_is_no_thousand_rounds() -> None:
    turns, rest = rounds_and_rest(np.zeros(1000, np.intp), Price(150, 5, 0.5))
    assert (turns, len(rest)) == ([], 1000)
    turns, rest = rounds_and_rest(np.tile(np.arange(300), 2), Price(150, 5, 0.5))
    assert ([len(turn) for turn in turns], len(rest)) == ([300, 300], 0)


def test_what_is_left_of_two_flags_that_toggle_among_many_is_in_arrival_order() -> None:
    pair = np.concatenate((np.arange(200), [0, 0, 0, 1, 1]))
    turns, rest = rounds_and_rest(pair, Price(150, 5, 0.5))
    assert ([len(turn) for turn in turns], rest.tolist()) == ([200], [200, 201, 202, 203, 204])
