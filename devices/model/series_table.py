"""What the rules need to know of each series, and what the name of its channel says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model.arrays import Bool, Float32, Float64, Int16, Int32, UInt8
from devices.model.metrics import DETECTORS


class Insulation(IntEnum):
    """What a cable's insulation is made of: decides how warm it may be. Journalled: never renumber."""

    UNKNOWN = 0
    PVC = 1
    RUBBER = 2
    XLPE = 3


class Earthing(IntEnum):
    """How a circuit is earthed: without an earth conductor of its own no leakage can be measured (GB 50116
    9.2.2, note). Journalled: never renumber."""

    UNKNOWN = 0
    TN_C = 1
    TN_S = 2
    TT = 3


class DeviceKind(IntEnum):
    """What the registry calls a device. Journalled: never renumber. UNKNOWN: nobody registered it, or the
    word is of a later release."""

    UNKNOWN = 0
    SMOKE = 1
    ELECTRICAL = 2
    OTHER = 3


NO_PHASE: Final = 0
NO_KIN: Final = 255
"""A channel with a name of its own, which no other series of the device is compared with."""
_FIRST_NUMBERED: Final = 16


def phase_of(channel: str) -> int:
    """What a channel's name says about its conductor, for comparing series of one device.

    0 for the device as a whole (``), 1 to 3 for `l1` to `l3`, 4 for `n`, 16 + N for a name that ends in the
    number N (`ch2`, up to 200), NO_KIN for any other.
    """
    if not channel:
        return NO_PHASE
    named = _PHASES.get(channel)
    if named is not None:
        return named
    digits = channel[len(channel.rstrip("0123456789")) :]
    if not digits or len(digits) > 3 or not digits.isascii() or int(digits) > 200:
        return NO_KIN
    return _FIRST_NUMBERED + int(digits)


_PHASES: Final = {"l1": 1, "l2": 2, "l3": 3, "n": 4}


def in_room(metric: Int16, device: Int32, phase: UInt8) -> Bool:
    """Which of these series are of the air of a room (`SeriesTable.room`), where they are all there are."""
    watching = np.unique(device[np.isin(metric, list(DETECTORS)) & (device > 0)])
    room: Bool = np.isin(device, watching) & names_no_conductor(phase)
    return room


def names_no_conductor(phase: UInt8) -> Bool:
    """Which channels have neither a phase nor a number in their name (`phase_of`)."""
    nothing: Bool = (phase == NO_PHASE) | (phase == NO_KIN)
    return nothing


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """What the rules need to know of each series, as columns indexed by slot (length = highest slot + 1).

    `metric` 0 marks a slot nobody uses. `device`, `dwelling`, `stair`, `building` and `area` (the grid) are
    registry ids, 0 for none (a device nobody registered, or one outside dwellings). `parent` is the registry
    id of the gateway a device speaks through, 0 where it speaks for itself. `reference_a` is I_ref =
    min(breaker, cable) of the circuit and `breaker_a` its breaker's rating In, in amperes, NaN where the
    registry does not know it. `insulation`, `earthing` and `kind` are codes (`Insulation`, `Earthing`,
    `DeviceKind`), `phase` is what `phase_of` says of the channel. `silence_s` is how long the device may be
    silent, by the registry or else by its profile; NaN where neither says. `generation` grows with every
    change; between ticks the columns change in place. 49 bytes a series.

    `room` guesses what is of the air of a room, and counts only where `kind` is unknown (`off_circuit`): a
    series of a channel without phase and number whose device also has one of `DETECTORS`. It is derived from
    the names of the series that are known, as `phase` is, and not journalled: during a replay it may already
    know a series that came a moment later, which no hold is short enough to feel.
    """

    generation: int
    metric: Int16
    device: Int32
    dwelling: Int32
    reference_a: Float64
    stair: Int32
    building: Int32
    area: Int32
    parent: Int32
    breaker_a: Float32
    silence_s: Float32
    insulation: UInt8
    earthing: UInt8
    kind: UInt8
    phase: UInt8
    room: Bool

    def __len__(self) -> int:
        return len(self.metric)

    @classmethod
    def plain(
        cls, generation: int, metric: Int16, device: Int32, dwelling: Int32, reference_a: Float64
    ) -> SeriesTable:
        """A table that knows no more than these columns: all else is unknown or none."""
        n = len(metric)
        nothing, unknown = np.zeros(n, np.int32), np.full(n, np.nan, np.float32)
        code = np.zeros(n, np.uint8)
        return cls(
            generation, metric, device, dwelling, reference_a,
            nothing, nothing.copy(), nothing.copy(), nothing.copy(),
            unknown, unknown.copy(), code, code.copy(), code.copy(), code.copy(), np.zeros(n, np.bool_),
        )  # fmt: skip

    def off_circuit(self, slot: NDArray[np.integer[Any]]) -> Bool:
        """Which of these series are of no circuit, but of the air of a room, a pipe or the like.

        What the registry calls electrical is on one. Of a smoke detector, and of what is neither, only
        channels with a phase or a number in their name are: in doubt a circuit is watched (chosen). Where the
        registry does not say, `room` does.
        """
        kind = self.kind.take(slot)
        unnamed = (kind != DeviceKind.ELECTRICAL) & names_no_conductor(self.phase.take(slot))
        off: Bool = np.where(kind == DeviceKind.UNKNOWN, self.room.take(slot), unnamed)
        return off
