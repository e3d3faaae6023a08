"""What the fast way must know of a kind of message: what is looked at in it, and what reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from devices.profiles.compiling.compiled import Kind
from devices.profiles.fast.guarded import guarded
from devices.profiles.fast.looks import Look
from devices.profiles.fast.marked import look_for, may_be_learnt, names_of
from devices.profiles.fast.packs import pack_reader
from devices.profiles.fast.readers import JsonReader, Reader, TextReader
from devices.profiles.fast.skeleton import Skeleton, Unfit
from devices.profiles.general.carrying import Carrying
from devices.profiles.general.choosing import Candidate
from devices.profiles.general.heard import Heard
from devices.profiles.general.rescuing import life_keys
from devices.profiles.general.usual_names import may_tell
from devices.profiles.repeated import RepeatedKeys


class AskedKinds:
    """The kinds of one profile. Bounded by the kinds there are, and the orders in which topics ask them."""

    def __init__(self, carrying: Carrying, *, watches: bool = True) -> None:
        """`watches`: whether messages are watched for names of fires (`Watched`)."""
        self._carrying, self._watches = carrying, watches
        self.watched = 0
        """How many readers were made that watch."""
        self._looks: dict[tuple[int, ...], Look | None] = {}
        self._bound: dict[int, tuple[str, ...]] = {}

    def look(
        self, asked: tuple[int, ...], candidates: Sequence[Candidate], kind: Kind, *, answers: bool
    ) -> Look | None:
        """What is looked at in messages of a kind, the last of those that are `asked`; None where they cannot
        be learnt. `answers`: whether what a device waits for is sent."""
        if asked not in self._looks:
            before = [one for one, _ in candidates[: len(asked) - 1]]
            kind = kind if answers else replace(kind, reply=None)
            try:
                objects = () if kind.object is None else self._carrying.objects
                self._looks[asked] = look_for(before, kind, objects) if may_be_learnt(kind) else None
            except Unfit:
                self._looks[asked] = None
        return self._looks[asked]

    def reader(
        self,
        kind: Kind,
        skeleton: Skeleton,
        raw: Any,  # noqa: ANN401
        heard: Heard,
        payload: bytes,
    ) -> Reader:
        """What reads messages like one of a kind; `raw` is the JSON of a SenML pack. `skeleton` as `guarded`
        gives it."""
        if kind.said.format == "text":
            return TextReader(skeleton)
        if raw is not None:
            return pack_reader(raw, heard.tree, skeleton)
        repeated = RepeatedKeys(life_keys(kind, self._carrying.objects) if kind.said.format == "json" else ())
        watches = self._is_watched(kind)
        reader = JsonReader(skeleton, repeated, repeated.usual(heard.tree), payload if watches else None)
        self.watched += reader.watches
        return reader

    def guarded(self, kind: Kind, skeleton: Skeleton, heard: Heard, payload: bytes) -> Skeleton:
        """The skeleton, and what must not stand beside the names of fires in it. Raises Unfit where one of
        them stands where nobody reads."""
        if not self._is_watched(kind) or not may_tell(payload):
            return skeleton
        return guarded(heard.tree, skeleton)

    def _is_watched(self, kind: Kind) -> bool:
        return self._watches and not kind.said.echo and kind.said.format == "json"

    def bound_names(self, kind: Kind) -> tuple[str, ...]:
        """The names that the topic may bind and that readings of a kind need."""
        known = self._bound.get(kind.number)
        if known is None:
            objects = () if kind.object is None else self._carrying.objects
            items = [*kind.items, *(item for one in objects for item in one.items)]
            known = self._bound[kind.number] = tuple(sorted(set(names_of(items))))
        return known
