"""What a profile remembers between ticks: which topic is which device, and the rows of its points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Int32
from devices.profiles.profile import Points
from devices.profiles.table import Table

UNRESOLVED: Final = -2
STRANGER: Final = -1
SOURCES_MAX: Final = 1 << 21
"""Beyond this everything is forgotten and asked again: twice the million devices of the design (chosen)."""
NO_CHANNEL: Final = 0
"""The number of the channel "" where it is the first that `Sources` was given."""
CHANNELS_MAX: Final = 32
"""How many channel names a profile has columns for; the points of others are asked for at each message
(chosen: three phases, neutral, total and two dozen branches)."""


class Sources:
    """Numbers for what speaks: a topic. Each has a row per channel, asked of `Points` when first needed.

    Whether a row's device is still registered is asked at every tick, so nothing has to be forgotten when
    the registry changes. Topics that turned out to belong to nobody registered, and channels nobody has, are
    forgotten at the end of the tick: a flood of invented ones leaves nothing behind.

    Topics are told apart by Python's hash of them: 64 bits, keyed anew in each process (SipHash). That two of
    a million topics are taken for one happens in one of 40 million starts; keeping the texts to compare them
    would double the cost of a look-up.
    """

    def __init__(self, channels: tuple[str, ...]) -> None:
        self._channels = list(channels)
        self._channel_numbers = {name: n for n, name in enumerate(channels)}
        self._fixed = self._kept_channels = len(channels)
        self._table = Table()
        self._uids: list[str] = []
        self._rows = np.full((256, max(1, len(channels))), UNRESOLVED, np.int32)
        self._free: list[int] = []
        self._met: dict[str, int] = {}
        self._named: list[tuple[int, int]] = []
        """(source, channel) of what was asked in this tick under a channel that is new."""
        self._recalled: tuple[Sequence[str], Int32] | None = None

    def __len__(self) -> int:
        """How many topics are remembered."""
        return len(self._table)

    def start_tick(self) -> bool:
        """Forgets everything when there is too much of it; True where numbers mean others from now on."""
        if len(self._table) <= SOURCES_MAX:
            return False
        self._table.clear()
        self._uids.clear()
        self._free.clear()
        self._rows.fill(UNRESOLVED)
        self._recalled = None
        return True

    def recall(self, topics: Sequence[str]) -> Int32:
        """The number of each topic, negative for one that is not remembered.

        Asked again for the same list before the tick is over it costs nothing.
        """
        if self._recalled is not None and self._recalled[0] is topics:
            return self._recalled[1]
        numbers = self._table.find(np.fromiter(map(hash, topics), np.int64, len(topics)))
        self._recalled = topics, numbers
        return numbers

    def meet(self, topic: str, uid: str) -> int:
        """The number for a topic that is not remembered, of device `uid`."""
        known = self._met.get(topic)
        if known is not None:
            return known
        if self._free:
            number = self._free.pop()
            self._uids[number] = uid
        else:
            number = len(self._uids)
            self._uids.append(uid)
            if number >= len(self._rows):
                self._rows = np.concatenate([self._rows, np.full_like(self._rows, UNRESOLVED)])
        self._table.add(hash(topic), number)
        self._met[topic] = number
        return number

    def met_as(self, topic: str) -> str | None:
        """The device that a topic was met as in this tick, None where it was not."""
        number = self._met.get(topic)
        return None if number is None else self._uids[number]

    def channel_number(self, name: str) -> int:
        """The number of a channel that a message names."""
        number = self._channel_numbers.get(name)
        if number is None:
            number = self._channel_numbers[name] = len(self._channels)
            self._channels.append(name)
        return number

    def channel(self, number: int) -> str:
        """The name of a channel number."""
        return self._channels[number]

    def uid(self, number: int) -> str:
        """The device behind a number."""
        return self._uids[number]

    def rows(self, source: NDArray[np.intp], channel: NDArray[np.intp], points: Points) -> Int32:
        """The row of each value, `STRANGER` where nobody has registered the device."""
        if not len(source):
            return np.empty(0, np.int32)
        if len(self._channels) > self._rows.shape[1]:
            self._widen()
        width = self._rows.shape[1]
        if len(self._channels) > width and int(channel.max()) >= width:
            return self._rows_beyond(source, channel, points)
        at = source * width
        at += channel
        rows: Int32 = self._rows.reshape(-1).take(at)
        if int(rows.min()) >= 0:  # the usual tick
            registered = points.registered(rows)
            return rows if registered.all() else np.where(registered, rows, STRANGER).astype(np.int32)
        missing = rows == UNRESOLVED
        if missing.any():
            for one in np.unique(at[missing]).tolist():
                number, of_channel = divmod(one, width)
                self._rows[number, of_channel] = points.row(self._uids[number], self._channels[of_channel])
                if of_channel >= self._kept_channels:
                    self._named.append((number, of_channel))
            rows = self._rows.reshape(-1).take(at)
        return self._only_registered(rows, points)

    def find(self, keys: Sequence[str]) -> list[int]:
        """As `recall`, for a few keys beside the tick's topics: nothing is kept of the answer."""
        found = self._table.find(np.fromiter(map(hash, keys), np.int64, len(keys)))
        numbers: list[int] = found.tolist()
        return numbers

    def forget(self, topic: str) -> int:
        """Forgets a topic, because it has come to stand for another device; gives its number, which may be
        given to another topic from now on, or -1 where it was not remembered."""
        number = self.find([topic])[0]
        if number >= 0:
            self._met.pop(topic, None)
            self._recalled = None
            self._drop(topic, number)
        return number

    def end_tick(self) -> list[int]:
        """Forgets what was met in this tick and is nobody's; gives the numbers that became free."""
        self._recalled = None
        freed: list[int] = []
        if self._met:
            numbers = list(self._met.values())
            somebody: list[bool] = np.any(self._rows[numbers] >= 0, axis=1).tolist()
            for (topic, number), lives in zip(self._met.items(), somebody, strict=True):
                if not lives:
                    self._drop(topic, number)
                    freed.append(number)
            self._met.clear()
        if len(self._channels) > self._kept_channels:
            self._drop_channels()
        return freed

    def _drop(self, topic: str, number: int) -> None:
        self._table.remove(hash(topic))
        self._rows[number] = UNRESOLVED
        self._free.append(number)

    def _widen(self) -> None:
        """Columns for the channels that were named, as far as there may be some."""
        wanted = min(len(self._channels), max(CHANNELS_MAX, self._fixed))
        if wanted > self._rows.shape[1]:
            more = np.full((len(self._rows), wanted - self._rows.shape[1]), UNRESOLVED, np.int32)
            self._rows = np.concatenate([self._rows, more], axis=1)

    def _rows_beyond(self, source: NDArray[np.intp], channel: NDArray[np.intp], points: Points) -> Int32:
        """The same where some channels have no column."""
        pairs = zip(source.tolist(), channel.tolist(), strict=True)
        asked = [points.row(self._uids[number], self._channels[one]) for number, one in pairs]
        return self._only_registered(np.array(asked, np.int32), points)

    def _only_registered(self, rows: Int32, points: Points) -> Int32:
        known = np.flatnonzero(rows >= 0)
        registered = points.registered(rows[known])
        if not registered.all():
            rows[known[~registered]] = STRANGER
        return rows

    def _drop_channels(self) -> None:
        """Channels named in this tick stay up to the first that no registered device has."""
        lived = {channel for number, channel in self._named if self._rows[number, channel] >= 0}
        while self._kept_channels in lived:
            self._kept_channels += 1
        for name in self._channels[self._kept_channels :]:
            del self._channel_numbers[name]
        del self._channels[self._kept_channels :]
        for number, channel in self._named:
            if channel >= self._kept_channels:
                self._rows[number, channel] = UNRESOLVED
        self._named.clear()
