"""The process dies at every step of a tick and of its recovery; the books equal those of one that lived."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.crash.accounts import Books, books
from tests.crash.composed import House, equal, house
from tests.crash.scripted import Group
from tests.crash.streams import every_kind, groups, points_of
from tests.ingest.fuse import Fuse, Killed

STEPS = (
    "poll.before", "poll.after",
    "append.before", "append.torn", "append.unsynced", "append.after",
    "evaluate.before", "evaluate.after", "commit.before", "commit.after",
    "acknowledge.before", "acknowledge.half", "acknowledge.after",
    "snapshot.before", "snapshot.half", "snapshot.after", "trim.before", "trim.after",
    "store.before", "store.after", "restore",
)  # fmt: skip

QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""Two lives and their recovery cost half a second: shrinking a failure would take minutes."""


def undisturbed(stream: list[Group]) -> Books:
    """The books of a process that lived from the first message to the last."""
    with house(stream) as one:
        one.live(Fuse())
        return books(one)


def balances(one: House, stream: list[Group]) -> None:
    """Everything published is journalled once, stored once and raised once; nothing else is."""
    found, expected = books(one), undisturbed(stream)
    published = [each.packet_id for group in stream for each in group.messages]
    assert one.script.acknowledged == set(published)
    assert {i: n for i, n in found.journalled.items() if i} == dict.fromkeys(published, 1)
    assert found.named == points_of(stream)
    assert found.points == expected.points
    assert found.transitions == expected.transitions
    assert equal(found.state, expected.state) == []


def die(one: House, step: str, after: int) -> bool:
    """A process that dies there, if it comes by often enough; whether it did."""
    try:
        one.live(Fuse(step, after))
    except Killed:
        return True
    return False


@pytest.mark.parametrize("step", STEPS)
@settings(max_examples=2, deadline=None, phases=QUICK)
@given(groups(), st.integers(1, 8))
def test_a_death_at_any_step_leaves_the_books_as_if_nothing_had_been(
    step: str, stream: list[Group], after: int
) -> None:
    with house(stream) as one:
        die(one, step, after)
        one.live(Fuse())
        balances(one, stream)


@settings(max_examples=15, deadline=None, phases=QUICK)
@given(groups(), st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 4)), min_size=2, max_size=8))
def test_any_chain_of_deaths_also_amid_recovery_leaves_the_books_as_if_nothing_had_been(
    stream: list[Group], deaths: list[tuple[str, int]]
) -> None:
    with house(stream) as one:
        for death in deaths:
            with suppress(Killed):
                one.live(Fuse(*death))
        one.live(Fuse())
        balances(one, stream)


@settings(max_examples=3, deadline=None, phases=QUICK)
@given(groups(least=4, most=6))
def test_a_process_that_dies_at_each_record_it_replays_gets_through_in_the_end(stream: list[Group]) -> None:
    with house(stream) as one:
        for after in range(1, 40):
            if not die(one, "evaluate.after", after):
                break
        assert one.script.done
        balances(one, stream)


def test_every_step_is_one_that_a_stream_comes_by() -> None:
    """A step whose name is never passed would make its test pass for nothing."""
    missed = []
    for step in STEPS:
        with house(every_kind(groups=14)) as one:
            if step == "restore":
                die(one, "snapshot.after", 1)
            missed += [] if die(one, step, 1) else [step]
    assert not missed
