"""What the sender counts, for `/metrics` and for benchmarks."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Protocol

from alerts.channels.channel import Accepted, Outcome

_KEPT = 100_000
"""Latencies a Tally keeps: the newest (chosen: a benchmark's worth, under 4 MB)."""


class Meter(Protocol):
    """Where the sender reports. Called from the event loop: must neither block nor raise."""

    def begun(self, rank: int, latency_s: float) -> None:
        """A hand-over begins, `latency_s` after its notification was created."""

    def ended(self, rank: int, outcome: Outcome, latency_s: float) -> None:
        """A hand-over ended with `outcome`, `latency_s` after its notification was created."""

    def possible_duplicates(self, count: int) -> None:
        """`count` attempts cut off by a crash are made again: each may be told twice (contract 2)."""


@dataclass(slots=True)
class Tally:
    """A Meter in memory: counts by outcome, and the newest latencies as (rank, seconds)."""

    counts: Counter[str] = field(default_factory=Counter)
    begun_s: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    ended_s: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def begun(self, rank: int, latency_s: float) -> None:
        """Notes the latency to the begin of a hand-over."""
        self.begun_s.append((rank, latency_s))

    def ended(self, rank: int, outcome: Outcome, latency_s: float) -> None:
        """Counts `accepted` or `failed` and notes the latency to the end of a hand-over."""
        self.counts["accepted" if isinstance(outcome, Accepted) else "failed"] += 1
        self.ended_s.append((rank, latency_s))

    def possible_duplicates(self, count: int) -> None:
        """Counts `possible_duplicates`."""
        self.counts["possible_duplicates"] += count
