"""Whether an override makes a rule less watchful, and how long it may then last.

Less watchful is: off; a later raise level or a longer hold, so that an alarm comes later or not at all; an
earlier clear level or a shorter clear hold, so that it ends sooner. An override is compared with the rule
itself and with what holds without it while it lasts: neither a second step after a first one nor what is left
when a tighter one ends is a way around the bound.

Errors: OverrideError (rules/overrides.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from devices.model import Bool, Float64, Insulation, Int64, SeriesTable
from rules.overrides import LIFE_SAFETY, MAX_LOOSE_DAYS, Override, OverrideError, Scope
from rules.rule import HeldRule, JudgedRule, Where
from rules.settings import OFF, Settings, touched

_DAY_US: Final = 86_400_000_000
_NEVER: Final = 2**62
_COMPARED: Final = frozenset(JudgedRule.__struct_fields__)
"""Keys that are compared one by one, or change nothing of when an alarm comes and goes."""
_CLOSE: Final = 1e-9
"""Levels that differ by less, as a share, are the same: 1.13 times 25 A is 28.25 A."""


def check_end(
    one: Override, rule: HeldRule, standing: Sequence[Override] = (), circuits: SeriesTable | None = None
) -> None:
    """Raises OverrideError where it loosens a rule that guards lives (P0 and P1) for too long: see
    `loosens`."""
    if rule.severity not in LIFE_SAFETY or may_last(one):
        return
    how = loosens(one, rule, standing, circuits)
    if how and one.until_us is None:
        raise OverrideError(
            f"key `until`: is missing; {rule.name} guards lives, so what loosens it must end, "
            f"at the latest after {MAX_LOOSE_DAYS} days: {how}"
        )
    if how:
        raise OverrideError(
            f"key `until`: {rule.name} may be loosened for {MAX_LOOSE_DAYS} days at most: {how}"
        )


def may_last(one: Override) -> bool:
    """Whether it ends so soon that it may loosen any rule."""
    return one.until_us is not None and one.until_us - one.from_us <= MAX_LOOSE_DAYS * _DAY_US


def loosens(
    one: Override, rule: HeldRule, standing: Sequence[Override] = (), circuits: SeriesTable | None = None
) -> str:
    """What of it makes the rule less watchful, in words; empty where nothing does.

    `standing` are the other overrides, of which those count that are no narrower. `circuits` has a slot from
    1 on for each circuit concerned, with its place and ratings: a level in amperes and a multiple of a rating
    are compared by them. Where one of them is not known, or without circuits, two such levels cannot be
    compared: then it loosens.
    """
    table = circuits if circuits is not None and _is_on(rule, circuits).any() else _somewhere(one, rule)
    for beneath in _grounds(one, standing, table):
        how = _worse(_numbers(rule, beneath, table), _numbers(rule, (*beneath, one), table))
        if how:
            return how
    return ""


def looser(own: HeldRule, shipped: HeldRule) -> str:
    """What makes a rule in place of a shipped one less watchful than that, in words; empty where nothing
    does.

    Levels and holds are compared as those of an override. Of a key of the kind nobody can say which way is
    the looser one: any other value counts.
    """
    if type(own) is not type(shipped):
        return "it is of another kind"
    if not {*shipped.metrics} <= {*own.metrics}:
        return "`metric` leaves some out"
    if getattr(own, "below", False) is not getattr(shipped, "below", False):
        return "`below` is another"
    if own.where not in (Where.ANY, shipped.where):
        return "`where` leaves places out"
    everywhere = _everywhere()
    before, after = _numbers(shipped, (), everywhere), _numbers(own, (), everywhere)
    if own.latched:  # it has no clear hold, and a person alone ends it
        after = after._replace(clear_hold=before.clear_hold)
    both = before.on & after.on
    how = _worse(before._replace(on=both), after._replace(on=both)) or _waits_longer(own, shipped)
    if how or (own.isolate, own.latched) < (shipped.isolate, shipped.latched):
        return how or "`latched` or `isolate` is gone"
    fields = [one for one in structs.fields(shipped) if one.name not in _COMPARED]
    other = [one.encode_name for one in fields if getattr(own, one.name) != getattr(shipped, one.name)]
    return f"`{other[0]}` is another, and nobody can say that it is no later" if other else ""


def _waits_longer(own: HeldRule, shipped: HeldRule) -> str:
    if own.max_gap < shipped.max_gap:
        return "`max_gap` is shorter, and ends holds sooner"
    mine, theirs = own.samples, shipped.samples
    more = mine.need > theirs.need or (mine.need == theirs.need and mine.of < theirs.of)
    return "`samples` asks for more" if more else ""


def _everywhere() -> SeriesTable:
    """A circuit of each insulation in a dwelling, and one outside; ratings that nobody knows."""
    kinds = [0, *map(int, Insulation), *map(int, Insulation)]
    n, none = len(kinds), np.zeros(len(kinds), np.int32)
    inside = np.array([0, *[1] * len(Insulation), *[0] * len(Insulation)], np.int32)
    table = SeriesTable.plain(1, np.zeros(n, np.int16), none, inside, np.full(n, np.nan))
    return replace(table, insulation=np.array(kinds, np.uint8))


class _Numbers(NamedTuple):
    """What holds on each circuit; levels signed, so that a larger one is a later raise and a sooner clear."""

    on: Bool
    raise_: Float64
    clear: Float64
    hold: Int64
    clear_hold: Int64
    relative: NDArray[np.uint8]
    reference: Float64


def _numbers(rule: HeldRule, overrides: Sequence[Override], table: SeriesTable) -> _Numbers:
    settings = Settings([rule], frozenset())
    settings.override(overrides)
    slot = np.arange(1, len(table), dtype=np.int32)
    row = settings.settle(np.zeros(len(slot), np.int16), slot, table)
    return _Numbers(
        row != OFF,
        settings.raise_[row],
        settings.clear[row],
        settings.hold[row],
        settings.clear_hold[row],
        settings.relative[row],
        settings.reference(row, slot, table),
    )


def _is_on(rule: HeldRule, table: SeriesTable) -> Bool:
    return _numbers(rule, (), table).on


def _worse(before: _Numbers, after: _Numbers) -> str:
    """The first thing by which `after` is less watchful on any circuit."""
    if (before.on & ~after.on).any():
        return "it switches the rule off"
    both = before.on & after.on
    same = before.relative == after.relative
    there, here = np.where(same, 1.0, before.reference), np.where(same, 1.0, after.reference)
    if (both & np.isnan(there * here)).any():
        return "its levels are of another kind, and a rating by which they could be compared is not known"
    if (both & _above(after.raise_ * here, before.raise_ * there)).any():
        return "`raise` is a later level"
    if (both & (after.hold > before.hold)).any():
        return "`hold` is longer"
    if (both & _above(after.clear * here, before.clear * there)).any():
        return "`clear` ends the alarm sooner"
    if (both & (after.clear_hold < before.clear_hold)).any():
        return "`clear_hold` is shorter"
    return ""


def _above(new: Float64, old: Float64) -> Bool:
    """Latched rules have no clear level (NaN), and nothing is above that."""
    above: Bool = new > old + _CLOSE * np.abs(old)
    return above


def _grounds(
    one: Override, standing: Sequence[Override], table: SeriesTable
) -> Iterator[tuple[Override, ...]]:
    """The rule alone, and what of the others is in force below it at each moment at which that changes."""
    yield ()
    others = [
        other
        for other in standing
        if other.rule == one.rule
        and other.id != one.id
        and other.scope.rank <= one.scope.rank
        and len(touched([other], table))
    ]
    ends_us = _NEVER if one.until_us is None else one.until_us
    turns = {at for other in others for at in (other.from_us, other.until_us) if at is not None}
    for at in sorted({one.from_us} | {at for at in turns if one.from_us < at < ends_us}):
        held = [other for other in others if other.holds_at(at)]
        if held:
            yield tuple(sorted(held, key=lambda other: (other.scope.rank, other.id)))


def _somewhere(one: Override, rule: HeldRule) -> SeriesTable:
    """A circuit of each insulation, with ratings that nobody knows, where both hold."""
    n = len(Insulation) + 1
    nothing, place = np.zeros(n, np.int32), np.full(n, min(one.ids), np.int32)
    inside = one.scope is Scope.DWELLING or rule.where is Where.DWELLING
    table = SeriesTable.plain(1, np.zeros(n, np.int16), nothing, nothing, np.full(n, np.nan))
    return replace(
        table,
        device=place if one.scope is Scope.DEVICE else nothing,
        building=place if one.scope is Scope.BUILDING else nothing,
        area=place if one.scope is Scope.AREA else nothing,
        dwelling=place if inside else nothing,
        insulation=np.array([0, *map(int, Insulation)], np.uint8),
    )
