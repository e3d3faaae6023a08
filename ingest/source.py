"""Where raw messages come from: what a source gives, a batch for each tick, and what it promises.

Commit a batch before the next `poll`: only then do acknowledgement, redelivery and `Progress` fit together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RawBatch:
    """The messages of one tick in arrival order, as parallel lists.

    `epoch` is the connection's number: acknowledgements never cross connections. `packet_ids` is 0 for
    QoS 0. `retain` marks what the broker kept for new subscribers, never a live message. `queued` is true
    for what the broker or the socket held while we were away or did not look. `source` is the name of the
    broker it came from, empty for that of `[broker]`.
    """

    received_us: int
    epoch: int
    topics: list[str]
    payloads: list[bytes]
    packet_ids: list[int]
    retain: list[bool]
    dup: list[bool]
    queued: bool
    source: str = ""

    def __len__(self) -> int:
        return len(self.topics)


@dataclass(frozen=True, slots=True)
class Progress:
    """What redelivery must know.

    `session` grows when the broker does not know our session (also at the first connection ever). `commits`
    is the number of the newest acknowledged commit of this process, over all connections. `confirmed`: up to
    this commit every acknowledgement has arrived, or its message has come again.
    """

    session: int
    commits: int
    confirmed: int


class Source(Protocol):
    """Where raw messages come from."""

    def poll(self, timeout_s: float) -> RawBatch | None:
        """Waits at most `timeout_s` for something; gives what is there, None when nothing."""

    def commit(self, raw: RawBatch) -> None:
        """Acknowledges the batch, without blocking; ignored when its connection is over."""

    def tend(self) -> None:
        """Keeps the connection alive while a batch waits; reads nothing and does not wait."""

    def close(self) -> None:
        """Ends the connection; the broker keeps the session."""
