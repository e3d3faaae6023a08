"""A fire whose detector is registered elsewhere outlives restarts, other rules, and whatever comes in any
order."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import EngineInput, InputKind, ReadingBatch
from rules.catalogue import Catalogue
from rules.engine import Engine
from rules.transition import To, transition_key
from tests.rules.story import HOME, SMOKE, UPSTAIRS, Story, block, reading, us
from tests.rules.test_moved_fires import (
    ALL,
    FIRE_HERE,
    STRANGER,
    burning_stranger,
    moves,
    registered,
    told,
    with_registry,
)
from tests.rules.test_standing import nothing, without

_ENDS = (InputKind.RESET, InputKind.CLOSE)
_MET = ("S1", "S2", "S2S", "X1", "O3")
SOME = Catalogue(version=1, rule=tuple(rule for rule in ALL.rule if rule.name in _MET))
"""Smoke, what it meets, and a kind with a level: enough, and an engine of these is built in no time."""


def test_a_snapshot_between_the_registry_and_the_telling_tells_it() -> None:
    story = burning_stranger()
    moves(story, registered())
    engine = Engine(ALL, registered())
    engine.restore(story.engine.snapshot())
    assert engine.due_us == 0
    assert nothing(engine, 100) == nothing(story.engine, 100) != []


def test_a_snapshot_of_before_over_the_registry_of_now_tells_it() -> None:
    story = burning_stranger()
    engine = Engine(ALL, registered())
    engine.restore(story.engine.snapshot())
    assert told(nothing(engine, 100)) == FIRE_HERE


def test_a_snapshot_of_an_earlier_release_says_nothing_of_places_and_nothing_is_told() -> None:
    story = Story(ALL)
    story.read(SMOKE, 0, 1)
    story.read(STRANGER, 0, 1)
    state = story.engine.snapshot()
    for name in ("place", "fire_us", "evidence"):
        del state[f"flag.{name}"]
    engine = Engine(ALL, block())
    engine.restore(state)
    assert nothing(engine, 100) == []
    engine.adopt(registered(dwelling=UPSTAIRS), np.array([STRANGER], np.int32))
    assert told(nothing(engine, 110)) == [("S1", "cleared", 0, 0), ("S1", "raised", UPSTAIRS, 0)]


def test_other_rules_between_the_registry_and_the_telling_do_not_lose_it() -> None:
    story = burning_stranger()
    moves(story, registered())
    turned, cleared = story.engine.turned_to(without("G1", "Q1"), us(90))
    assert cleared == []
    assert told(nothing(turned, 100)) == FIRE_HERE


REGISTRY = st.tuples(
    st.sampled_from([SMOKE, STRANGER]), st.integers(0, 2), st.sampled_from([0, HOME, UPSTAIRS])
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.sampled_from([SMOKE, STRANGER]), st.sampled_from([0.0, 1.0, 1.0])),
        st.tuples(st.just("register"), REGISTRY),
        st.tuples(st.just("restart")),
        st.tuples(st.just("end"), st.sampled_from([SMOKE, STRANGER]), st.sampled_from(_ENDS)),
        st.tuples(st.just("wait"), st.sampled_from([1, 60, 600, 1900])),
    ),
    max_size=30,
)


@given(STEPS)
@settings(max_examples=200, deadline=None)
def test_every_fire_that_nobody_ended_stands_where_its_device_is(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    """People's view: an alarm stands in the last place where it was raised, until it is cleared."""
    table, now = block(), 0.0
    engine = Engine(SOME, table)
    stands: dict[int, int] = {}
    ended: set[int] = set()
    keys: set[str] = set()
    for what, *facts in steps:
        now += 1
        batch, inputs = ReadingBatch.empty(us(now)), []
        if what == "read":
            batch = reading(facts[0], now, facts[1])
        elif what == "register":
            slot, device, dwelling = facts[0]
            device, dwelling = 20 * device + slot if device else 0, dwelling if device else 0
            table = with_registry(table, slot, device, dwelling)
            engine.adopt(table, np.array([slot], np.int32))
        elif what == "restart":
            state, engine = engine.snapshot(), Engine(SOME, table)
            engine.restore(state)
        elif what == "end":
            inputs = [EngineInput(1, us(now), facts[1], "S1", facts[0], 0)]
            ended.add(facts[0])
        else:
            now += facts[0]
        for one in engine.evaluate(batch, inputs, us(now)):
            if one.rule != "S1":
                continue
            key = transition_key("S1", str(one.slot), one.to, one.at_us, one.nudge_ns)
            assert key not in keys, "told under a key that was told before: it would be lost"
            keys.add(key)
            if one.to is To.CLEARED:
                assert one.slot in stands
                del stands[one.slot]
            elif one.severity == "P0":
                stands[one.slot] = one.dwelling
                ended.discard(one.slot)
        active = {one.slot for one in engine.standing() if one.rule == "S1"}
        assert active == set(stands)
        for slot in active - ended:
            assert table.dwelling[slot] in (0, stands[slot])
