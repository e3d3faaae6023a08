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

from dataclasses import dataclass
from typing import Final
from zlib import crc32

import numpy as np

from devices.model import Bool, UInt16, UInt32
from ingest.source import Progress, RawBatch

_IDS: Final = 65_536


@dataclass(frozen=True, slots=True)
class Split:
    """What to do with each message of a batch, as arrays of its length.

    `keep` is true for what must be journalled. `packet_ids` (0 for QoS 0) and `checksums` belong into the
    journal record, from where `Tail.remember` gets them back after a restart.
    """

    keep: Bool
    packet_ids: UInt16
    checksums: UInt32

    @property
    def redelivered(self) -> int:
        """How many were journalled before."""
        return int(len(self.keep) - np.count_nonzero(self.keep))


class Tail:
    """The journalled messages whose acknowledgement may not have reached the broker, by packet id.

    Per tick: `split`, journal what is kept, `Source.commit`, then `settle`. After a restart, `remember` the
    journal's last records (as many as may be unproven; older first) before the first `split`.
    """

    def __init__(self) -> None:
        self._session = self._confirmed = 0
        self._known = np.zeros(_IDS, np.bool_)
        self._checksum = np.zeros(_IDS, np.uint32)
        self._commit = np.zeros(_IDS, np.int64)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._known))

    def remember(self, packet_ids: UInt16, checksums: UInt32, commit: int = 0) -> None:
        """Adds journalled messages in arrival order, acknowledged with commit number `commit`.

        0 is for messages of a former process. A packet id that comes again replaces the older message.
        """
        self._known[packet_ids] = True
        self._known[0] = False  # QoS 0 is never sent again
        self._checksum[packet_ids] = checksums
        self._commit[packet_ids] = commit

    def unproven(self) -> tuple[UInt16, UInt32]:
        """Packet ids and checksums of all it holds, for a snapshot; `remember` takes them back."""
        packet_ids = np.flatnonzero(self._known).astype(np.uint16)
        return packet_ids, self._checksum[packet_ids]

    def split(self, raw: RawBatch, progress: Progress) -> Split:
        """Which messages are new. `progress` is the source's after the poll that gave `raw`."""
        if progress.session != self._session:
            self._known[:] = False  # ids of another session mean other messages
            self._session = progress.session
        split = self._compare(raw)
        if progress.confirmed != self._confirmed:
            # Only now: messages sent again come in front of the PINGRESP that makes them proven.
            self._known &= self._commit > progress.confirmed
            self._confirmed = progress.confirmed
        return split

    def settle(self, split: Split, progress: Progress) -> None:
        """Takes in a batch that was journalled and committed; `progress` is the source's after the commit."""
        self.remember(split.packet_ids, split.checksums, progress.commits)

    def _compare(self, raw: RawBatch) -> Split:
        packet_ids = np.array(raw.packet_ids, np.uint16)
        checksums = checksum(raw.topics, raw.payloads)
        again = np.array(raw.dup, np.bool_) & self._known[packet_ids]
        again &= self._checksum[packet_ids] == checksums
        self._known[packet_ids] = again  # any other message with the id ends what the id meant before
        return Split(~again, packet_ids, checksums)


def checksum(topics: list[str], payloads: list[bytes]) -> UInt32:
    """CRC-32 of topic (UTF-8) followed by payload, for each message."""
    seeds = map(crc32, map(str.encode, topics))
    return np.fromiter(map(crc32, payloads, seeds), np.uint32, len(topics))
