"""What a series measures."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


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
