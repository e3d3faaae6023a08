"""The parts that the octets of one Sparkplug message consist of: what stays the same, and gaps for values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

from devices.profiles.fast.skeleton import Leaf, Node, Row, Skeleton, Sort, Thing, Unfit
from devices.profiles.formats.sparkplug_wire import SIGNED_BITS

PARTS_MAX: Final = 400
"""Parts of one form (chosen: a hundred metrics)."""
LONGEST_VARINT: Final = 10


class Wire(IntEnum):
    """How octets stand in a message."""

    SAME = 0
    """As they were."""
    INT = 1
    """A varint; `bits` says how it is signed, 0 where it is not."""
    FLAG = 2
    FLOAT = 3
    DOUBLE = 4
    OPEN = 5
    """The length of a metric, which `CLOSE` ends."""
    CLOSE = 6


class Part(NamedTuple):
    """A part of a form. `leaf` is where its value goes, -1 for nowhere; `most` is the largest integer that
    the field holds (`MOST_TIME`: a time, which 0 is not)."""

    wire: Wire
    octets: bytes = b""
    leaf: int = -1
    bits: int = 0
    most: int = 0


class _Field(NamedTuple):
    number: int
    wire: int
    tag: bytes
    body: bytes


_MOST_32: Final = (1 << 32) - 1
MOST_TIME: Final = (1 << 63) - 1
MOST_64: Final = (1 << 64) - 1
_VALUES: Final = frozenset(range(10, 20))
_TIMESTAMP, _METRICS, _SEQ = 1, 2, 3
_METRIC_TIMESTAMP: Final = 3
_INT, _LONG, _FLOAT, _DOUBLE, _BOOL = 10, 11, 12, 13, 14


class Drawn(NamedTuple):
    """A form: its parts, and leaves that have no gap, being the same in all messages."""

    parts: tuple[Part, ...]
    always: Mapping[int, float]


def drawn(payload: bytes, tree: Any, skeleton: Skeleton) -> Drawn:  # noqa: ANN401
    """The form of a message, which means `tree` and has that skeleton. Raises Unfit."""
    leaves = dict(_leaves(skeleton.root, ()))
    parts = _merged(list(_payload_parts(payload, tree, leaves)))
    if len(parts) > PARTS_MAX:
        raise Unfit("too many parts")
    filled = {part.leaf for part in parts if part.leaf >= 0}
    always = {
        leaf.number: _constant(path, leaf, tree) for path, leaf in leaves.items() if leaf.number not in filled
    }
    return Drawn(tuple(parts), always)


def _leaves(node: Node, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Leaf]]:
    if isinstance(node, Leaf):
        yield path, node
    elif isinstance(node, Thing):
        for key, part in zip(node.keys, node.parts, strict=True):
            yield from _leaves(part, (*path, key))
    elif isinstance(node, Row):
        for n, part in enumerate(node.parts):
            yield from _leaves(part, (*path, n))


def _constant(path: Sequence[str | int], leaf: Leaf, tree: Any) -> float:  # noqa: ANN401
    """What a leaf says that has no gap, and is the same in all messages therefore."""
    for step in path:
        tree = tree[step]
    if leaf.sort not in (Sort.NUMBER, Sort.FLAG, Sort.WHOLE) or not abs(float(tree)) < 1 << 53:
        raise Unfit("a text is read, or a number too large")
    return float(tree)


_Leaves = Mapping[tuple[str | int, ...], Leaf]


def _payload_parts(payload: bytes, tree: Any, leaves: _Leaves) -> Iterator[Part]:  # noqa: ANN401
    count, seen = 0, set[int]()
    for field in _fields(payload):
        if field.number != _METRICS:
            if field.number in seen:
                raise Unfit("a field twice")
            seen.add(field.number)
        if field.number == _METRICS and field.wire == 2:
            yield Part(Wire.SAME, field.tag)
            yield Part(Wire.OPEN)
            yield from _metric_parts(field.body, count, tree["metrics"][count], leaves)
            yield Part(Wire.CLOSE)
            count += 1
        elif field.number == _TIMESTAMP and field.wire == 0 and "timestamp" in tree:
            yield Part(Wire.SAME, field.tag)
            yield _int(leaves.get(("timestamp",)), MOST_TIME)
        elif field.number == _SEQ and field.wire == 0:
            yield Part(Wire.SAME, field.tag)
            yield _int(leaves.get(("seq",)), MOST_TIME - 1)
        else:
            yield Part(Wire.SAME, _whole(field))
    if count != len(tree["metrics"]):
        raise Unfit("metrics that were not read")


def _metric_parts(body: bytes, n: int, metric: dict[str, Any], leaves: _Leaves) -> Iterator[Part]:
    seen = set[int]()
    certain = not {"quality", "is_null", "incomplete"} & metric.keys()
    value = leaves.get(("metrics", n, "value"))
    for field in _fields(body):
        if field.number in seen or (field.number in _VALUES and seen & _VALUES):
            raise Unfit("a field twice")
        seen.add(field.number)
        if field.number == _METRIC_TIMESTAMP and field.wire == 0 and "timestamp" in metric:
            yield Part(Wire.SAME, field.tag)
            yield _int(leaves.get(("metrics", n, "timestamp")), MOST_TIME)
        elif certain and field.number in (_INT, _LONG, _FLOAT, _DOUBLE, _BOOL):
            yield Part(Wire.SAME, field.tag)
            yield _value(field, value, SIGNED_BITS.get(metric.get("datatype", 0), 0))
        else:
            yield Part(Wire.SAME, _whole(field))


def _int(leaf: Leaf | None, most: int, bits: int = 0) -> Part:
    return Part(Wire.INT, leaf=-1 if leaf is None else leaf.number, bits=bits, most=most)


def _value(field: _Field, leaf: Leaf | None, bits: int) -> Part:
    number = -1 if leaf is None else leaf.number
    kinds = {_FLOAT: (5, Wire.FLOAT), _DOUBLE: (1, Wire.DOUBLE), _BOOL: (0, Wire.FLAG)}
    if field.number in kinds:
        wire, kind = kinds[field.number]
        if field.wire != wire:
            raise Unfit("a field of another type")
        return Part(kind, leaf=number)
    if field.wire != 0:
        raise Unfit("a field of another type")
    return _int(leaf, _MOST_32 if field.number == _INT else MOST_64, bits)


def _fields(body: bytes) -> Iterator[_Field]:
    """The fields of a protobuf message. Raises Unfit for what is none, or no longer in use."""
    at = 0
    while at < len(body):
        start = at
        tag, at = _varint(body, at)
        first, wire = at, tag & 7
        if wire == 2:
            size, first = _varint(body, at)
            at = first + size
        elif wire == 0:
            _, at = _varint(body, at)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise Unfit("a group")
        if at > len(body):
            raise Unfit("cut off")
        yield _Field(tag >> 3, wire, body[start : (start + len(_tag(body, start)))], body[first:at])


def _tag(body: bytes, at: int) -> bytes:
    return body[at : _varint(body, at)[1]]


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = 0
    for n, octet in enumerate(body[at : at + LONGEST_VARINT]):
        value |= (octet & 0x7F) << (7 * n)
        if octet < 0x80:
            return value, at + n + 1
    raise Unfit("cut off")


def _whole(field: _Field) -> bytes:
    if field.wire != 2:
        return field.tag + field.body
    size, length = len(field.body), b""
    while size >= 0x80:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return field.tag + length + bytes([size]) + field.body


def _merged(parts: Sequence[Part]) -> list[Part]:
    """With neighbours that stay the same as one."""
    found: list[Part] = []
    for part in parts:
        if part.wire is Wire.SAME and found and found[-1].wire is Wire.SAME:
            found[-1] = Part(Wire.SAME, found[-1].octets + part.octets)
        else:
            found.append(part)
    return found
