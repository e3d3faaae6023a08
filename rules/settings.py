"""What a pair's rule says where its series stands: rows of numbers, shared by all pairs for which it is the
same.

A row is a rule with one insulation and one set of overrides; a pair has the number of its row, so that
judging a batch reads the numbers as columns however many places have their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from devices.model import Bool, Earthing, Float64, Insulation, Int16, Int32, Int64, SeriesTable, UInt8
from rules.overrides import Override, Scope
from rules.quantity import Level, Relative, Span
from rules.rule import HeldRule, JudgedRule, Limits, Where
from rules.why_off import NOT_EARTHED, NOT_HERE, OVERRIDDEN, off_circuit

OFF: Final = 0
"""The row of a rule that does not hold: its levels are NaN, so that nothing is above or below them."""
_COLUMN: Final = {
    Scope.AREA: "area",
    Scope.BUILDING: "building",
    Scope.DWELLING: "dwelling",
    Scope.DEVICE: "device",
}
_EARTHED: Final = (Earthing.TN_S, Earthing.TT)


@dataclass(frozen=True, slots=True)
class Setting:
    """One row, as people write it. `why_off` is empty, or says why the rule does not hold."""

    rule: str
    raise_at: Level
    clear_below: Level | None
    hold: Span
    clear_hold: Span
    overrides: tuple[int, ...] = ()
    insulation: str = ""
    why_off: str = ""


def touched(overrides: Collection[Override], table: SeriesTable) -> Int32:
    """The slots that any of these is about."""
    hit = np.zeros(len(table), np.bool_)
    for scope, name in _COLUMN.items():
        ids = [place for one in overrides if one.scope is scope for place in one.ids]
        if ids:
            hit |= np.isin(getattr(table, name), ids)
    return np.flatnonzero(hit).astype(np.int32)


class Settings:
    """The rows of one kernel's rules. `gated` are the names of rules that need an earth conductor.

    Columns by row: `raise_`, `clear` (signed: a rule that raises below its level has both negated),
    `relative`, `hold`, `clear_hold`, `max_gap` (µs), `need`, `mask`, `kept` (of the last readings' bits).
    """

    def __init__(self, rules: Sequence[HeldRule], gated: frozenset[str]) -> None:
        self._rules = list(rules)
        self._gated = np.array([rule.name in gated for rule in rules], np.bool_)
        self._where = [rule.where for rule in rules]
        self._overrides: tuple[Override, ...] = ()
        self._of: dict[tuple[int, str, tuple[int, ...]], int] = {}
        self.rows: list[Setting] = [_nowhere()]
        self._numbers: list[tuple[float, ...]] = [(np.nan, np.nan, 1.0, 0, 0, 0, 1, 1, 1, 0)]
        for number in range(len(rules)):
            self._row(number, "", ())
        self._variant = self._variants()
        self._pack()

    def override(self, overrides: Sequence[Override]) -> None:
        """Those in force from here on, the weakest first; `settle` all pairs then."""
        names = {rule.name for rule in self._rules}
        self._overrides = tuple(one for one in overrides if one.rule in names)

    def settle(self, rule: Int16, slot: Int32, table: SeriesTable) -> Int32:
        """The row of each (rule, slot). Cost: about 30 ns a pair, and more for those with overrides."""
        row = self._variant[rule, table.insulation[slot]]
        row = np.where(self._misplaced(rule, slot, table) | self._unearthed(rule, slot, table), OFF, row)
        self._settle_overridden(rule, slot, table, row)
        self._pack()
        return row.astype(np.int32)

    def reference(self, row: Int32, slot: Int32, table: SeriesTable) -> Float64:
        """What the levels of these rows are multiples of: 1, I_ref or the breaker's rating, in amperes."""
        relative = self.relative[row]
        if not relative.any():
            return np.ones(len(row))
        reference = np.where(relative == Relative.REFERENCE, table.reference_a[slot], table.breaker_a[slot])
        return np.where(relative == Relative.NOTHING, 1.0, reference)

    def explain(self, rule: int, slot: int, table: SeriesTable) -> Setting:
        """What holds for one series, and why not."""
        one_rule, one_slot = np.array([rule], np.int16), np.array([slot], np.int32)
        row = int(self.settle(one_rule, one_slot, table)[0])
        if row != OFF:
            return self.rows[row]
        base = self.rows[int(self._variant[rule, 0])]
        if bool(self._misplaced(one_rule, one_slot, table)[0]):
            no_circuit = self._where[rule] is Where.CIRCUIT
            return replace(base, why_off=off_circuit(int(table.kind[slot])) if no_circuit else NOT_HERE)
        if bool(self._unearthed(one_rule, one_slot, table)[0]):
            return replace(base, why_off=NOT_EARTHED)
        return replace(base, why_off=OVERRIDDEN)

    def _misplaced(self, rule: Int16, slot: Int32, table: SeriesTable) -> Bool:
        wrong = np.zeros(len(rule), np.bool_)
        for where in {*self._where} - {Where.ANY}:
            concerned = np.array([one is where for one in self._where])
            wrong |= concerned[rule] & _outside(where, slot, table)
        return wrong

    def _unearthed(self, rule: Int16, slot: Int32, table: SeriesTable) -> Bool:
        unknown: Bool = self._gated[rule] & ~np.isin(table.earthing[slot], _EARTHED)
        return unknown

    def _settle_overridden(self, rule: Int16, slot: Int32, table: SeriesTable, row: Int32) -> None:
        """Other rows for the pairs that overrides are about: worked out once for all with the same ones."""
        if not self._overrides:
            return
        sets: list[tuple[int, ...]] = [()]
        of_pair = np.zeros(len(row), np.int64)
        for n, pairs in self._overridden(rule, slot, table, row):
            before, which = np.unique(of_pair[pairs], return_inverse=True)
            of_pair[pairs] = np.arange(len(sets), len(sets) + len(before))[which]
            sets += [(*sets[k], n) for k in before.tolist()]
        some = np.flatnonzero(of_pair)
        if not len(some):
            return
        kinds = (of_pair[some] << 40) | (row[some].astype(np.int64) << 16) | rule[some]
        kind, which = np.unique(kinds, return_inverse=True)
        rows = [
            self._row(one & 0xFFFF, self.rows[one >> 16 & 0xFFFFFF].insulation, sets[one >> 40])
            for one in kind.tolist()
        ]
        row[some] = np.array(rows, np.int32)[which]

    def _overridden(
        self, rule: Int16, slot: Int32, table: SeriesTable, row: Int32
    ) -> Iterator[tuple[int, NDArray[np.intp]]]:
        """Each override by its number, the weakest first, with the pairs it is about."""
        number_of = {known.name: k for k, known in enumerate(self._rules)}
        some: dict[Scope, NDArray[np.intp]] = {}
        for n, one in enumerate(self._overrides):
            column = getattr(table, _COLUMN[one.scope])
            if one.scope not in some:
                ids = [place for other in self._overrides if other.scope is one.scope for place in other.ids]
                place = column[slot]
                some[one.scope] = np.flatnonzero((place > 0) & (row != OFF) & np.isin(place, ids))
            pairs = some[one.scope]
            pairs = pairs[rule[pairs] == number_of[one.rule]]
            yield n, pairs[np.isin(column[slot[pairs]], list(one.ids))]

    def _variants(self) -> Int32:
        rows = np.zeros((max(1, len(self._rules)), len(Insulation)), np.int32)
        for number, rule in enumerate(self._rules):
            rows[number] = self._row(number, "", ())
            limits = rule.insulation if isinstance(rule, JudgedRule) else {}
            for name in limits:
                rows[number, Insulation[name.upper()]] = self._row(number, name, ())
        return rows

    def _row(self, number: int, insulation: str, overrides: tuple[int, ...]) -> int:
        chosen = tuple(self._overrides[n] for n in overrides)
        key = number, insulation, tuple(one.id for one in chosen)
        if chosen or key not in self._of:
            setting = _setting(self._rules[number], insulation, chosen)
            if setting is None:
                return OFF
            known = self._of.get(key)
            if known is not None and self.rows[known] == setting:
                return known
            self._of[key] = len(self.rows)
            self.rows.append(setting)
            self._numbers.append(_numbers(self._rules[number], setting))
        return self._of[key]

    def _pack(self) -> None:
        if len(getattr(self, "raise_", ())) == len(self._numbers):
            return
        columns = list(zip(*self._numbers, strict=True))
        self.raise_: Float64 = np.array(columns[0], np.float64)
        self.clear: Float64 = np.array(columns[1], np.float64)
        self.hold: Int64 = np.array(columns[3], np.int64)
        self.clear_hold: Int64 = np.array(columns[4], np.int64)
        self.max_gap: Int64 = np.array(columns[5], np.int64)
        self.need: UInt8 = np.array(columns[6], np.uint8)
        self.mask: UInt8 = np.array(columns[7], np.uint8)
        self.kept: UInt8 = np.array(columns[8], np.uint8)
        self.relative: NDArray[np.uint8] = np.array(columns[9], np.uint8)


def _outside(where: Where, slot: Int32, table: SeriesTable) -> Bool:
    """Which of these series are not where such a rule holds."""
    if where is Where.CIRCUIT:
        return table.off_circuit(slot)
    in_dwelling: Bool = table.dwelling[slot] != 0
    return ~in_dwelling if where is Where.DWELLING else in_dwelling


def _nowhere() -> Setting:
    return Setting("", Level(np.nan, ""), None, Span(0), Span(0))


def _setting(rule: HeldRule, insulation: str, overrides: Sequence[Override]) -> Setting | None:
    """The rule's numbers with those of the overrides in their order; None where the last one switches it
    off: a narrower one with numbers switches it on again."""
    limits = _limits(rule, insulation)
    clear_hold = Span(0) if isinstance(rule.clear_hold, UnsetType) else rule.clear_hold
    clear = None if isinstance(limits.clear_below, UnsetType) else limits.clear_below
    setting = Setting(rule.name, limits.raise_at, clear, rule.hold, clear_hold, (), insulation)
    off = False
    for one in overrides:
        off = one.off
        if off:
            continue
        said: Mapping[str, Level | Span | None] = {
            "raise_at": one.raise_at,
            "clear_below": one.clear_below,
            "hold": one.hold,
            "clear_hold": one.clear_hold,
        }
        new = {key: value for key, value in said.items() if value is not None}
        changed = replace(setting, **new, overrides=(*setting.overrides, one.id))  # type: ignore[arg-type]
        setting = changed if _fits(rule, changed) else setting
    return None if off else setting


def _fits(rule: HeldRule, setting: Setting) -> bool:
    """Whether its levels go together. Each override does with the rule alone; where two meet, a narrower one
    that does not go with the wider is left out."""
    if not isinstance(rule, JudgedRule):
        return not setting.raise_at.unit
    try:
        rule.check_limits(setting.raise_at, UNSET if setting.clear_below is None else setting.clear_below)
    except ValueError:
        return False
    return True


def _limits(rule: HeldRule, insulation: str) -> Limits:
    if not isinstance(rule, JudgedRule):
        return Limits(raise_at=Level(1.0, ""), clear_below=Level(0.5, ""))
    own = Limits(raise_at=rule.raise_at, clear_below=rule.clear_below)
    return rule.insulation.get(insulation, own)


def sign_of(rule: HeldRule) -> float:
    """-1 for a rule that raises below its level, else 1."""
    return -1.0 if isinstance(rule, JudgedRule) and rule.below else 1.0


def _numbers(rule: HeldRule, setting: Setting) -> tuple[float, ...]:
    sign = sign_of(rule)
    units = rule.units(rule.metric) if isinstance(rule, JudgedRule) else {"": 1.0}
    clear = setting.clear_below
    mask = (1 << rule.samples.of) - 1
    return (
        sign * setting.raise_at.value_in(units, rule.name),
        np.nan if clear is None else sign * clear.value_in(units, rule.name),
        sign,
        int(setting.hold),
        int(setting.clear_hold),
        int(rule.max_gap),
        rule.samples.need,
        mask,
        max(mask >> 1, 1),
        int(setting.raise_at.relative),
    )
