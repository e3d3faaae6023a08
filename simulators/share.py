"""The part of a plan that one connection carries, and everything that follows from a message's number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from devices.model import Int64
from simulators.forms import FORMS, forms_of
from simulators.mix import Mix

_AT_ONCE: Final = 1 << 16
"""Messages counted in one go: some megabytes of arrays, however long the run."""


@dataclass(frozen=True, slots=True)
class Share:
    """`count` messages round `devices` devices: message k is of device `first_device + k % devices` and has
    the sequence number `first_seq + k // devices`.

    Message k is meant for `offset_s + k * interval_s` after the start; interval 0 means as fast as it goes.
    """

    first_device: int
    devices: int
    first_seq: int
    count: int
    offset_s: float
    interval_s: float

    @property
    def rate(self) -> float:
        """Messages a second, infinity for as fast as it goes."""
        return 1 / self.interval_s if self.interval_s else float("inf")

    def due(self, elapsed_s: float) -> int:
        """How many messages should have gone by `elapsed_s` after the start."""
        if elapsed_s < self.offset_s:
            return 0
        if self.interval_s == 0:
            return self.count
        return min(self.count, int((elapsed_s - self.offset_s) / self.interval_s) + 1)

    def intended_s(self, k: int) -> float:
        """When message k is meant to go, seconds after the start."""
        return self.offset_s + k * self.interval_s

    def devices_and_seqs(self, k: Int64) -> tuple[Int64, Int64]:
        """The device and the sequence number of each of these messages."""
        rounds, turns = np.divmod(k, self.devices)
        return self.first_device + turns, self.first_seq + rounds

    def forms_counted(self, first: int, end: int, mix: Mix) -> Int64:
        """How many of the messages `first` .. `end - 1` have each form (about 0.1 us a message)."""
        counts: Int64 = np.zeros(len(FORMS), np.int64)
        for start in range(first, end, _AT_ONCE):
            devices, seqs = self.devices_and_seqs(np.arange(start, min(start + _AT_ONCE, end)))
            counts += np.bincount(forms_of(devices, seqs, mix), minlength=len(FORMS))
        return counts
