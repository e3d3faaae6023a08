"""Gengfu's own format, as docs/own-format.md describes it for firmware authors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from devices.model import Int32, Metric
from devices.profiles.formats.json_text import too_costly
from devices.profiles.general.channels import channel_text, too_long
from devices.profiles.general.naming import UID_MAX, WILDCARDS
from devices.profiles.own.mapping import Field, FlatMapping, Kind
from devices.profiles.own.shapes import Shapes
from devices.profiles.own.tick import PARSE_ERRORS, Tick, refusal
from devices.profiles.profile import BEGINNING, Decoded, Points, Reason, Rejected
from devices.profiles.repeated import TWICE, RepeatedKeys
from devices.profiles.rescue import Rescue, unpadded
from devices.profiles.searching import Searching
from devices.profiles.sources import Sources
from devices.profiles.values.times import epoch_ms

NAME: Final = "own"
CHANNELS_MAX: Final = 64
"""Sensing points in one message (chosen: more than any panel has)."""
CHANNEL_LENGTH_MAX: Final = 32
"""Width of the series table's column."""
_BEFORE_ID: Final = "own:"
DEVICE_ID_MAX: Final = UID_MAX - len(_BEFORE_ID)
_SEQ_LIMIT: Final = 1 << 63
_LIMITS: Final = {
    Metric.BATTERY_PCT: (0.0, 100.0),
    Metric.HUMIDITY: (0.0, 100.0),
    Metric.POWER_FACTOR: (-1.0, 1.0),
}
"""What the quantities can be by their definition."""


class _Said(msgspec.Struct, gc=False):
    """The parts of a payload, of whatever type: a wrong part must not cost the others."""

    at: Any = None
    seq: Any = None
    values: Any = None
    channels: Any = None


def _field(metric: Metric) -> Field:
    low, high = _LIMITS.get(metric, (float("-inf"), float("inf")))
    kind = Kind.FLAG if metric.is_flag else Kind.NUMBER
    return Field(metric.name_on_wire, metric, kind=kind, low=low, high=high)


class OwnProfile:
    """Topics `gengfu/<device id>/readings`; devices are `own:<device id in lower case>`."""

    name = NAME
    version = 1
    filters: tuple[str, ...] = ("gengfu/#",)
    """All of our prefix, so that a mistyped topic shows as a refused message instead of as silence."""

    def __init__(self) -> None:
        self._mapping = FlatMapping([_field(metric) for metric in Metric])
        self._sources = Sources(self._mapping.channels)
        self._rescue = Rescue(self._mapping.life_keys)
        self.searching = Searching()
        self._repeated = RepeatedKeys(self._mapping.life_keys)
        self.shapes = Shapes(self._mapping)
        self._parse = msgspec.json.Decoder(_Said).decode

    def matches(self, topic: str) -> bool:
        """Whether the topic has the form of the format."""
        return _uid_of(topic) is not None

    def recall(self, topics: Sequence[str]) -> Int32:
        """As `Remembering.recall` promises."""
        return self._sources.recall(topics)

    def decode(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        points: Points,
        *,
        received_us: int = 0,
        retained: Sequence[bool] | None = None,
    ) -> Decoded:
        """As `Profile.decode` promises. The time of receipt and what is retained make no difference."""
        sources = self._sources
        if sources.start_tick():
            self.shapes.forget()
        tick = Tick(len(topics))
        remembered = sources.recall(topics)
        alike, rest = self.shapes.take(remembered, payloads)
        strange = tick.add_alike(alike, sources, points)
        if rest or strange:
            self._read(tick, sorted([*rest, *strange]), topics, payloads, remembered.tolist())
        return tick.finish(self._mapping, sources, points)

    def rescued(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        points: Points,
        *,
        received_us: int = 0,
        retained: Sequence[bool] | None = None,
    ) -> Decoded:
        """As `Rescuing.rescued` promises."""
        if self._sources.start_tick():
            self.shapes.forget()
        tick = Tick(len(topics))
        for n, source in enumerate(self._sources.recall(topics).tolist()):
            refused = Rejected(n, Reason.TOO_LARGE, BEGINNING)
            uid = _uid_of(topics[n])
            if source < 0 and uid is None:
                tick.rejected.append(refused)
            else:
                known = source if source >= 0 else self._sources.meet(topics[n], uid or "")
                self._refuse(tick, refused, known, topics[n], payloads[n])
        return tick.finish(self._mapping, self._sources, points)

    def _read(
        self,
        tick: Tick,
        messages: Sequence[int],
        topics: Sequence[str],
        payloads: Sequence[bytes],
        remembered: Sequence[int],
    ) -> None:
        """The general way: whatever the payload is."""
        parse, sources = self._parse, self._sources
        for n in messages:
            topic, payload, source = topics[n], payloads[n], remembered[n]
            if source < 0:
                uid = _uid_of(topic)
                if uid is None:
                    tick.rejected.append(Rejected(n, Reason.UNKNOWN_TOPIC, topic[:300]))
                    continue
                source = sources.meet(topic, uid)
            if why := too_costly(payload):
                self._refuse(tick, Rejected(n, Reason.TOO_LARGE, why), source, topic, payload)
                continue
            try:
                said = parse(payload)
            except PARSE_ERRORS:
                try:
                    said = parse(unpadded(payload))
                except PARSE_ERRORS as error:
                    self._refuse(tick, refusal(n, error), source, topic, payload)
                    continue
            at_us = 0 if said.at is None else epoch_ms(said.at)
            if type(said.seq) is int and 0 <= said.seq < _SEQ_LIMIT:
                tick.seq[n] = said.seq
            refused = self._add_parts(tick, n, source, at_us, said)
            if refused is not None:
                self._refuse(tick, refused, source, topic, payload)
            else:
                self._rescue_passed_over(tick, n, source, said, topic, payload)
                if self.shapes.is_curious():
                    self._learn(source, said)

    def _learn(self, source: int, said: _Said) -> None:
        """Remembers the form of a message whose parts are all objects. Costs nobody a message."""
        parts = _parts(said)
        if said.values is None:
            parts = parts[1:]
        if said.channels is None:
            parts = parts[:-1]
        if not all(type(part) is dict for part in parts):
            return
        groups = [("", said.values)] if said.values is not None else []
        groups += (said.channels or {}).items()
        if any(len(name) > CHANNEL_LENGTH_MAX for name, _ in groups):
            return
        try:
            self.shapes.learn(source, said.at, said.seq, groups, plain=said.values is not None)
        except Exception:  # the message is understood already: what it might have taught is worth no risk
            self.shapes.decline(source)

    def _refuse(self, tick: Tick, refused: Rejected, source: int, topic: str, payload: bytes) -> None:
        """Refuses a message but for the life flags in it; their channel is not known and left empty."""
        part = self.searching.part(payload, topic)
        if len(part) < len(payload):
            why = f"{refused.reason}: {refused.detail}; only the first {len(part)} octets were searched"
            refused = replace(refused, reason=Reason.NOT_SEARCHED, detail=why)
        tick.rejected.append(refused)
        tick.rescue(refused.message, source, self._rescue.true_flags(part))

    def _rescue_passed_over(
        self, tick: Tick, n: int, source: int, said: _Said, topic: str, payload: bytes
    ) -> None:
        """Life flags in parts that are no objects or behind a key that stands twice, unless an object says
        them as well; the message is refused for it."""
        parts = _parts(said)
        heard = [part for part in parts if type(part) is dict]
        if not all(part is None or type(part) is dict for part in parts):
            why = "a part of `values` or `channels` is no object"
        elif key := self._repeated.hidden(payload, heard):
            why = f"the key {key!r} {TWICE}"
        elif key := _nested(heard, self._mapping.life_keys):
            why = f"{key} is an object or a list"
        else:
            return
        if not tick.rejected or tick.rejected[-1].message != n:
            tick.rejected.append(Rejected(n, Reason.WRONG_TYPE, why))
        flags = self._rescue.true_flags(self.searching.part(payload, topic))
        unheard = {key: True for key in flags if not any(part.get(key) is True for part in heard)}
        tick.rescue(n, source, unheard)

    def _add_parts(self, tick: Tick, n: int, source: int, at_us: int, said: _Said) -> Rejected | None:
        """Values and channels; a part that is no object is passed over unless there is no other."""
        if said.values is None and said.channels is None:
            return Rejected(n, Reason.NOTHING_KNOWN, "no values")
        groups = [("", said.values)]
        if type(said.channels) is dict:
            groups.extend(said.channels.items())
        if len(groups) > CHANNELS_MAX + 1:
            return Rejected(n, Reason.WRONG_TYPE, f"more than {CHANNELS_MAX} channels")
        objects = [(channel, values) for channel, values in groups if type(values) is dict]
        if not objects:
            where = "$.values" if said.values is not None else "$.channels"
            return Rejected(n, Reason.WRONG_TYPE, f"Expected `object` - at `{where}`")
        for channel, values in objects:
            tick.add(n, source, at_us, values, self._sources.channel_number(_named(tick, n, channel)))
        return None


def _named(tick: Tick, n: int, channel: str) -> str:
    """The channel as it is stored. Where that is not what the message calls it, a person must see it."""
    if len(channel) > CHANNEL_LENGTH_MAX and (not tick.rejected or tick.rejected[-1].message != n):
        tick.rejected.append(Rejected(n, Reason.WRONG_TYPE, too_long(channel)))
    return channel_text(channel) if len(channel) > CHANNEL_LENGTH_MAX else channel


def _nested(parts: Sequence[dict[str, Any]], keys: Sequence[str]) -> str:
    """The first of some keys behind which no value stands but an object or a list; "" for none."""
    return next((key for part in parts for key in keys if type(part.get(key)) in (dict, list)), "")


def _parts(said: _Said) -> list[Any]:
    """What should be an object of values each, or is `channels` where that is no object."""
    channels = said.channels
    return [said.values, *(channels.values() if type(channels) is dict else [channels])]


def _uid_of(topic: str) -> str | None:
    parts = topic.split("/")
    if len(parts) != 3 or parts[0] != "gengfu" or parts[2] != "readings":
        return None
    taken = 1 <= len(parts[1]) <= DEVICE_ID_MAX and WILDCARDS.isdisjoint(parts[1])
    return f"{_BEFORE_ID}{parts[1].lower()}" if taken else None
