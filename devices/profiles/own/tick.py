"""One tick's messages on their way from payloads to arrays: gathered as lists, finished all at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import numpy as np

from devices.model import LIFE_FLAGS, Bool, Int32, Metric, Quality
from devices.profiles.own.alike import decoded_alike, joined, registered_only
from devices.profiles.own.mapping import Columns, FlatMapping, known_only
from devices.profiles.own.shapes import Alike
from devices.profiles.profile import (
    NO_ASIDES,
    STRANGERS_A_TICK,
    Decoded,
    Points,
    Reason,
    Rejected,
    Stranger,
    StrangerReading,
)
from devices.profiles.sources import STRANGER, Sources

PARSE_ERRORS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""All that msgspec's JSON decoder raises for bytes from outside (fuzzed in the tests)."""
DETAIL_MAX: Final = 300
"""Width of the dead letter's column."""
_LIFE: Final = np.array(sorted(LIFE_FLAGS), np.int16)


def refusal(message: int, error: Exception) -> Rejected:
    """Why a payload could not be parsed, in the parser's own words."""
    if isinstance(error, msgspec.ValidationError):
        reason = Reason.WRONG_TYPE
    elif isinstance(error, UnicodeDecodeError):
        reason = Reason.NOT_UTF8
    else:
        reason = Reason.NOT_JSON
    return Rejected(message, reason, str(error)[:DETAIL_MAX])


class Tick:
    """Groups of values (one object of a payload each) with their message, source and time.

    The lists are filled by a profile's loop directly: a call per group would cost more than the group.
    `quiet` holds messages that were accepted and mean nothing; `seq` one number per message, -1 for none.
    A message can be refused and have readings at once: life flags that were rescued from it.
    """

    def __init__(self, messages: int) -> None:
        self.message: list[int] = []
        self.channel: list[int] = []
        self.source: list[int] = []
        self.observed_us: list[int] = []
        self.size: list[int] = []
        self.keys: list[str] = []
        self.values: list[Any] = []
        self.seq = [-1] * messages
        self.rejected: list[Rejected] = []
        self.quiet: list[int] = []
        self._rescued: list[int] = []
        self._alike: list[tuple[Alike, Int32]] = []

    def add_alike(self, found: Iterable[Alike], sources: Sources, points: Points) -> list[int]:
        """Messages of one shape each; the numbers of those of strangers, to be added the general way."""
        strange: list[int] = []
        for one in found:
            alike, rows, gone = registered_only(one, sources, points)
            if len(alike.message):
                self._alike.append((alike, rows))
            strange += gone
        return strange

    def add(
        self, message: int, source: int, observed_us: int, values: dict[str, Any], channel: int = 0
    ) -> None:
        """One group, reported under a channel (`Sources.channel_number`; 0: none)."""
        self.message.append(message)
        self.channel.append(channel)
        self.source.append(source)
        self.observed_us.append(observed_us)
        self.size.append(len(values))
        self.keys.extend(values)
        self.values.extend(values.values())

    def rescue(self, message: int, source: int, flags: dict[str, bool]) -> None:
        """True life flags of a message (or part of one) that could not be read: SUSPECT, time unknown."""
        if flags:
            self._rescued.append(len(self.size))
            self.add(message, source, 0, flags)

    def finish(self, mapping: FlatMapping, sources: Sources, points: Points) -> Decoded:
        """The arrays. Messages without one known key are refused, those of strangers as well."""
        parts = [decoded_alike(alike, rows, mapping, len(self.seq)) for alike, rows in self._alike]
        if len(parts) == 1 and len(self._alike[0][0].message) == len(self.seq):  # the usual tick
            sources.end_tick()
            return parts[0]
        general = self._finish_general(mapping, sources, points)
        return joined(general, parts) if parts else general

    def _finish_general(self, mapping: FlatMapping, sources: Sources, points: Points) -> Decoded:
        columns = mapping.columns(self.keys)
        known = columns > 0
        group = np.repeat(np.arange(len(self.size)), self.size)[known]
        columns = columns[known]
        judged = mapping.judge(columns, known_only(known, self.values))
        if self._rescued:
            judged.quality[np.isin(group, self._rescued)] |= np.uint32(Quality.SUSPECT)
        message = np.array(self.message, np.int32)[group]
        observed_us = np.array(self.observed_us, np.int64)[group]
        source, channel = np.array(self.source, np.intp), np.array(self.channel, np.intp)
        if len(mapping.channels) == 1:  # a group has one channel, and one row
            meant = np.flatnonzero(np.bincount(group, minlength=len(source)))
            row_of = np.full(len(source), STRANGER, np.int32)
            row_of[meant] = sources.rows(source[meant], channel[meant], points)
            row, channel = row_of[group], channel[group]
        else:  # a field's own channel comes before the one it was reported under
            own = mapping.channel_number[columns]
            channel = np.where(own > 0, own, channel[group])
            row = sources.rows(source[group], channel, points)
        self._refuse_meaningless(message)
        strange = row == STRANGER
        strangers: list[StrangerReading] = []
        asides = NO_ASIDES
        if strange.any():
            asides = NO_ASIDES._replace(strangers=self._who(mapping, sources, group, columns, strange))
            self._refuse_strangers(sources, group[strange])
            for n in np.flatnonzero(strange & np.isin(mapping.metric[columns], _LIFE)).tolist():
                place = int(group[n]), int(columns[n]), int(channel[n])
                strangers.append(self._stranger(mapping, sources, place, judged.at(n)))
        sources.end_tick()
        keep = judged.keep & ~strange
        return Decoded(
            row=row[keep],
            metric=mapping.metric[columns[keep]],
            observed_us=observed_us[keep],
            value=judged.value[keep],
            quality=judged.quality[keep],
            message=message[keep],
            seq=np.array(self.seq, np.int64),
            rejected=sorted(self.rejected, key=lambda one: one.message),
            strangers=strangers,
            asides=asides,
        )

    def _who(
        self, mapping: FlatMapping, sources: Sources, group: Columns, columns: Columns, strange: Bool
    ) -> tuple[Stranger, ...]:
        """Who the strange readings are of."""
        found: dict[int, set[int]] = {}
        for n in np.flatnonzero(strange).tolist():
            source = self.source[int(group[n])]
            if source in found or len(found) < STRANGERS_A_TICK:
                found.setdefault(source, set()).add(int(mapping.metric[columns[n]]))
        return tuple(
            Stranger(uid, f"gengfu/{uid.removeprefix('own:')}/readings", frozenset(metrics))
            for source, metrics in found.items()
            if (uid := sources.uid(source))
        )

    def _refuse_meaningless(self, message: Int32) -> None:
        meant = np.zeros(len(self.seq), np.bool_)
        meant[message] = True
        for alike, _ in self._alike:
            meant[alike.message] = True
        meant[self.quiet] = True
        meant[[one.message for one in self.rejected]] = True
        for n in np.flatnonzero(~meant).tolist():
            keys = ", ".join(self._keys_of(n)[:8])
            detail = f"no known key among: {keys}" if keys else "no values"
            self.rejected.append(Rejected(n, Reason.NOTHING_KNOWN, detail[:DETAIL_MAX]))

    def _keys_of(self, message: int) -> list[str]:
        ends = np.cumsum(self.size)
        groups = [n for n, each in enumerate(self.message) if each == message]
        return [key for n in groups for key in self.keys[ends[n] - self.size[n] : ends[n]]]

    def _refuse_strangers(self, sources: Sources, groups: Columns) -> None:
        """One refusal per message, naming the device, so that an installer can accept it. A message that
        was refused already keeps its reason."""
        refused = {one.message for one in self.rejected}
        uids = {self.message[g]: sources.uid(self.source[g]) for g in np.unique(groups).tolist()}
        self.rejected.extend(
            Rejected(n, Reason.UNKNOWN_DEVICE, uid) for n, uid in uids.items() if n not in refused
        )

    def _stranger(
        self, mapping: FlatMapping, sources: Sources, place: tuple[int, int, int], found: tuple[float, int]
    ) -> StrangerReading:
        """What a device nobody registered says about life: kept, although its message is refused."""
        group, column, channel = place
        value, quality = found
        source = self.source[group]
        return StrangerReading(
            message=self.message[group],
            uid=sources.uid(source),
            channel=sources.channel(channel),
            metric=Metric(int(mapping.metric[column])),
            value=value,
            observed_us=self.observed_us[group],
            quality=quality,
        )
