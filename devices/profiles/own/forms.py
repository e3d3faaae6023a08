"""The form of a message, which keys of which types, compiled into a type that takes just that form. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Annotated, Any, Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta

from devices.model import Float64
from devices.profiles.own.mapping import Columns, FlatMapping
from devices.profiles.repeated import RepeatedKeys

KEYS_MAX: Final = 64
PARTS_MAX: Final = 8
"""A message with more keys or parts always goes the general way (chosen: compiling so much takes 2 ms)."""
_Whole = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]

Group = tuple[str, dict[str, Any]]
"""A channel's name (empty: the device as a whole) and its values as JSON gave them."""


class Form(NamedTuple):
    """What makes two messages alike: which parts there are, and the keys and types of each, in order.

    A type is bool, float (any number), or object for a key that means nothing and may be anything.
    """

    timed: bool
    numbered: bool
    parts: tuple[tuple[str, tuple[str, ...], tuple[type, ...]], ...]
    plain: bool
    """Whether the values of the device as a whole are there."""


class Shape:
    """A compiled form. `fields` and `channels` say for each column what it is and under which channel."""

    def __init__(self, form: Form, mapping: FlatMapping) -> None:
        self.form = form
        keys = [(channel, key) for channel, keys, _ in form.parts for key in keys]
        fields = mapping.columns([key for _, key in keys])
        known = np.flatnonzero(fields > 0)
        self.fields: Columns = fields[known]
        self.channels = tuple(keys[n][0] for n in known.tolist())
        self.limits = mapping.limits(self.fields)
        self._picks = [pick for n in range(len(form.parts)) if (pick := _pick_of(form, n)).width]
        self._decode = msgspec.json.Decoder(_compiled(form)).decode
        life = Counter(key for _, key in keys if key in mapping.life_keys)
        self._repeated, self._usual = RepeatedKeys(life), dict(life)

    def read(self, payloads: Sequence[bytes]) -> tuple[list[Any], list[int]]:
        """The payloads that have the shape, in order, and the places of those that have not."""
        decode, said, odd = self._decode, [], []
        doubtful = set(self._repeated.doubtful(payloads, self._usual)) if self._usual else set()
        for n, payload in enumerate(payloads):
            if doubtful and n in doubtful:
                odd.append(n)
                continue
            try:
                said.append(decode(payload))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                odd.append(n)
        return said, odd

    def table(self, said: list[Any]) -> Float64:
        """The values, a line for each message."""
        table, at = np.empty((len(said), len(self.fields))), 0
        for part, values, width in self._picks:
            picked = chain.from_iterable(map(values, map(part, said)))
            table[:, at : at + width] = np.fromiter(picked, np.float64, len(said) * width).reshape(-1, width)
            at += width
        return table


def form_of(
    mapping: FlatMapping, at: object, seq: object, groups: Sequence[Group], *, plain: bool
) -> Form | None:
    """The form of a message; None for one that only the general way should read."""
    if (at is not None and type(at) is not int) or (seq is not None and type(seq) is not int):
        return None
    if len(groups) > PARTS_MAX or sum(len(values) for _, values in groups) > KEYS_MAX:
        return None
    if not all(_can_be_named(name) and all(map(_can_be_named, values)) for name, values in groups):
        return None
    parts, some = [], False
    for name, values in groups:
        types: list[type] = []
        for key, value in values.items():
            meant, kind = mapping.type_as_is(key), type(value)
            if meant is not object:
                if meant is not (float if kind is int else kind):
                    return None
                some = True
            types.append(meant)
        parts.append((name, tuple(values), tuple(types)))
    return Form(at is not None, seq is not None, tuple(parts), plain) if some else None


def _can_be_named(text: str) -> bool:
    """Whether msgspec takes it as a field's name: no quote, backslash or control character."""
    return text.isprintable() and not {'"', "\\"} & set(text)


class _Pick(NamedTuple):
    """How the values of a part are fetched: the part of a message, and those of its values that count.

    Two steps in C cost half of what one path for each value does (measured).
    """

    part: Callable[[Any], Any]
    values: Callable[[Any], Iterable[float]]
    width: int


def _pick_of(form: Form, number: int) -> _Pick:
    part = attrgetter("values" if form.plain and number == 0 else f"channels.c{number}")
    types = form.parts[number][2]
    known = [n for n, kind in enumerate(types) if kind is not object]
    if len(known) == len(types):
        return _Pick(part, msgspec.structs.astuple, len(types))
    names = [f"v{n}" for n in known]
    return _Pick(part, attrgetter(*names) if len(names) > 1 else _alone(names), len(names))


def _alone(names: Sequence[str]) -> Callable[[Any], Iterable[float]]:
    """The one value as a tuple, which a getter of one name would not give."""
    return lambda values: tuple(getattr(values, name) for name in names)


def _compiled(form: Form) -> type[msgspec.Struct]:
    """A type that takes what has this form. Other keys beside the four are passed over, as everywhere."""
    objects = [_object_type(keys, types) for _, keys, types in form.parts]
    values: Any = objects[0] if form.plain else None
    named = [
        (f"c{n}", objects[n], msgspec.field(name=name))
        for n, (name, *_) in enumerate(form.parts)
        if n or not form.plain
    ]
    channels: Any = msgspec.defstruct("Channels", named, forbid_unknown_fields=True, gc=False)
    fields: list[Any] = [
        ("at", _Whole) if form.timed else ("at", None, None),
        ("seq", _Whole) if form.numbered else ("seq", None, None),
        ("values", values) if form.plain else ("values", None, None),
        ("channels", channels) if named else ("channels", None, None),
    ]
    fields.sort(key=len)  # what has a default comes last
    return msgspec.defstruct("Said", fields, gc=False)


def _object_type(keys: Sequence[str], types: Sequence[type]) -> type[msgspec.Struct]:
    fields: list[Any] = []
    for n, (key, kind) in enumerate(zip(keys, types, strict=True)):
        fields.append((f"v{n}", Any if kind is object else kind, msgspec.field(name=key)))
    return msgspec.defstruct("Values", fields, forbid_unknown_fields=True, gc=False)
