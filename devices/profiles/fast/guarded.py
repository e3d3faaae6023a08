"""Usual names of fires in a message of a form: none may stand where the form does not hold it fast. Pure.

A form passes over what nobody reads. A usual name that stands there and says no fire, because it stands
below a setting or before null, may say one in the next message; and `Watched` only sees how often names stand
there. So a message is no form unless each of its usual names stands where the form demands and reads it; then
as many names as usual are the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from devices.profiles.fast.skeleton import (
    Fixed,
    Leaf,
    Node,
    Row,
    Scalar,
    Skeleton,
    Sort,
    Thing,
    Unfit,
    Unread,
)
from devices.profiles.general.usual_names import SAYING, USUAL, WITHIN, names_in

_SAID: Final = (*SAYING, *WITHIN)


def guarded(tree: Any, skeleton: Skeleton) -> Skeleton:  # noqa: ANN401
    """The skeleton of a message, refusing as well what would make another fire of a usual name that it reads:
    `alarm` beside `value`. Raises Unfit where a usual name stands where nobody reads."""
    root = _guarded(tree, skeleton.root, named=False)
    return skeleton if root == skeleton.root else replace(skeleton, root=root)


def _guarded(value: Any, node: Node, *, named: bool) -> Node:  # noqa: ANN401
    """`named`: a usual name stands before the value, so that what it says may be a fire."""
    if isinstance(node, Unread | Scalar):
        if named or _tells(value):
            raise Unfit("the name of a fire where nobody reads")
        return node
    if isinstance(node, Thing):
        return _thing(value, node, named=named)
    return _row(value, node, named=named) if isinstance(node, Row) else node


def _row(value: Sequence[Any], node: Row, *, named: bool) -> Row:
    size = len(node.parts)
    if not node.closed and (named or any(map(_tells, value[size:]))):
        raise Unfit("the name of a fire before a list that nobody reads whole")
    parts = (_guarded(one, part, named=named) for one, part in zip(value[:size], node.parts, strict=True))
    return replace(node, parts=tuple(parts))


def _thing(value: dict[str, Any], node: Thing, *, named: bool) -> Thing:
    known = dict(zip(node.keys, node.parts, strict=True))
    named = named or _is_named(value, known)
    for key, one in value.items():
        if key not in known and (key.lower() in USUAL or (named and key in _SAID) or _tells(one)):
            raise Unfit("the name of a fire beside what is read")
    parts = tuple(
        _guarded(value[key], part, named=key.lower() in USUAL or (named and key in _SAID))
        for key, part in known.items()
    )
    more = () if node.closed or not named else tuple(key for key in _SAID if key not in value)
    return replace(node, parts=parts, lacks=tuple(dict.fromkeys((*node.lacks, *more))))


def _is_named(value: dict[str, Any], known: dict[str, Node]) -> bool:
    """Whether an item has a usual name. Raises Unfit where its next message may have another."""
    keys = names_in(value)
    for key in keys:
        part = known.get(key)
        if not isinstance(part, Fixed) and not (isinstance(part, Leaf) and part.sort is Sort.NAME):
            raise Unfit("the name of a fire as a text that may be another")
    return bool(keys)


def _tells(value: Any) -> bool:  # noqa: ANN401
    """Whether a usual name stands anywhere in a value, whatever it says."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if type(one) is list:
            waiting += one
        elif type(one) is dict:
            if names_in(one) or any(key.lower() in USUAL for key in one):
                return True
            waiting += one.values()
    return False
