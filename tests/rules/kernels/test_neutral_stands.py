"""V1 on which phase: where its alarm stands when phases come, and what an earlier release left."""

from __future__ import annotations

import math

import numpy as np

from devices.model import ReadingBatch
from rules.transition import To
from tests.rules.kernels.cabinet import V1, V2, V3, cabinet, told, with_phase
from tests.rules.kernels.test_neutral import SOUND, TORN, say, v1
from tests.rules.story import Story, us


def test_an_alarm_stays_where_it_was_raised_when_a_first_phase_comes_and_clears_by_its_numbers() -> None:
    story = told("V1", table=with_phase(cabinet(), V1, 0))
    say(story, 0, (math.nan, 259.0, 181.0))
    assert [one.slot for one in say(story, 2, (math.nan, 259.0, 181.0))] == [V2]
    story.engine.adopt(cabinet(), np.array([V1], np.int32))
    assert say(story, 10, SOUND) == []
    assert [(one.slot, one.to) for one in say(story, 71, SOUND)] == [(V2, To.CLEARED)]
    say(story, 80, TORN)
    assert [(one.slot, one.to) for one in say(story, 85, TORN)] == [(V1, To.RAISED)], (
        "the next is the first's"
    )


def test_a_person_ends_what_stood_elsewhere_and_the_next_stands_on_the_first_phase() -> None:
    story = told("V1", table=with_phase(cabinet(), V1, 0))
    say(story, 0, (math.nan, 259.0, 181.0))
    say(story, 2, (math.nan, 259.0, 181.0))
    story.engine.adopt(cabinet())
    assert story.reset("V1", 6, V1) == []
    assert [one.slot for one in story.reset("V1", 6, V2)] == [V2]
    say(story, 10, TORN)
    assert [one.slot for one in say(story, 15, TORN)] == [V1]


def earlier(*slots: int) -> Story:
    """As an earlier release left it: alarms are active on phases that are not the first."""
    story = v1()
    state = story.engine.snapshot()
    state["neutral.status"][np.isin(state["neutral.slot"], slots)] = 1
    story.engine.restore(state)
    return story


def test_alarms_of_a_snapshot_that_stand_on_other_phases_clear_one_after_another() -> None:
    story = earlier(V2, V3)
    found = [(at, one.slot, one.to) for at in range(0, 301, 10) for one in say(story, at, SOUND)]
    assert [(slot, to) for _, slot, to in found] == [(V2, To.CLEARED), (V3, To.CLEARED)]
    assert list(story.engine.standing()) == []


def test_what_moves_with_a_clearing_does_not_depend_on_how_a_message_is_cut() -> None:
    said = [
        (slot, at, volts) for at in range(0, 70, 7) for slot, volts in zip((V1, V2, V3), SOUND, strict=True)
    ]
    said += [
        (slot, 70 + at, volts) for at in range(5) for slot, volts in zip((V1, V2, V3), TORN, strict=True)
    ]
    state = earlier(V2).engine.snapshot()
    whole, single = v1().engine, v1().engine
    whole.restore(state)
    single.restore(state)
    slots, times, values = (np.array(one) for one in zip(*said, strict=True))
    batch = ReadingBatch(
        us(100), slots.astype(np.int32), times * 1_000_000 + us(0), np.zeros(len(said), np.uint16),
        values.astype(np.float64), np.zeros(len(said), np.uint32),
    )  # fmt: skip
    at_once = [(one.slot, one.to, one.at_us) for one in whole.evaluate(batch, [], us(100))]
    one_by_one = [
        (found.slot, found.to, found.at_us)
        for n in range(len(batch))
        for found in single.evaluate(one_of(batch, n), [], us(100))
    ]
    assert [(slot, to) for slot, to, _ in at_once] == [(V2, To.CLEARED), (V1, To.RAISED)]
    assert at_once == one_by_one


def one_of(batch: ReadingBatch, n: int) -> ReadingBatch:
    """Its n-th reading alone."""
    here = slice(n, n + 1)
    return ReadingBatch(
        batch.received_us, batch.slot[here], batch.observed_us[here], batch.nudge_ns[here],
        batch.value[here], batch.quality[here],
    )  # fmt: skip
