"""A form that is known: messages in, readings out, as far as they have it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from devices.model import Bool, Int32, Int64
from devices.profiles.fast.marked import Planned
from devices.profiles.fast.plan import Lines, Plan
from devices.profiles.fast.readers import Reader, TextReader
from devices.profiles.fast.skeleton import Skeleton
from devices.profiles.profile import Decoded, Points
from devices.profiles.sources import STRANGER, Sources


class Asked(NamedTuple):
    """Messages of a tick of `size` messages: their numbers in it, their sources and their payloads."""

    size: int
    message: Int32
    source: Int32
    payloads: Sequence[bytes]


class Taken(NamedTuple):
    """What a form made of the messages asked about. `took`: their numbers; `odd`: those that have not the
    form; `unsure`: those that have it, but are for the general way all the same."""

    decoded: Decoded | None
    took: Int32
    odd: list[int]
    unsure: list[int]


class Known:
    """A form ready for use. Raises Unfit where it could not be read at once."""

    def __init__(self, skeleton: Skeleton, planned: Planned, reader: Reader) -> None:
        self._reader = reader
        self.few = reader.few
        octets = isinstance(reader, TextReader)
        self._plan = Plan(planned, skeleton.leaves, reader.place, octets=octets)
        self._channels = list(dict.fromkeys(self._plan.channels))
        self._channel_of = [self._channels.index(one) for one in self._plan.channels]

    @property
    def has_names(self) -> bool:
        """Whether messages say which device they are of, or something about it, beside their topic."""
        return self._reader.has_names

    def names_in(self, payload: bytes) -> int | None:
        """A number for the names in a message (`Fetching.names`; 0 where there are none), None where it
        has not the form."""
        said, _ = self._reader.said([payload])
        if not said:
            return None
        return int(self._reader.names(said)[0]) if self.has_names else 0

    def take(self, asked: Asked, names: Int64 | None, sources: Sources, points: Points) -> Taken:
        """The readings of the messages that have the form. `names`: what `names_in` said of each message's
        source."""
        said, odd = self._reader.said(asked.payloads)
        message, source = asked.message, asked.source
        if odd:
            has = np.ones(len(message), np.bool_)
            has[odd] = False
            odd = message[odd].tolist()
            message, source = message[has], source[has]
            names = None if names is None else names[has]
        if not said:
            return Taken(None, message, odd, [])
        columns = self._reader.columns(said)
        lines = self._plan.lines(columns)
        sure = _all_of(self._reader.as_it_was(columns), None if lines.doubtful is None else ~lines.doubtful)
        if self.has_names and names is not None:
            same = self._reader.names(said) == names
            sure = _all_of(sure, None if same.all() else same)
        rows = self._rows(source, sources, points)
        if int(rows.min()) < 0:
            sure = _all_of(sure, (rows != STRANGER).all(axis=1))
        unsure: list[int] = []
        if sure is not None:
            unsure = message[~sure].tolist()
            message, rows, lines = message[sure], rows[sure], _only(lines, sure)
        return Taken(self._decoded(asked.size, message, rows, lines), message, odd, unsure)

    def _rows(self, source: Int32, sources: Sources, points: Points) -> Int32:
        """The row of each reading, a line a message."""
        numbers = [sources.channel_number(name) for name in self._channels]
        wide = source.astype(np.intp)
        if len(numbers) == 1:
            rows = sources.rows(wide, np.full(len(wide), numbers[0], np.intp), points)
            return rows.reshape(-1, 1)
        rows = sources.rows(wide.repeat(len(numbers)), np.tile(np.array(numbers, np.intp), len(wide)), points)
        return rows.reshape(-1, len(numbers))

    def _decoded(self, size: int, message: Int32, rows: Int32, lines: Lines) -> Decoded | None:
        count, width = lines.value.shape
        if not count:
            return None
        row = rows.repeat(width) if rows.shape[1] == 1 else rows[:, self._channel_of].reshape(-1)
        if lines.observed_us is None:
            observed_us = np.zeros(count * width, np.int64)
        elif lines.observed_us.shape[1] == 1:
            observed_us = lines.observed_us.repeat(width)
        else:
            observed_us = lines.observed_us.reshape(-1)
        seq = np.full(size, -1, np.int64)
        if lines.seq is not None:
            seq[message] = lines.seq
        return Decoded(
            row=row,
            metric=np.tile(self._plan.metric, count),
            observed_us=observed_us,
            value=lines.value.reshape(-1),
            quality=lines.quality.reshape(-1),
            message=message.repeat(width),
            seq=seq,
            rejected=[],
            strangers=[],
        )


def _only(lines: Lines, sure: Bool) -> Lines:
    return Lines(
        lines.value[sure],
        lines.quality[sure],
        None if lines.observed_us is None else lines.observed_us[sure],
        None if lines.seq is None else lines.seq[sure],
        None,
    )


def _all_of(one: Bool | None, other: Bool | None) -> Bool | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
