"""Devices that were heard again: from when to when nothing could be heard through them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.model import Int32, Int64
from rules.pairs import State


class Returned(NamedTuple):
    """Devices that had been silent, or had waited: when they had been heard last (or said to be offline)
    before they were heard again, and when that was. Each once."""

    device: Int32
    went_us: Int64
    at_us: Int64

    @classmethod
    def nobody(cls) -> Returned:
        """No device."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def joined(cls, some: Sequence[Returned]) -> Returned:
        """All of these."""
        return cls(*map(np.concatenate, zip(*(cls.nobody(), *some), strict=True)))

    def of(self, gateway: Int32) -> tuple[Int64, Int64]:
        """When each of these, which are all among the devices, had gone and was there again."""
        order = np.argsort(self.device, kind="stable")
        at = order[np.searchsorted(self.device[order], gateway)]
        return self.went_us[at], self.at_us[at]

    def columns(self) -> State:
        """For a snapshot."""
        return {
            "returned_device": self.device,
            "returned_went_us": self.went_us,
            "returned_at_us": self.at_us,
        }

    @classmethod
    def among(cls, state: Mapping[str, NDArray[Any]], below: int) -> Returned:
        """Those of a snapshot with an id below that."""
        blank = cls.nobody().columns()
        device, went_us, at_us = (state.get(name, column) for name, column in blank.items())
        there = device < below
        return cls(device[there], went_us[there], at_us[there])
