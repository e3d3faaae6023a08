"""One item of a group: which columns apply, and their findings. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from devices.model import Quality
from devices.profiles.compiling.compiled import MISSING, Column, Items, Pattern
from devices.profiles.general.channels import CHANNEL_LENGTH_MAX
from devices.profiles.general.findings import FINDINGS_MAX, NAMES_A_STEP, At, Finding, Found, Raw, Tree
from devices.profiles.general.naming import channel_amiss, channel_of, is_uid, name_of, unfit_uid
from devices.profiles.general.reaching import Above, Bound, finder, first_time, is_true, reach
from devices.profiles.language.templates import fill

_BACKFILL: Final = int(Quality.BACKFILL)
_STALE: Final = int(Quality.STALE)
_INCOMPLETE: Final = int(Quality.INCOMPLETE)
_SUSPECT: Final = int(Quality.SUSPECT)
MET_MAX: Final = 1_024
"""Names whose pattern is remembered by each group; then all are looked up anew (chosen: ten times what a
profile's devices say; 0.2 KiB each at most but for long names)."""


def read_item(
    group: Items,
    item: Tree,
    payload: Tree,
    above: Above,
    bound: Bound,
    late: At | None,
    found: Found,
) -> None:
    """Adds to `found` what the columns that apply say of an item. Raises TooMuch beyond the limits."""
    hits = group.places.found(item)
    always = group.always
    open_ended = group.name is not None or group.unit is not None or group.label is not None
    if not (hits or always or open_ended) or not circumstances(group, item, payload, above):
        return
    reading = _Item(group, item, payload, above, bound, late, found)
    if group.label is not None:
        reading.label(group.label)
    if always:
        hits = hits | dict.fromkeys(always, MISSING)
    values = group.values
    for n in sorted(hits) if len(hits) > 1 else hits:
        reading.value(values[n], hits[n])
    if open_ended:
        for column in reading.named():
            reading.value(column, MISSING)


class _Item:
    """An item while its values are gathered."""

    __slots__ = (
        "above",
        "bound",
        "find",
        "flags",
        "found",
        "group",
        "item",
        "late",
        "nobody",
        "payload",
        "uid",
    )

    def __init__(
        self,
        group: Items,
        item: Tree,
        payload: Tree,
        above: Above,
        bound: Bound,
        late: At | None,
        found: Found,
    ) -> None:
        self.group, self.item, self.payload, self.bound, self.found = group, item, payload, bound, found
        self.above = above
        self.find = finder(item, payload, above)
        self.late = first_time(group.clocks, item, payload, above, late) if group.clocks else late
        self.uid, self.nobody = self.whose() if group.device else ("", False)
        self.flags = _SUSPECT if group.device and not self.uid else 0
        if group.backfill is not None and is_true(self.find(group.backfill)):
            self.flags |= _BACKFILL
        if group.stale is not None and is_true(self.find(group.stale)):
            self.flags |= _STALE

    def whose(self) -> tuple[str, bool]:
        """The device that the item names, "" where it names none; and whether what it names can be nobody.
        Raises TooMuch beyond the limits."""
        group, found = self.group, self.found
        if group.named_above and found.beside is not None:
            before, above, said = found.beside
            if above is self.above and before is group:
                return said
        uid = self.named_by(group.device)
        why = "" if uid else unfit_uid(group.device, self.bound, self.item, self.payload, self.above)
        found.amiss = found.amiss or why
        said = uid, bool(why)
        if group.named_above:
            found.beside = group, self.above, said
        return said

    def named_by(self, patterns: Sequence[Pattern]) -> str:
        """What the first template that names a device says, "" where none does. Every `NAMES_A_STEP` that
        are tried are a step of work."""
        for tried, pattern in enumerate(patterns):
            uid = fill(pattern, self.bound, self.find)
            if uid and is_uid(uid):
                self.found.work(tried // NAMES_A_STEP)
                return uid
        self.found.work(len(patterns) // NAMES_A_STEP)
        return ""

    def label(self, pattern: Pattern) -> None:
        """What the item is called by people."""
        label = fill(pattern, self.bound, self.find)
        if label:
            self.found.labels.append((self.uid, label))

    def named(self) -> tuple[Column, ...]:
        """The columns of the item's name, else those of its unit. Raises TooMuch beyond the limits."""
        group = self.group
        if group.name is not None:
            name = name_of(group.name, self.bound, self.find)
            if name is not None:
                columns = group.exact.get(name)
                if columns is not None:
                    return columns
                self.found.work(len(group.patterns) // NAMES_A_STEP)
                columns = _by_pattern(group, name)
                if columns is not None:
                    return columns
        if group.unit is not None:
            unit = self.find(group.unit)
            if type(unit) is str:
                return group.units.get(unit, ())
        return ()

    def value(self, column: Column, raw: Raw) -> None:
        """The finding or findings of one column, if it applies. `raw` is what its places led to, or
        `MISSING`."""
        if self.nobody and not column.is_life:
            return  # a fire is the message's device's own rather than nobody's
        if raw is MISSING or column.remembers or column.default is not None:  # places of something else
            raw = reach(column.way, self.item, self.payload, self.above)
        if raw is not MISSING and column.is_plain:
            if raw is None and column.null_is_silence:
                self.found.silent += 1
                return
            channel, findings = column.fixed_channel or "", self.found.findings
            finding = Finding(
                column, channel, self.uid, raw, MISSING, MISSING, MISSING, self.late, self.flags
            )
            if len(findings) < FINDINGS_MAX:  # most values come here: a call fewer
                findings.append(finding)
            else:
                self.found.add(finding)
            return
        if raw is MISSING and column.default is None and not column.remembers:
            return
        if circumstances(column, self.item, self.payload, self.above):
            self.special(column, raw)

    def special(self, column: Column, raw: Raw) -> None:
        """The same for a column that looks at more than its value."""
        if type(raw) is list and column.list_channel is not None:
            self.several(column, column.list_channel, raw)
            return
        sign, factor = self.operands(column)
        if (raw is MISSING and column.default is None) or (raw is None and column.null_is_silence):
            self.found.silent += raw is None
            if column.remembers and not (sign is MISSING and factor is MISSING):
                finding = self.finding(column, column.channel, self.bound, MISSING, sign, factor)
                self.found.operands.append(finding)
            return
        self.found.add(self.finding(column, column.channel, self.bound, raw, sign, factor))

    def several(self, column: Column, channel: Pattern, values: list[Any]) -> None:
        """A list with a channel for each of its values; operands that are lists go side by side with it."""
        sign, factor = self.operands(column)
        self.found.silent += not values
        for n, raw in enumerate(values):
            if raw is None and column.null_is_silence:
                self.found.silent += 1
                continue
            bound = {**self.bound, "n": n + 1}
            places = _nth(sign, n), _nth(factor, n)
            self.found.add(self.finding(column, channel, bound, raw, *places))

    def operands(self, column: Column) -> tuple[Raw, Raw]:
        """The sign and the factor as they stand in the payload."""
        return (
            MISSING if column.sign is None else self.find(column.sign.way),
            MISSING if column.factor is None else self.find(column.factor.way),
        )

    def finding(
        self, column: Column, channel: Pattern, bound: Bound, raw: Raw, sign: Raw, factor: Raw
    ) -> Finding:
        """A finding with all that belongs to it."""
        flags = self.flags
        for way in column.needs:
            needed = self.find(way)
            if needed is MISSING or needed is None:
                flags |= _INCOMPLETE
        name = column.fixed_channel if channel is column.channel else None
        if name is None:
            name = channel_of(channel, bound, self.find)
            if len(name) == CHANNEL_LENGTH_MAX and not self.found.amiss:
                self.found.amiss = channel_amiss(channel, bound, self.find)
        return Finding(
            column,
            name,
            self.uid,
            raw,
            sign,
            factor,
            MISSING if column.unit_way is None else self.find(column.unit_way),
            first_time(column.clocks, self.item, self.payload, self.above, self.late),
            flags,
        )


def circumstances(one: Column | Items, item: Tree, payload: Tree, above: Above) -> bool:
    """Whether `has`, `any` and `lacks` hold; null is something that is there."""
    if not (one.has or one.any or one.lacks):
        return True
    there = one.there
    if there is not None and type(item) is dict:
        keys = item.keys()  # whose methods look at the smaller side
        if there.any and keys.isdisjoint(there.any):
            return False
        return keys.isdisjoint(there.lacks) and there.has <= keys
    for way in one.has:
        if reach(way, item, payload, above) is MISSING:
            return False
    for way in one.lacks:
        if reach(way, item, payload, above) is not MISSING:
            return False
    return not one.any or any(reach(way, item, payload, above) is not MISSING for way in one.any)


def _by_pattern(group: Items, name: str) -> tuple[Column, ...] | None:
    """The columns of the first pattern that takes a name, None where none does."""
    met = group.met
    if name not in met:
        fitting = (some for pattern, some in group.patterns if pattern.fullmatch(name))
        if len(met) >= MET_MAX:
            met.clear()
        met[name] = next(fitting, None)
    return met[name]


def _nth(operand: Raw, n: int) -> Raw:
    if type(operand) is not list:
        return operand
    return operand[n] if n < len(operand) else MISSING
