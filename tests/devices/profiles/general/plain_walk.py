"""The walk in its plainest form: every column of a group is tried on every item. The measure of the indexed
one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from devices.model import Quality
from devices.profiles.compiling.compiled import (
    MISSING,
    AnyKey,
    Clock,
    Column,
    Items,
    Pattern,
    Start,
    Step,
    Way,
    word_of,
)
from devices.profiles.general.findings import FINDINGS_MAX, ITEMS_MAX, At, Finding, Found, TooMuch
from devices.profiles.general.naming import UID_MAX
from devices.profiles.language.templates import fill

_TRUE = frozenset({1.0, "true", "yes", "on"})
Bound = Mapping[str, str | int]
Above = tuple[Any, ...]


def reach(way: Way, item: Any, payload: Any, above: Above = ()) -> Any:
    """What stands at the end of a way, `MISSING` where it ends before."""
    if way.start == Start.ABOVE:
        value = above[-way.up] if way.up <= len(above) else MISSING
    else:
        value = item if way.start == Start.ITEM else payload
    for step in way.steps:
        if type(value) is dict:
            value = value.get(step if type(step) is str else str(step), MISSING)
        elif type(value) is list and type(step) is int and step < len(value):
            value = value[step]
        else:
            return MISSING
    return value


def finder(item: Any, payload: Any, above: Above = ()) -> Callable[[Way], Any]:
    """`reach` from one item, as templates ask for it."""
    return lambda way: reach(way, item, payload, above)


def first_time(
    clocks: Sequence[Clock], item: Any, payload: Any, above: Above = (), late: At | None = None
) -> At | None:
    """Every clock that has a value, null being none, with the value, and at the end `late`."""
    found = [(clock, reach(clock.way, item, payload, above)) for clock in clocks]
    times = late
    for clock, raw in found[::-1]:
        if raw is not MISSING and raw is not None:
            times = At(clock, raw, times)
    return times


def uid_of(patterns: Sequence[Pattern], bound: Bound, item: Any, payload: Any, above: Above = ()) -> str:
    """The first template that has a value fit for a uid, "" where none has."""
    find = finder(item, payload, above)
    for pattern in patterns:
        uid = fill(pattern, bound, find)
        if uid and len(uid) <= UID_MAX and uid.isprintable():
            return uid
    return ""


def is_true(raw: Any) -> bool:
    """Whether a value that tells of structure (`stale`, `backfill`) says yes."""
    word = safe_word(raw)
    return word in _TRUE or (isinstance(word, float) and word != 0)


def safe_word(raw: Any) -> str | float | None:
    """`word_of` for whatever a payload holds; None for what is no word."""
    if not isinstance(raw, str | int | float):
        return None
    try:
        return word_of(raw)
    except OverflowError:  # an integer of more than 308 digits
        return None


def _items(
    steps: Sequence[Step], value: Any, bound: Bound, above: Above
) -> Iterator[tuple[Any, Bound, Above]]:
    """The same, with what each item stands in, a value for each step."""
    if not steps:
        yield value, bound, above
        return
    step, rest = steps[0], steps[1:]
    if isinstance(step, AnyKey):
        below: Iterator[tuple[str | int, Any]] = iter(value.items() if type(value) is dict else ())
    elif isinstance(step, str | int):
        here = reach(Way(Start.ITEM, (step,)), value, value)
        if here is not MISSING:
            yield from _items(rest, here, bound, (*above, value))
        return
    else:
        below = enumerate(value, 1) if type(value) is list else iter(())
    for key, one in below:
        yield from _items(rest, one, {**bound, step.name: key} if step.name else bound, (*above, value))


def walk(groups: Sequence[Items], payload: Any, bound: Bound, late: At | None, found: Found) -> None:
    """Adds to `found` what the groups find in a payload.

    `late` is the message's time, for values that have none of their own. Raises TooMuch beyond the limits;
    what was found until then stays in `found`.
    """
    for group in groups:
        for item, names, above in _items(group.each.steps, payload, bound, ()):
            found.items += 1
            if found.items > ITEMS_MAX:
                raise TooMuch(f"more than {ITEMS_MAX} items")
            if _circumstances(group, item, payload, above):
                _Item(group, item, payload, above, names, late, found).read()


class _Item:
    """One item of a group while its values are gathered."""

    __slots__ = ("above", "bound", "find", "flags", "found", "group", "item", "late", "payload", "uid")

    def __init__(
        self,
        group: Items,
        item: Any,
        payload: Any,
        above: Above,
        bound: Bound,
        late: At | None,
        found: Found,
    ) -> None:
        self.group, self.item, self.payload, self.bound, self.found = group, item, payload, bound, found
        self.above = above
        self.find = finder(item, payload, above)
        self.late = first_time(group.clocks, item, payload, above, late)
        self.uid = uid_of(group.device, bound, item, payload, above) if group.device else ""
        self.flags = int(Quality.SUSPECT) if group.device and not self.uid else 0
        if group.backfill is not None and is_true(self.find(group.backfill)):
            self.flags |= Quality.BACKFILL
        if group.stale is not None and is_true(self.find(group.stale)):
            self.flags |= Quality.STALE

    def read(self) -> None:
        """All columns that apply."""
        group = self.group
        if group.label is not None:
            label = fill(group.label, self.bound, self.find)
            if label:
                self.found.labels.append((self.uid, label))
        for column in group.values:
            self.value(column)
        for column in self.named():
            self.value(column)

    def named(self) -> tuple[Column, ...]:
        """The columns of the item's name, else those of its unit."""
        group = self.group
        if group.name is not None:
            name = fill(group.name, self.bound, self.find)
            if name is not None:
                columns = group.exact.get(name)
                if columns is not None:
                    return columns
                for pattern, some in group.patterns:
                    if pattern.fullmatch(name):
                        return some
        if group.unit is not None:
            unit = self.find(group.unit)
            if type(unit) is str:
                return group.units.get(unit, ())
        return ()

    def value(self, column: Column) -> None:
        """The finding or findings of one column, if it applies."""
        raw = reach(column.way, self.item, self.payload, self.above)
        if raw is MISSING and column.default is None and column.sign is None and column.factor is None:
            return  # most columns of most messages
        if not _circumstances(column, self.item, self.payload, self.above):
            return
        if type(raw) is list and column.list_channel is not None:
            self.several(column, raw)
            return
        sign, factor = self.operand(column, "sign"), self.operand(column, "factor")
        if (raw is MISSING and column.default is None) or (raw is None and column.null_is_silence):
            self.found.silent += raw is None
            if _remembers(column) and not (sign is MISSING and factor is MISSING):
                finding = self.finding(column, column.channel, self.bound, MISSING, sign, factor)
                self.found.operands.append(finding)
            return
        self.add(self.finding(column, column.channel, self.bound, raw, sign, factor))

    def several(self, column: Column, values: list[Any]) -> None:
        """A list with a channel for each of its values; operands that are lists go side by side with it."""
        assert column.list_channel is not None
        sign, factor = self.operand(column, "sign"), self.operand(column, "factor")
        self.found.silent += not values
        for n, raw in enumerate(values):
            if raw is None and column.null_is_silence:
                self.found.silent += 1
                continue
            bound = {**self.bound, "n": n + 1}
            places = _nth(sign, n), _nth(factor, n)
            self.add(self.finding(column, column.list_channel, bound, raw, *places))

    def operand(self, column: Column, which: str) -> Any:
        """The sign or the factor as it stands in the payload."""
        elsewhere = column.sign if which == "sign" else column.factor
        return MISSING if elsewhere is None else self.find(elsewhere.way)

    def finding(
        self, column: Column, channel: Pattern, bound: Bound, raw: Any, sign: Any, factor: Any
    ) -> Finding:
        """A finding with all that belongs to it."""
        flags = self.flags
        for way in column.needs:
            needed = self.find(way)
            if needed is MISSING or needed is None:
                flags |= Quality.INCOMPLETE
        return Finding(
            column,
            channel_of(channel, bound, self.find),
            self.uid,
            raw,
            sign,
            factor,
            MISSING if column.unit_way is None else self.find(column.unit_way),
            first_time(column.clocks, self.item, self.payload, self.above, self.late),
            flags,
        )

    def add(self, finding: Finding) -> None:
        """Keeps a finding, as many as are read."""
        if len(self.found.findings) >= FINDINGS_MAX:
            raise TooMuch(f"more than {FINDINGS_MAX} values")
        self.found.findings.append(finding)


def channel_of(pattern: Pattern, bound: Bound, find: Callable[[Way], Any]) -> str:
    """The channel that a template says, "" where it has no value; cut to what the series table takes."""
    text = fill(pattern, bound, find) or ""
    text = text[:32]
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)


def _circumstances(one: Column | Items, item: Any, payload: Any, above: Above) -> bool:
    """Whether `has`, `any` and `lacks` hold; null is something that is there."""
    if not (one.has or one.any or one.lacks):
        return True
    return (
        all(reach(way, item, payload, above) is not MISSING for way in one.has)
        and (not one.any or any(reach(way, item, payload, above) is not MISSING for way in one.any))
        and all(reach(way, item, payload, above) is MISSING for way in one.lacks)
    )


def _remembers(column: Column) -> bool:
    return any(one is not None and one.remember for one in (column.sign, column.factor))


def _nth(operand: Any, n: int) -> Any:
    if type(operand) is not list:
        return operand
    return operand[n] if n < len(operand) else MISSING
