"""Our clock jumps, while we run and across a restart: it alone loses, doubles, raises and clears nothing."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from tests.crash.accounts import Books, books
from tests.crash.composed import DEVICES, House, house
from tests.crash.scripted import Group, Message
from tests.crash.streams import APART_US, START_US, points_of
from tests.crash.test_steps import die
from tests.ingest.fuse import Fuse

MINUTE_US: Final = 60_000_000
JUMPS_US: Final = {
    "an hour ahead": 3_600_000_000,
    "an hour back": -3_600_000_000,
    "eight days ahead": 8 * 86_400_000_000,
    "to 1970": 60_000_000 - START_US,
}
BEFORE, AFTER = 8, 8
"""Groups before the jump and after it."""
ON_FIRE, OVERLOADED, CALM = DEVICES


def readings(number: int, name: str, values: dict[str, object], *, at_us: int = 0) -> Message:
    """A report; with `at_us` the device has a clock, a right one, and numbers its messages."""
    body: dict[str, object] = {"channels": {"l1": values}}
    if at_us:
        body |= {"at": at_us // 1000, "seq": number}
    return Message(f"gengfu/{name}/readings", msgspec.json.encode(body), number)


def stream(*, timed: bool) -> list[Group]:
    """One burns and one is overloaded since before the jump, and both go on after it; one is calm, but for a
    current too high in the last report before the jump and in the first one after it."""
    groups = []
    for index in range(BEFORE + AFTER):
        at_us = START_US + index * APART_US
        too_high = index in (BEFORE - 1, BEFORE)
        said: list[tuple[str, dict[str, object]]] = [
            (ON_FIRE, {"smoke.alarm": index >= 2}),
            (OVERLOADED, {"current": 60.0 + index / 100}),
            (CALM, {"current": (60.0 if too_high else 2.0) + index / 100, "smoke.alarm": False}),
        ]
        messages = [
            readings(3 * index + n, name, values, at_us=at_us if timed else 0)
            for n, (name, values) in enumerate(said, 1)
        ]
        groups.append(Group(at_us, tuple(messages)))
    return groups


def lives_through(one: House, jump_us: int, *, restarts: bool) -> Books:
    """Up to the jump, over it, and to the end. With a restart half of a group comes again after the jump."""
    one.attends = True
    if restarts:
        assert die(one, "acknowledge.half", BEFORE)
        one.skew_us = jump_us
        one.live(Fuse())
        return books(one)
    tick = one.start(Fuse())
    while not one.script.done:
        if tick.ticks == BEFORE:
            one.skew_us = jump_us
        tick.run_once(0.0)
        one.write_points()
    one.die()
    return books(one)


@pytest.mark.parametrize("timed", [False, True], ids=["devices without a clock", "devices with a clock"])
@pytest.mark.parametrize("restarts", [False, True], ids=["while we run", "across a restart"])
@pytest.mark.parametrize("jump", JUMPS_US)
def test_a_jump_of_our_clock_loses_doubles_raises_and_clears_nothing(
    jump: str, restarts: bool, timed: bool
) -> None:
    groups = stream(timed=timed)
    with house(groups) as one:
        found = lives_through(one, JUMPS_US[jump], restarts=restarts)
        published = [each.packet_id for group in groups for each in group.messages]
        assert {i: n for i, n in found.journalled.items() if i} == dict.fromkeys(published, 1)
        assert found.named == points_of(groups)
        assert [(row[1], row[2], row[5]) for row in found.transitions] == [
            ("S1", "raised", f"own:{ON_FIRE}"),
            ("O3", "raised", f"own:{OVERLOADED}"),
            ("O4", "raised", f"own:{OVERLOADED}"),
        ]


@pytest.mark.parametrize(
    ("jump_us", "times"),
    [
        pytest.param(50 * MINUTE_US, 1, id="50 minutes ahead"),
        pytest.param(-4 * MINUTE_US, 1, id="4 minutes back"),
        pytest.param(JUMPS_US["an hour ahead"], 2, id="an hour ahead: the number is forgotten"),
        pytest.param(JUMPS_US["an hour back"], 2, id="an hour back: its time is not believed"),
        pytest.param(JUMPS_US["to 1970"], 2, id="to 1970: its time is not believed"),
    ],
)
def test_a_message_sent_again_after_a_jump_is_known_as_long_as_its_number_and_time_are(
    jump_us: int, times: int
) -> None:
    """The same number and time under another packet id, without DUP: the device sent it twice.

    Where the jump takes away what tells it from a device that started again, it is kept: in doubt a
    duplicate is preferred to a loss (ingest/windows.py).
    """
    at_us = START_US + (BEFORE - 1) * APART_US
    first = readings(1, CALM, {"current": 2.5}, at_us=at_us)
    again = Message(first.topic, first.payload, 2)
    with house([Group(at_us, (first,)), Group(at_us + APART_US, (again,))]) as one:
        tick = one.start(Fuse())
        tick.run_once(0.0)
        one.skew_us = jump_us
        tick.run_once(0.0)
        one.die()
        assert list(books(one).named.values()) == [times]
