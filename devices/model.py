"""The words every room shares: metrics, quality, batches of readings, severities, roles.

Types only, standard library and numpy. Time base everywhere: microseconds since 1970 UTC in int64
(`_us`), aware UTC datetimes (`_at`) at the edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag, StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Int16 = NDArray[np.int16]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
UInt16 = NDArray[np.uint16]
UInt32 = NDArray[np.uint32]
UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


class Metric(IntEnum):
    """What a series measures. The numbers are journalled: never reuse or renumber one.

    `name_on_wire` is the public name (`current.residual`) and belongs to one metric alone, `unit` the
    canonical unit. `quantity` is what is measured and `role` where, by the names people use: smoke density in
    another unit is another metric of the same quantity, and so is a temperature of the device's own
    electronics. Flags are 0.0 or 1.0 and have the empty unit.
    """

    SMOKE_ALARM = 1
    HEAT_ALARM = 2
    GAS_ALARM = 3
    SMOKE_TEST = 4
    SMOKE_MUTED = 5
    MANUAL_ALARM = 6
    DEVICE_FAULT = 7
    DEVICE_TAMPER = 8
    DEVICE_ALARM = 9
    BATTERY_LOW = 10
    POWER_EXTERNAL = 11
    DIGITAL_IN = 12
    SWITCH = 13
    ARC_ALARM = 14
    BREAKER_TRIP = 15
    DEVICE_ONLINE = 16
    SMOKE_DENSITY = 20
    BATTERY_PCT = 21
    BATTERY_V = 22
    TEMPERATURE = 23
    TEMPERATURE_AMBIENT = 24
    HUMIDITY = 25
    TEMPERATURE_DEVICE = 26
    SMOKE_DENSITY_PCT = 27
    SMOKE_DENSITY_PPM = 28
    SMOKE_DENSITY_DBM = 29
    CURRENT = 30
    CURRENT_RESIDUAL = 31
    VOLTAGE = 32
    POWER_ACTIVE = 33
    POWER_APPARENT = 34
    POWER_REACTIVE = 35
    POWER_FACTOR = 36
    FREQUENCY = 37
    ENERGY_IMPORT = 38
    ENERGY_EXPORT = 39
    CHARGE_TOTAL = 40
    ARC_HALF_CYCLES = 41
    ANALOG_CURRENT = 42
    ANALOG_VOLTAGE = 43
    ILLUMINANCE = 44
    LINK_RSSI = 50
    LINK_SNR = 51
    LINK_LQI = 52
    LINK_MARGIN = 53

    @property
    def name_on_wire(self) -> str:
        """The public name, for example `smoke.alarm`."""
        return self.name.lower().replace("_", ".", 1)

    @property
    def quantity(self) -> str:
        """What is measured: `smoke.density` in any unit, `temperature` of whatever but the room."""
        return _SAME_QUANTITY.get(self, self).name_on_wire

    @property
    def role(self) -> str:
        """`device` where it is the device's own and not what the device watches; else empty."""
        return "device" if self is Metric.TEMPERATURE_DEVICE else ""

    @property
    def unit(self) -> str:
        """The canonical unit; empty for flags and bare numbers, `raw` for the device's own scale."""
        return _UNITS.get(self, "")

    @property
    def is_flag(self) -> bool:
        """True where the value is 0.0 or 1.0."""
        return self < Metric.SMOKE_DENSITY


_UNITS: Final[dict[Metric, str]] = {
    Metric.SMOKE_DENSITY: "raw",
    Metric.SMOKE_DENSITY_PCT: "%",
    Metric.SMOKE_DENSITY_PPM: "ppm",
    Metric.SMOKE_DENSITY_DBM: "dB/m",
    Metric.BATTERY_PCT: "%",
    Metric.BATTERY_V: "V",
    Metric.TEMPERATURE: "degC",
    Metric.TEMPERATURE_AMBIENT: "degC",
    Metric.TEMPERATURE_DEVICE: "degC",
    Metric.HUMIDITY: "%",
    Metric.CURRENT: "A",
    Metric.CURRENT_RESIDUAL: "A",
    Metric.VOLTAGE: "V",
    Metric.POWER_ACTIVE: "W",
    Metric.POWER_APPARENT: "VA",
    Metric.POWER_REACTIVE: "var",
    Metric.FREQUENCY: "Hz",
    Metric.ENERGY_IMPORT: "Wh",
    Metric.ENERGY_EXPORT: "Wh",
    Metric.CHARGE_TOTAL: "Ah",
    Metric.ANALOG_CURRENT: "mA",
    Metric.ANALOG_VOLTAGE: "V",
    Metric.ILLUMINANCE: "lx",
    Metric.LINK_RSSI: "dBm",
    Metric.LINK_SNR: "dB",
    Metric.LINK_MARGIN: "dB",
}
_SAME_QUANTITY: Final[dict[Metric, Metric]] = {
    Metric.TEMPERATURE_DEVICE: Metric.TEMPERATURE,
    Metric.SMOKE_DENSITY_PCT: Metric.SMOKE_DENSITY,
    Metric.SMOKE_DENSITY_PPM: Metric.SMOKE_DENSITY,
    Metric.SMOKE_DENSITY_DBM: Metric.SMOKE_DENSITY,
}
METRIC_BY_NAME: Final[dict[str, Metric]] = {m.name_on_wire: m for m in Metric}
METRIC_LIMIT: Final = 64
"""One more than the largest metric code there will be: the width of tables indexed by metric."""

LIFE_FLAGS: Final = frozenset({Metric.SMOKE_ALARM, Metric.HEAT_ALARM, Metric.GAS_ALARM, Metric.MANUAL_ALARM})
"""Flags that are alarmed even from a device nobody registered (life_safety, smoke 4)."""

DETECTORS: Final = frozenset(
    {
        Metric.SMOKE_ALARM,
        Metric.HEAT_ALARM,
        Metric.GAS_ALARM,
        Metric.SMOKE_DENSITY,
        Metric.SMOKE_DENSITY_PCT,
        Metric.SMOKE_DENSITY_PPM,
        Metric.SMOKE_DENSITY_DBM,
    }
)
"""What a device says that hangs in a room and watches its air."""


class Quality(IntFlag):
    """A set of flags on one reading; 0 is good. Hard flags make the value NaN. Journalled: never renumber."""

    SENTINEL = 1 << 0
    FAULT = 1 << 1
    TYPE_MISMATCH = 1 << 2
    INCOMPLETE = 1 << 3
    OUT_OF_RANGE = 1 << 4
    SUSPECT = 1 << 5
    ESTIMATED = 1 << 6
    STALE = 1 << 7
    RETAINED = 1 << 8
    REPLAYED = 1 << 9
    BACKFILL = 1 << 10
    CLOCK_INVALID = 1 << 11
    CLOCK_SKEW = 1 << 12
    TZ_ASSUMED = 1 << 13
    DUPLICATE = 1 << 14
    LATE = 1 << 15
    QUEUED = 1 << 16

    @property
    def names(self) -> list[str]:
        """The flags set, in lower case, as `gengfu decode` prints them."""
        return [flag.name.lower() for flag in Quality if flag in self and flag.name]


HARD_QUALITY: Final = Quality.SENTINEL | Quality.FAULT | Quality.TYPE_MISMATCH | Quality.INCOMPLETE
"""With any of these the value is NaN: it neither raises nor clears a value alarm (contract 4)."""
MUTE_QUALITY: Final = Quality.RETAINED | Quality.REPLAYED | Quality.BACKFILL
"""With any of these a reading updates state but opens no new alarm, except smoke (contract 7)."""


@dataclass(frozen=True, slots=True)
class ReadingBatch:
    """Readings of one tick in arrival order, as parallel arrays of length n.

    `slot` is the persistent number of the series (table `series`); in the batch that the rules are given it
    is the series' place in their `SeriesTable` (`ingest/seats.py`). `observed_us` is the device's time
    where it gave a sane one, else `received_us`. `nudge_ns` (0..999) separates readings of one series
    with one time in the store: the later gets +1 ns. NaN values carry a hard quality flag.
    """

    received_us: int
    slot: Int32
    observed_us: Int64
    nudge_ns: UInt16
    value: Float64
    quality: UInt32

    def __len__(self) -> int:
        return len(self.slot)

    @classmethod
    def empty(cls, received_us: int) -> ReadingBatch:
        """A batch of no readings, for ticks that carry only engine inputs or time."""
        return cls(
            received_us,
            np.empty(0, np.int32),
            np.empty(0, np.int64),
            np.empty(0, np.uint16),
            np.empty(0, np.float64),
            np.empty(0, np.uint32),
        )

    @property
    def observed_ns(self) -> Int64:
        """The store's time stamp: nanoseconds, unique per series."""
        return self.observed_us * 1000 + self.nudge_ns


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
    registry does not know it. `insulation` and `earthing` are codes (`Insulation`, `Earthing`), `phase` is
    what `phase_of` says of the channel. `silence_s` is how long the device may be silent, by the registry or
    else by its profile; NaN where neither says. `generation` grows with every change; between ticks the
    columns change in place. 48 bytes a series.

    `room` is True for what is no circuit's: a series of a channel without phase and number whose device also
    has one of `DETECTORS`. The thermometer of a smoke detector is in the air of the room. It is derived from
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
            unknown, unknown.copy(), code, code.copy(), code.copy(), np.zeros(n, np.bool_),
        )  # fmt: skip


class Severity(StrEnum):
    """How bad, worst first by `rank`. P0+ is confirmed fire; P3 is maintenance."""

    P0_PLUS = "P0+"
    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"

    @property
    def rank(self) -> int:
        """0 for P0+ down to 4 for P3: sorts worst first."""
        return list(Severity).index(self)


class Role(StrEnum):
    """What a contact is to a place."""

    GRID_WORKER = "grid_worker"
    BUILDING_SECRETARY = "building_secretary"
    MICRO_STATION = "micro_station"
    FIRE_BRIGADE = "fire_brigade"
    FAMILY = "family"
    NEIGHBOUR = "neighbour"
    MAINTENANCE = "maintenance"
    DUTY_DESK = "duty_desk"
    SUPERVISOR = "supervisor"
    VOLUNTEER = "volunteer"


class PlaceKind(StrEnum):
    """A level of the tree a binding can hang on, from the widest to the narrowest.

    `area` covers the five levels city, district, street, community and grid (`AreaLevel`).
    """

    AREA = "area"
    BUILDING = "building"
    STAIR = "stair"
    DWELLING = "dwelling"


class AreaLevel(StrEnum):
    """The five administrative levels, from the top."""

    CITY = "city"
    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    GRID = "grid"


class Medium(StrEnum):
    """How a message meets a person."""

    PUSH = "push"
    SMS = "sms"
    VOICE = "voice"
    EMAIL = "email"


class Carrier(StrEnum):
    """Which sender in `alerts/channels` carries it."""

    WEBHOOK = "webhook"
    APPRISE = "apprise"


class InputKind(StrEnum):
    """What a human decided that the engine must know (the only thing that flows back)."""

    RESET = "reset"
    CLOSE = "close"
    UNFOUNDED = "unfounded"
    """An incident was closed, and the alarm had been false: counted against the detector (S4)."""
    AWAY = "away"
    BACK = "back"
    RETURNED = "returned"
    """Not a person's: a broker cannot be heard, can be heard again, and we ourselves are there again after
    a stop. `rule` is the broker's name, for `returned` empty; `id` is 0."""


@dataclass(frozen=True, slots=True)
class EngineInput:
    """A row of `engine_input`, journalled like a reading.

    `reset`, `close` and `unfounded` name the alarm by (`rule`, `slot`) or, for alarms of places, (`rule`,
    `place`) with slot 0; what kind of place, the rule says. `at_us` is when the human acted. `from_us` is
    when an absence began, for `returned`; 0: not known.
    """

    id: int
    at_us: int
    kind: InputKind
    rule: str
    slot: int
    place: int
    from_us: int = 0
