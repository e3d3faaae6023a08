"""Who may take up time in a tick."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.turns import Turns


@given(st.integers(1, 9), st.integers(0, 40), st.integers(0, 3))
def test_everybody_in_ticks_of_one_length_has_a_turn_soon_and_no_tick_has_too_many(
    most: int, length: int, ticks_before: int
) -> None:
    turns = Turns(most)
    for _ in range(ticks_before):
        turns.start_tick()
    had: set[int] = set()
    for _ in range(length // most + 2):
        turns.start_tick()
        mine = [place for place in range(length) if turns.mine()]
        assert len(mine) <= most
        had.update(mine)
    assert had == set(range(length))


def test_where_there_are_few_all_have_a_turn_at_once() -> None:
    turns = Turns(3)
    turns.start_tick()
    assert [turns.mine() for _ in range(5)] == [True, True, True, False, False]
