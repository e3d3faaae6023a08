"""Holds: each flag counts as false once, when it is due, and no sooner than its newest word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.profile import Note
from ingest.holds import Holds, forgotten
from ingest.notes import HOLDS, OURS


def test_a_flag_is_due_at_its_time_and_only_once() -> None:
    holds = Holds()
    assert holds.put(7, 100) == Note(OURS, HOLDS, "7", "100")
    assert not holds.has_due(99)
    assert holds.take(99) == []
    assert holds.has_due(100)
    assert holds.take(100) == [(7, 100)]
    assert holds.take(1 << 60) == []
    assert len(holds) == 0


def test_a_new_true_moves_it_and_nothing_is_noted_where_nothing_moves() -> None:
    holds = Holds()
    holds.put(7, 100)
    assert holds.put(7, 100) is None
    assert holds.put(7, 250) == Note(OURS, HOLDS, "7", "250")
    assert not holds.has_due(100)
    assert holds.next_us == 250
    assert holds.take(250) == [(7, 250)]


def test_there_is_room_for_so_many_and_what_is_there_stays() -> None:
    holds = Holds(most=2)
    assert holds.put(1, 10)
    assert holds.put(2, 20)
    assert holds.put(3, 5) is None
    assert holds.put(1, 30)
    assert holds.refused == 1
    assert holds.take(100) == [(2, 20), (1, 30)]


def test_a_series_that_is_gone_waits_no_more_and_says_so() -> None:
    holds = Holds()
    holds.put(1, 10)
    holds.put(2, 20)
    holds.forget([1, 9])
    assert holds.take_notes() == [Note(OURS, HOLDS, "1", "")]
    assert holds.take_notes() == []
    assert holds.take(100) == [(2, 20)]


def test_a_flag_whose_waiting_is_ended_never_counts_as_false_and_can_wait_again() -> None:
    holds = Holds()
    holds.put(1, 10)
    holds.put(2, 20)
    assert sorted(holds.slots.tolist()) == [1, 2]
    assert holds.end(1) == Note(OURS, HOLDS, "1", "")
    assert holds.end(1) is None
    assert holds.slots.tolist() == [2]
    assert holds.put(1, 10)
    assert holds.end(1)
    assert holds.put(1, 30)
    assert holds.take(100) == [(2, 20), (1, 30)]
    assert holds.take(100) == []
    assert holds.slots.tolist() == []


def test_a_flag_that_comes_and_goes_leaves_no_queue_behind() -> None:
    holds = Holds()
    holds.put(2, 50)
    for us in range(20_000):
        holds.put(1, 1_000_000 + us)
        holds.end(1)
    assert len(holds._queue) < 2_000
    assert holds.take(1 << 60) == [(2, 50)]


def test_what_is_stored_is_taken_back_and_nonsense_is_passed_over() -> None:
    holds = Holds()
    nonsense = [Note("p", HOLDS, "1", "5"), Note(OURS, "other", "1", "5"), Note(OURS, HOLDS, "x", "5")]
    holds.restore([*nonsense, Note(OURS, HOLDS, "3", "40"), Note(OURS, HOLDS, "4", "-1")])
    assert holds.take(100) == [(3, 40)]


MOVES = st.lists(
    st.tuples(st.sampled_from(["put", "take", "forget", "end"]), st.integers(1, 4), st.integers(0, 50)),
    max_size=40,
)


@given(MOVES)
def test_any_order_of_words_gives_each_flag_when_it_is_due(moves: list[tuple[str, int, int]]) -> None:
    holds, expected, noted = Holds(), dict[int, int](), dict[str, str]()
    for what, slot, us in moves:
        notes: list[Note] = []
        if what == "put":
            expected[slot] = us
            notes = [one for one in [holds.put(slot, us)] if one]
        elif what in ("forget", "end"):
            expected.pop(slot, None)
            if what == "end":
                notes = [one for one in [holds.end(slot)] if one]
            else:
                holds.forget([slot])
                notes = holds.take_notes()
        else:
            due = sorted((at, one) for one, at in expected.items() if at <= us)
            assert holds.has_due(us) == bool(due)
            assert sorted((at, one) for one, at in holds.take(us)) == due
            expected = {one: at for one, at in expected.items() if at > us}
            notes = forgotten(one for _, one in due)
        assert sorted(holds.slots.tolist()) == sorted(expected)
        noted |= {note.key: note.value for note in notes}
        assert {key: int(value) for key, value in noted.items() if value} == {
            str(one): at for one, at in expected.items()
        }
