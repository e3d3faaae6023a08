"""Tells a message that was journalled before from a new one. Pure.

A message is acknowledged after it is journalled. When the connection or the process ends in between, the
broker sends it again with DUP=1 and the same packet id. A DUP message whose packet id and checksum stand in
the tail of what we journalled is that message: acknowledge it, do not journal it again.

DUP alone says nothing: the first delivery may have been lost with its connection. So where the tail does not
know the message it is new; in doubt a duplicate is preferred to a loss (design, contract 2).

What is not guaranteed: a message whose first delivery was lost, with topic and payload equal to an unproven
one that used the same packet id, is taken for it. A broker uses an id again after up to 65,535 others, and
proof comes about every second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, UInt16, UInt32
from ingest.source import Progress, RawBatch

_IDS: Final = 65_536


@dataclass(frozen=True, slots=True)
class Split:
    """What to do with each message of a batch, as arrays of its length.

    `keep` is true for what must be journalled. `packet_ids` (0 for QoS 0) and `checksums` belong into the
    journal record with the batch's `source`, from where `Tail.remember` gets them back after a restart.
    """

    keep: Bool
    packet_ids: UInt16
    checksums: UInt32
    source: str = ""

    @property
    def redelivered(self) -> int:
        """How many were journalled before."""
        return int(len(self.keep) - np.count_nonzero(self.keep))


class Tail:
    """The journalled messages whose acknowledgement may not have reached their broker, by source and id.

    Per tick: `split`, journal what is kept, `Source.commit`, then `settle`. After a restart, `remember` the
    journal's last records (as many as may be unproven; older first) before the first `split`.

    Each source's packet ids are its own. Memory: 850 kB for each source that ever gave a message.
    """

    def __init__(self) -> None:
        self._of: dict[str, _OneTail] = {"": _OneTail()}

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    @property
    def sources(self) -> frozenset[str]:
        """Whose messages it has known; that of `[broker]` is always among them."""
        return frozenset(self._of)

    def keep_only(self, sources: Iterable[str]) -> None:
        """Forgets sources that are configured no longer. Were one taken back, what its broker sends again
        would count as new."""
        kept = {"", *sources}
        self._of = {name: one for name, one in self._of.items() if name in kept}

    def remember(self, packet_ids: UInt16, checksums: UInt32, commit: int = 0, source: str = "") -> None:
        """Adds journalled messages in arrival order, acknowledged with commit number `commit`.

        0 is for messages of a former process. A packet id that comes again replaces the older message.
        """
        self._one(source).remember(packet_ids, checksums, commit)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """All it holds, as arrays by name; `restore` takes them back."""
        arrays: dict[str, NDArray[Any]] = {}
        for source, one in self._of.items():
            at = f"{source}." if source else ""
            arrays[f"{at}packet_id"], arrays[f"{at}checksum"] = one.unproven()
        return arrays

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes back what `snapshot` gave, also of an earlier release, which knew one source."""
        for name, packet_ids in arrays.items():
            source, _, column = name.rpartition(".")
            if column == "packet_id":
                checksums = arrays[name.removesuffix(column) + "checksum"]
                self.remember(packet_ids, checksums, source=source)

    def split(self, raw: RawBatch, progress: Progress) -> Split:
        """Which messages are new. `progress` is that of the batch's source after the poll that gave `raw`."""
        return self._one(raw.source).split(raw, progress)

    def settle(self, split: Split, progress: Progress) -> None:
        """Takes in a batch that was journalled and committed; `progress` is its source's after the commit."""
        self.remember(split.packet_ids, split.checksums, progress.commits, split.source)

    def _one(self, source: str) -> _OneTail:
        one = self._of.get(source)
        if one is None:
            one = self._of[source] = _OneTail()
        return one


class _OneTail:
    """One source's part of it, by packet id."""

    def __init__(self) -> None:
        self._session = self._confirmed = 0
        self._known = np.zeros(_IDS, np.bool_)
        self._checksum = np.zeros(_IDS, np.uint32)
        self._commit = np.zeros(_IDS, np.int64)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._known))

    def remember(self, packet_ids: UInt16, checksums: UInt32, commit: int) -> None:
        self._known[packet_ids] = True
        self._known[0] = False  # QoS 0 is never sent again
        self._checksum[packet_ids] = checksums
        self._commit[packet_ids] = commit

    def unproven(self) -> tuple[UInt16, UInt32]:
        packet_ids = np.flatnonzero(self._known).astype(np.uint16)
        return packet_ids, self._checksum[packet_ids]

    def split(self, raw: RawBatch, progress: Progress) -> Split:
        if progress.session != self._session:
            self._known[:] = False  # ids of another session mean other messages
            self._session = progress.session
        split = self._compare(raw)
        if progress.confirmed != self._confirmed:
            # Only now: messages sent again come in front of the PINGRESP that makes them proven.
            self._known &= self._commit > progress.confirmed
            self._confirmed = progress.confirmed
        return split

    def _compare(self, raw: RawBatch) -> Split:
        packet_ids = np.array(raw.packet_ids, np.uint16)
        checksums = checksum(raw.topics, raw.payloads)
        again = np.array(raw.dup, np.bool_) & self._known[packet_ids]
        again &= self._checksum[packet_ids] == checksums
        self._known[packet_ids] = again  # any other message with the id ends what the id meant before
        return Split(~again, packet_ids, checksums, raw.source)


def checksum(topics: list[str], payloads: list[bytes]) -> UInt32:
    """CRC-32 of topic (UTF-8) followed by payload, for each message."""
    seeds = map(crc32, map(str.encode, topics))
    return np.fromiter(map(crc32, payloads, seeds), np.uint32, len(topics))
