"""By which clock points become too old. Pure.

A clock that is ahead for a moment must not cost the history of weeks. A clock that went further than time did
is not believed at once: until it has said so for `HELD_S`, points age by the time that passed (monotonic).
A clock that went back is believed: too little is dropped then, not too much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

AHEAD_US: Final = 3_600_000_000
"""How much further than time itself a clock may go and be believed at once (chosen: an hour of points)."""
HELD_S: Final = 3600.0
"""How long another clock must go on to be believed (chosen)."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A clock that is not believed: how far ahead it is, and since when, monotonic."""

    ahead_us: int
    since_s: float


@dataclass(frozen=True, slots=True)
class Age:
    """By `now_us` points were too old at the monotonic time `at_s`."""

    now_us: int
    at_s: float
    doubt: Doubt | None = None


def aged(before: Age, clock_us: int, at_s: float) -> Age:
    """What to go by now that a clock says `clock_us`.

    A clock that jumps again, by more than `AHEAD_US`, while it is not believed, must hold anew.
    """
    passed_us = before.now_us + round((at_s - before.at_s) * 1e6)
    ahead_us = clock_us - passed_us
    if ahead_us <= AHEAD_US:
        return Age(clock_us, at_s)
    doubt = before.doubt
    if doubt is None or abs(ahead_us - doubt.ahead_us) > AHEAD_US:
        return Age(passed_us, at_s, Doubt(ahead_us, at_s))
    if at_s - doubt.since_s >= HELD_S:
        return Age(clock_us, at_s)
    return Age(passed_us, at_s, doubt)


def begun(last_us: int | None, clock_us: int, at_s: float, *, witnessed: bool) -> Age:
    """The same after a start: `last_us` is what was gone by before, None where nothing was. `witnessed`:
    there are points of times that only this clock explains, an hour old by it: so it has held."""
    if last_us is None or witnessed:
        return Age(clock_us, at_s)
    return aged(Age(last_us, at_s), clock_us, at_s)
