"""What a small story about one rule is made of: a test of every entry of the catalogue tells all alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from devices.model import HARD_QUALITY, InputKind, Quality
from tests.rules.homes import Facts
from tests.rules.story import GOOD

MIDNIGHT_S: Final = 8 * 3600
"""Story time of the first local midnight."""
OLD: Final = (Quality.LATE, Quality.STALE, Quality.RETAINED, Quality.REPLAYED, Quality.BACKFILL)
"""Readings that say nothing of now, but of a life flag."""
BROKEN: Final = (*HARD_QUALITY, Quality.DUPLICATE)
"""Readings that say nothing at all; a hard flag makes the value NaN."""


class Say(NamedTuple):
    """A reading; times are story time in seconds."""

    slot: int
    at_s: float
    value: float
    quality: Quality = GOOD


class Act(NamedTuple):
    """What a person did."""

    kind: InputKind
    rule: str
    at_s: float
    slot: int = 0
    place: int = 0


Step = Say | Act


@dataclass(frozen=True)
class Tale:
    """One rule, over series whose slots are their places in `series`, from 1.

    Nothing is raised by `before`, and by `raising` an alarm is; with `sooner_s` (its hold is long) not when
    that comes so much sooner, with `beyond_s` (it must come near) not when it comes so much later. `less` is
    a story as long, just below the level, that raises nothing. Of `calm` the last step clears it, and none
    before. `unseen` are the marks with which `raising` is as if it had not been. `beside` are rules without
    which it cannot be.
    """

    rule: str
    series: Sequence[Facts]
    before: Sequence[Step]
    raising: Say
    less: Sequence[Step]
    calm: Sequence[Step]
    sooner_s: float = 0
    beyond_s: float = 0
    unseen: tuple[Quality, ...] = (*BROKEN, *OLD)
    beside: tuple[str, ...] = ()


Beside = Callable[[float], list[Say]]
"""What other series say just before a reading at this time."""


def alone(_: float) -> list[Say]:
    """Nothing is said beside."""
    return []


@dataclass(frozen=True)
class Held:
    """A value that is high until the rule raises, and low until it clears."""

    hot: float
    under: float
    calm: float
    hold_s: int
    clear_s: int = 0
    step_s: int = 10
    need: int = 1
    """How many readings must count at least."""
    latched: bool = False


def held(rule: str, series: Sequence[Facts], one: Held, *, slot: int = 1, beside: Beside = alone) -> Tale:
    """The story of a rule whose level, holds and number of readings are these."""
    until = max(one.hold_s, (one.need - 1) * one.step_s)
    over = until + one.step_s + max(one.clear_s, (one.need - 1) * one.step_s)

    def said(start: float, end: float, value: float) -> list[Say]:
        times = range(round(start), round(end) + 1, one.step_s)
        return [say for at in times for say in (*beside(at), Say(slot, at, value))]

    cold, hot = said(-one.step_s, -one.step_s, one.calm), said(0, until, one.hot)
    return Tale(
        rule,
        series,
        [*cold, *hot[:-1]],
        hot[-1],
        [*cold, *said(0, until + 3 * one.step_s, one.under)],
        reset(rule, over, slot) if one.latched else said(until + one.step_s, over, one.calm),
        sooner_s=1 if one.hold_s else 0,
    )


def reset(rule: str, at_s: float, slot: int = 0, place: int = 0) -> list[Step]:
    """A person resets an alarm."""
    return [Act(InputKind.RESET, rule, at_s, slot, place)]


def read(slot: int, times: Iterable[float], value: float) -> list[Step]:
    """The same again and again."""
    return [Say(slot, at, value) for at in times]


def clock(day: float, hour: float) -> float:
    """Story time of a local hour."""
    return MIDNIGHT_S + day * 86_400 + hour * 3600


def broken(say: Say, quality: Quality) -> Say:
    """The reading with a mark; a hard one takes the value away."""
    value = math.nan if quality & HARD_QUALITY else say.value
    return say._replace(quality=say.quality | quality, value=value)
