"""What a message's structure alone says of its readings, found by the general walk over a tree of markers.
Pure.

The walk never looks at the values it hands on. So it is let loose on the message once more, with a marker in
place of each leaf; what it finds holds for every message of the same skeleton.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from devices.model import Quality
from devices.profiles.compiling.compiled import (
    MISSING,
    Blank,
    CompiledObject,
    Items,
    Kind,
    Learns,
    Start,
    Way,
)
from devices.profiles.fast.interest import interest_of
from devices.profiles.fast.looks import Look, look_of, merged
from devices.profiles.fast.skeleton import Fixed, Leaf, Node, Row, Skeleton, Sort, Thing, Unfit
from devices.profiles.general.carrying import Carrying
from devices.profiles.general.choosing import Candidate
from devices.profiles.general.findings import Finding, Found, TooMuch
from devices.profiles.general.naming import uid_of
from devices.profiles.general.presence import Notice, notice_of
from devices.profiles.general.reaching import Bound, finder, first_time, holds, reach
from devices.profiles.general.walk import items_at, walk
from devices.profiles.language.templates import fill

FINDINGS_MAX: Final = 128
"""Readings of one message; with more it is always read the general way (chosen)."""


class Marker:
    """Stands for the value of a leaf. `number` as in `Leaf`, -1 for what nobody should look at."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"<leaf {self.number}>"


UNREAD: Final = Marker(-1)


class Planned(NamedTuple):
    """The readings of all messages of a form: findings whose raw values are markers or constants, in the
    walk's order.

    `flags` hold for all of them. `seq` is the leaf with the sequence number, -1 where there is none; then the
    number is `always`, -1 for none.
    """

    findings: tuple[Finding, ...]
    flags: int
    seq: int
    always: int = -1

    @property
    def signature(self) -> tuple[Any, ...]:
        """Equal for plans that read alike."""
        lines = [
            (
                *(one.column.number, one.channel, one.flags),
                *map(repr, (one.raw, one.sign, one.factor, one.unit)),
                *((at.clock, repr(at.raw)) for at in (one.time.each() if one.time else ())),
            )
            for one in self.findings
        ]
        return self.flags, self.seq, self.always, tuple(lines)


def may_be_learnt(kind: Kind) -> bool:
    """Whether messages of this kind say nothing but readings, and what is the same in all of a device's. Of
    Sparkplug those that are no births: whether one is, its topic says."""
    return (
        kind.said.format in {"json", "text", "senml", "sparkplug"}
        and (kind.presence is None or _is_by_type(kind))
        and kind.reply is None
        and bool(kind.items or kind.object is not None)
    )


def _is_by_type(kind: Kind) -> bool:
    goodbye = kind.presence
    named = goodbye is not None and goodbye.way == Way(Start.ITEM, ("type",)) and not goodbye.always
    return named and kind.said.format == "sparkplug"


def says_who_is_there(kind: Kind, tree: Any) -> bool:  # noqa: ANN401
    """Whether a message says that somebody came or went."""
    return kind.presence is not None and isinstance(notice_of(kind.presence, tree), Notice)


def look_for(before: Sequence[Kind], kind: Kind, objects: Sequence[CompiledObject]) -> Look:
    """All that decides what a message of `kind` means, if it is none of the kinds `before`, which are
    asked first.

    Raises Unfit where one of those does not decide by its `where` alone. Octets are not looked at: they count
    only where no object stands.
    """
    found = interest_of(replace(kind, codec_way=None, codec_port=None), objects)
    for one in before:
        if one.said.format != kind.said.format or one.presence is not None or not one.where:
            raise Unfit("a kind of another format is asked first")
        found = merged(found, interest_of(_where_alone(one)))
    return look_of(found)


def _where_alone(kind: Kind) -> Kind:
    return Kind(kind.number, kind.name, kind.where, kind.said)


def marked(tree: Any, node: Node) -> Any:  # noqa: ANN401
    """The tree with markers for the leaves of its skeleton. What decides structure or names stays; what is
    passed over is left out, or is `UNREAD` in a list."""
    if isinstance(node, Leaf):
        return tree if node.must is not None or node.sort is Sort.NAME else Marker(node.number)
    if isinstance(node, Fixed):
        return node.value
    if isinstance(node, Thing):
        return {key: marked(tree[key], part) for key, part in zip(node.keys, node.parts, strict=True)}
    if isinstance(node, Row):
        return [marked(item, part) for item, part in zip(tree, node.parts, strict=False)]
    return UNREAD


def planned(
    candidates: Sequence[Candidate],
    kind: Kind,
    captures: Bound,
    skeleton: Skeleton,
    tree: Any,  # noqa: ANN401
    carrying: Carrying,
) -> Planned:
    """The readings that messages with this skeleton have; `tree` is one of them. Raises Unfit."""
    own = uid_of(kind.device, captures, tree, tree) if kind.said.format == "senml" else ""
    tree = marked(tree, skeleton.root)
    chosen = next((one for one, _ in candidates if holds(one.where, tree)), None)
    if chosen is not kind:
        raise Unfit("another kind of message is meant when its leaves are not known")
    if kind.learns is not None and _names_somebody(kind.learns, captures, tree):
        raise Unfit("names are learnt from it")
    found = Found()
    try:
        walk(kind.items, tree, captures, first_time(kind.clocks, tree, tree), found)
        for one, carried in _objects(kind, tree, carrying):
            walk(one.items, carried, captures, first_time(kind.clocks, tree, tree), found)
    except TooMuch:
        raise Unfit("too many readings") from None
    if own:
        found.findings = [one._replace(uid="") if one.uid == own else one for one in found.findings]
    if found.amiss or found.labels or found.operands or not 0 < len(found.findings) <= FINDINGS_MAX:
        raise Unfit("more than readings, or none")
    for finding in found.findings:
        _check(finding, skeleton)
    if len({(one.channel, one.column.metric) for one in found.findings}) != len(found.findings):
        raise Unfit("a series has two readings, and their order would matter")
    return Planned(tuple(found.findings), _flags(kind, tree), *_seq(kind, tree, skeleton))


def _names_somebody(learns: Learns, bound: Bound, tree: Any) -> bool:  # noqa: ANN401
    """Whether a message says what a device is called. What names consist of is structure: it stands in the
    tree."""
    return any(
        uid_of((learns.device,), names, item, tree) and fill(learns.alias, names, finder(item, tree))
        for item, names in items_at(learns.each.steps, tree, bound)
    )


def _objects(kind: Kind, tree: Any, carrying: Carrying) -> list[tuple[CompiledObject, Any]]:  # noqa: ANN401
    if kind.object is None and kind.codec_way is None:
        return []
    there = None if kind.object is None else reach(kind.object, tree, tree)
    if type(there) is not dict and kind.codec_way is None:
        return []
    if type(there) is not dict or not there:
        raise Unfit("octets, or an object without keys")
    reader = carrying.reader(there)
    return [] if reader is None else [(reader, there)]


def _check(finding: Finding, skeleton: Skeleton) -> None:
    """Raises Unfit for a finding that depends on more than its message, or whose value is no scalar."""
    column = finding.column
    if finding.uid or column.hold_us:
        raise Unfit("readings of several devices, or a flag that is held")
    if any(one is not None and one.remember for one in (column.sign, column.factor)):
        raise Unfit("an operand that is remembered")
    raws = [finding.raw, finding.sign, finding.factor, finding.unit]
    raws += [] if finding.time is None else [at.raw for at in finding.time.each()]
    for raw in raws:
        if type(raw) in (dict, list) or raw is UNREAD:
            raise Unfit("no single value")
    if type(finding.unit) is Marker:
        raise Unfit("a unit that is not known beforehand")


def _flags(kind: Kind, tree: Any) -> int:  # noqa: ANN401
    flags = Quality(0)
    if kind.backfill and holds(kind.backfill, tree):
        flags |= Quality.BACKFILL
    if kind.replayed and holds(kind.replayed, tree):
        flags |= Quality.REPLAYED
    return int(flags)


def _seq(kind: Kind, tree: Any, skeleton: Skeleton) -> tuple[int, int]:  # noqa: ANN401
    """The leaf of the sequence number, -1 for none, and the number that all messages have then."""
    if kind.seq is None:
        return -1, -1
    seq = reach(kind.seq, tree, tree)
    if seq is MISSING and kind.said.seq_default is not None:
        return -1, kind.said.seq_default
    if type(seq) is not Marker:
        if type(seq) is int:
            raise Unfit("a sequence number that decides structure")
        return -1, -1
    sort = skeleton.leaves[seq.number].sort if seq.number >= 0 else None
    if sort is Sort.WHOLE:
        return seq.number, -1
    if sort in (Sort.TEXT, Sort.FLAG):
        return -1, -1
    raise Unfit("a sequence number with a fraction")


def names_of(items: Iterable[Items]) -> Iterator[str]:
    """The names that templates of groups use."""
    for one in items:
        columns = [*one.values, *(column for some in one.exact.values() for column in some)]
        columns += [column for _, some in one.patterns for column in some]
        columns += [column for some in one.units.values() for column in some]
        patterns = [one.name, one.label, *one.device, *(column.channel for column in columns)]
        patterns += [column.list_channel for column in columns]
        for pattern in patterns:
            yield from (part.name for part in pattern.parts if isinstance(part, Blank)) if pattern else ()
