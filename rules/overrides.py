"""Overrides: other numbers of a rule for an area, a building, a dwelling or a device, for a while or for
good.

What a person may loosen is bounded: an override that makes a life-safety rule (P0 and P1) less watchful must
end, at the latest after MAX_LOOSE_DAYS (rules/loosening.py). Tightening may last. Every override says who
made it and why.

Errors:
* OverrideError: the text begins with the key: "key `until`: ...".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from devices.model import Severity
from rules.quantity import Level, Span
from rules.rule import BaseRule, HeldRule, JudgedRule, Limits

MAX_LOOSE_DAYS: Final = 30
"""Longest an override may make a P0 or P1 rule less watchful (chosen: a month, then somebody looks again)."""
LIFE_SAFETY: Final = frozenset({Severity.P0_PLUS, Severity.P0, Severity.P1})


class OverrideError(ValueError):
    """An override that cannot be."""


class Scope(StrEnum):
    """What an override holds for, from the widest to the narrowest. A narrower one wins."""

    AREA = "area"
    BUILDING = "building"
    DWELLING = "dwelling"
    DEVICE = "device"

    @property
    def rank(self) -> int:
        """0 for the widest."""
        return list(Scope).index(self)


@dataclass(frozen=True, slots=True)
class Override:
    """Other numbers for one rule. What is None stays as it is.

    `ids` are registry ids: of an area, the grids below it. `off` ends the rule there. It holds from `from_us`
    until `until_us` (None: for good). `id` orders overrides of one scope: the later wins.
    """

    id: int
    rule: str
    scope: Scope
    ids: frozenset[int]
    from_us: int
    author: str
    reason: str
    until_us: int | None = None
    raise_at: Level | None = None
    clear_below: Level | None = None
    hold: Span | None = None
    clear_hold: Span | None = None
    off: bool = False

    def holds_at(self, now_us: int) -> bool:
        """Whether it is in force."""
        return self.from_us <= now_us and (self.until_us is None or now_us < self.until_us)


@dataclass(frozen=True, slots=True)
class Overrides:
    """All there are, checked against the rules they change."""

    all: tuple[Override, ...] = ()
    turns_us: tuple[int, ...] = field(default=())

    @classmethod
    def of(cls, overrides: Sequence[Override]) -> Overrides:
        """Those in their order, with the moments at which one begins or ends."""
        moments = {one.from_us for one in overrides} | {one.until_us for one in overrides if one.until_us}
        return cls(tuple(overrides), tuple(sorted(moments)))

    def in_force(self, now_us: int) -> tuple[Override, ...]:
        """Those that hold, the weakest first."""
        held = [one for one in self.all if one.holds_at(now_us)]
        return tuple(sorted(held, key=lambda one: (one.scope.rank, one.id)))

    def next_turn_us(self, after_us: int) -> int | None:
        """When the next one begins or ends."""
        return next((at for at in self.turns_us if at > after_us), None)


class Bound(Protocol):
    """What says which values never raise an alarm (`BoundRule`)."""

    def breaches(self, rule: BaseRule) -> Iterator[tuple[str, str]]:
        """Keys by which such a value would raise the rule, each with what is allowed."""


def check_override(one: Override, rule: HeldRule, bounds: Sequence[Bound] = ()) -> None:
    """Raises OverrideError where this rule cannot take it, or where values that a bound keeps quiet would
    raise it. How long it may last is for `rules.loosening` to say."""
    if not one.author.strip() or not one.reason.strip():
        key = "author" if not one.author.strip() else "reason"
        raise OverrideError(f"key `{key}`: is empty; who makes an override and why is on record")
    if not one.ids:
        raise OverrideError(f"key `{one.scope}`: names no place or device that is known")
    if one.until_us is not None and one.until_us <= one.from_us:
        raise OverrideError("key `until`: is not after `from`")
    changes = (one.raise_at, one.clear_below, one.hold, one.clear_hold)
    if one.off and any(change is not None for change in changes):
        raise OverrideError("key `off`: a rule that is off has no other numbers")
    if not one.off and all(change is None for change in changes):
        raise OverrideError("key `raise`: nothing is changed; allowed: raise, clear, hold, clear_hold or off")
    if rule.latched and (one.clear_below is not None or one.clear_hold is not None):
        key = "clear" if one.clear_below is not None else "clear_hold"
        raise OverrideError(f"key `{key}`: {rule.name} is latched, a person ends it")
    _check_levels(one, rule)
    _check_bounds(one, rule, bounds)


def _check_levels(one: Override, rule: HeldRule) -> None:
    if not isinstance(rule, JudgedRule):
        if one.raise_at is not None or one.clear_below is not None:
            key = "raise" if one.raise_at is not None else "clear"
            raise OverrideError(f"key `{key}`: {rule.name} has no levels; allowed: hold, clear_hold or off")
        return
    try:
        own = Limits(raise_at=rule.raise_at, clear_below=rule.clear_below)
        for limits in (own, *rule.insulation.values()):
            raise_at = limits.raise_at if one.raise_at is None else one.raise_at
            clear_below = limits.clear_below if one.clear_below is None else one.clear_below
            rule.check_limits(raise_at, clear_below)
    except ValueError as error:
        raise OverrideError(str(error)) from None


def _check_bounds(one: Override, rule: HeldRule, bounds: Sequence[Bound]) -> None:
    """That the rule with these levels could stand in the catalogue: life-safety numbers that no rule file
    may go below, no override may either."""
    if one.raise_at is None or not isinstance(rule, JudgedRule):
        return
    clear_below = rule.clear_below if one.clear_below is None else one.clear_below
    changed = msgspec.structs.replace(rule, raise_at=one.raise_at, clear_below=clear_below)
    for bound in bounds:
        for key, problem in bound.breaches(changed):
            raise OverrideError(f"key `{key}`: {problem}")
