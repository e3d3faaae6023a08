"""Units as vendors write them, and what turns a number in one into the metric's own unit.

Names are those in use, those of SenML (RFC 8428 section 12.1, RFC 8798) included. Case counts, because `mW`
and `MW` are both units; in band, where devices write `kwh`, lower case is taken too if only one unit fits.

Errors: ValueError with a sentence that names what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from devices.model import Metric

Conversion = tuple[float, float]
"""Scale and offset: canonical = number * scale + offset."""


def _scales(*names: tuple[str, float]) -> dict[str, Conversion]:
    return {name: (scale, 0.0) for name, scale in names}


_MINUTE: Final = 1 / 60
"""Watt minutes and milliampere minutes, as counters of Shelly's first generation and of Dragino count."""
_AMPERES: Final = _scales(("A", 1.0), ("mA", 1e-3), ("uA", 1e-6), ("µA", 1e-6), ("kA", 1e3))
_VOLTS: Final = _scales(("V", 1.0), ("mV", 1e-3), ("dV", 0.1), ("kV", 1e3))
_PERCENT: Final = _scales(("%", 1.0), ("1", 100.0), ("fraction", 100.0), ("/", 100.0), ("permille", 0.1))
_WATT_HOURS: Final = _scales(
    ("Wh", 1.0),
    ("kWh", 1e3),
    ("MWh", 1e6),
    ("Wmin", _MINUTE),
    ("W·min", _MINUTE),
    ("Ws", 1 / 3600),
    ("J", 1 / 3600),
)
_FAHRENHEIT: Final = (5 / 9, -160 / 9)
_DEGREES: Final[dict[str, Conversion]] = {
    **dict.fromkeys(("degC", "Cel", "C", "°C", "℃"), (1.0, 0.0)),
    **dict.fromkeys(("degF", "F", "°F"), _FAHRENHEIT),
    "K": (1.0, -273.15),
    "ddegC": (0.1, 0.0),
}
_BY_CANONICAL: Final[dict[str, dict[str, Conversion]]] = {
    "A": _AMPERES,
    "mA": {"mA": (1.0, 0.0), "A": (1e3, 0.0), "uA": (1e-3, 0.0), "µA": (1e-3, 0.0)},
    "V": _VOLTS,
    "W": _scales(("W", 1.0), ("mW", 1e-3), ("dW", 0.1), ("kW", 1e3), ("MW", 1e6)),
    "VA": _scales(("VA", 1.0), ("mVA", 1e-3), ("kVA", 1e3)),
    "var": _scales(("var", 1.0), ("kvar", 1e3), ("VAr", 1.0), ("kVAr", 1e3), ("VAR", 1.0), ("kVAR", 1e3)),
    "Wh": _WATT_HOURS,
    "Ah": _scales(("Ah", 1.0), ("mAh", 1e-3), ("Amin", _MINUTE), ("mAmin", 1 / 60_000), ("C", 1 / 3600)),
    "Hz": _scales(("Hz", 1.0), ("dHz", 0.1), ("cHz", 0.01), ("mHz", 1e-3)),
    "degC": _DEGREES,
    "%": _PERCENT,
    "ppm": _scales(("ppm", 1.0), ("ppb", 1e-3)),
    "dB/m": _scales(("dB/m", 1.0)),
    "raw": _scales(("raw", 1.0)),
    "lx": _scales(("lx", 1.0), ("lux", 1.0), ("klx", 1e3)),
    "dBm": _scales(("dBm", 1.0), ("dBW", 1.0)) | {"dBW": (1.0, 30.0)},
    "dB": _scales(("dB", 1.0), ("ddB", 0.1)),
}
_MORE: Final[dict[Metric, dict[str, Conversion]]] = {
    Metric.HUMIDITY: _scales(("%RH", 1.0)),
    Metric.BATTERY_PCT: _scales(("%EL", 1.0)),
    Metric.POWER_FACTOR: _scales(("1", 1.0), ("fraction", 1.0), ("/", 1.0), ("%", 0.01), ("permille", 1e-3)),
    Metric.ARC_HALF_CYCLES: _scales(("count", 1.0), ("1", 1.0)),
    Metric.LINK_LQI: _scales(("1", 1.0), ("raw", 1.0)),
}
SMOKE_DENSITIES: Final[Mapping[str, Metric]] = MappingProxyType(
    {
        unit: metric
        for metric in Metric
        if metric.quantity == "smoke.density"
        for unit in _BY_CANONICAL[metric.unit]
    }
)
"""The metric of a smoke density by the unit it comes in."""


@cache
def units_for(metric: Metric) -> Mapping[str, Conversion]:
    """All units that a number of `metric` may come in, the canonical first. None for flags."""
    if metric.is_flag:
        return MappingProxyType({})
    return MappingProxyType(_BY_CANONICAL.get(metric.unit, {}) | _MORE.get(metric, {}))


@cache
def units_in_band(metric: Metric) -> Mapping[str, Conversion]:
    """The same by what a payload may say, in lower case too where that is one unit only."""
    said: dict[str, Conversion] = {}
    lower: dict[str, set[Conversion]] = {}
    for unit, conversion in units_for(metric).items():
        lower.setdefault(unit.lower(), set()).add(conversion)
        said[unit] = conversion
    for unit, found in lower.items():
        if len(found) == 1:
            said.setdefault(unit, found.copy().pop())
    return MappingProxyType(said)


def conversion_of(unit: str, metric: Metric) -> Conversion:
    """What turns a number in `unit` into the unit of `metric`; the empty text is the metric's own unit."""
    if not unit:
        return 1.0, 0.0
    allowed = units_for(metric)
    if unit not in allowed:
        names = ", ".join(f"`{name}`" for name in allowed) or "none: it has no unit"
        raise ValueError(f"unit `{unit}` does not fit `{metric.quantity}`; allowed: {names}")
    return allowed[unit]
