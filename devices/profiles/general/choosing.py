"""From octets to a tree, and which kind of message it is: the first whose `where` holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from devices.profiles.compiling.compiled import Kind
from devices.profiles.formats.all import FORMATS
from devices.profiles.formats.format import FormatContext, Unreadable
from devices.profiles.formats.json_text import read_json
from devices.profiles.general.findings import Raw, Tree
from devices.profiles.general.reaching import Bound, holds
from devices.profiles.memory import Memory
from devices.profiles.profile import Reason
from devices.profiles.rescue import unpadded

_TEXTUAL = frozenset({"json", "text", "csv", "senml", "home_assistant"})
"""Formats in which an empty payload is no message but the end of a retained one."""
_NAMED_MAX = 8
"""Keys that a refusal names."""


class Candidate(NamedTuple):
    """A kind of message that comes on a topic, with what its pattern cut out of the topic."""

    kind: Kind
    captures: Bound


class Chosen(NamedTuple):
    """A message that could be read, as which kind."""

    kind: Kind
    captures: Bound
    tree: Tree


def choose(candidates: Sequence[Candidate], payload: bytes, memory: Memory, received_us: int = 0) -> Chosen:
    """The message as the first candidate that can read it and whose `where` holds; `received_us` is when it
    came, 0 where nobody knows.

    Raises Unreadable: in the words of the first that could not read it, or because none is meant. What an
    earlier kind could not read is not passed over by one that does not look at it (`none`): it may hold a
    life flag.
    """
    fault: Unreadable | None = None
    trees: dict[str, Any] = {}
    unread: set[str] = set()
    for kind, captures in candidates:
        if fault is not None and kind.said.format == "none":
            continue
        shared = _shared(kind)
        if shared in unread:
            continue
        try:
            if shared not in trees:
                trees[shared] = read(kind, captures, payload, memory, received_us)
        except Unreadable as error:
            fault = fault or error
            unread.add(shared)
            continue
        if not kind.where or holds(kind.where, trees[shared]):
            return Chosen(kind, captures, trees[shared])
    if fault is not None:
        raise fault
    tree = next(iter(trees.values()), None)
    raise Unreadable(Reason.NOTHING_KNOWN, f"no kind of message with {named(tree)}")


def _shared(kind: Kind) -> str:
    """Kinds with the same text here have one tree."""
    if kind.is_word:
        return "word"
    form = kind.said.format
    return form if form in ("json", "text") else str(kind.number)


def read(kind: Kind, captures: Bound, payload: bytes, memory: Memory, received_us: int = 0) -> Raw:
    """The payload in the kind's format, without its padding where it cannot be read with it. Raises
    Unreadable."""
    if kind.is_json and not kind.is_word:
        return read_json(payload)  # which takes off the padding itself
    said = {name: str(value) for name, value in captures.items()}
    context = FormatContext(captures=said, memory=memory, options=kind.said, received_us=received_us)
    read_in = FORMATS[kind.said.format]
    try:
        return read_in(payload, context)
    except Unreadable as error:
        plain = unpadded(payload)
        if len(plain) < len(payload):
            try:
                return read_in(plain, context)
            except Unreadable:
                pass
        if kind.is_word:
            return FORMATS["text"](plain, context)
        raise error


def clears(candidates: Sequence[Candidate], payload: bytes) -> bool:
    """Whether this ends a retained message and says nothing else: the empty payload of a textual format."""
    return not payload and all(kind.said.format in _TEXTUAL | {"none", "octets"} for kind, _ in candidates)


def named(tree: Tree) -> str:
    """Some of the keys of a tree, or what it is instead, for a refusal."""
    while type(tree) is list and tree:
        tree = tree[0]
    if type(tree) is dict:
        return "keys " + ", ".join(key[:40] for key in list(tree)[:_NAMED_MAX]) if tree else "no keys"
    return f"{type(tree).__name__} instead of keys" if tree not in (None, []) else "no values"
