"""The words of Home Assistant's MQTT discovery: short forms, and what a device class means to us."""

from __future__ import annotations

from typing import Final, NamedTuple

from devices.model import Metric

LONG: Final = {
    "avty": "availability",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "cmps": "components",
    "cns": "connections",
    "dev": "device",
    "dev_cla": "device_class",
    "ids": "identifiers",
    "json_attr_t": "json_attributes_topic",
    "mdl": "model",
    "mdl_id": "model_id",
    "mf": "manufacturer",
    "o": "origin",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_cla": "state_class",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_t": "state_topic",
    "sw": "sw_version",
    "t": "topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
"""Of the short forms those of keys that are read here."""


class Meant(NamedTuple):
    """A metric, and the units in which Home Assistant gives it."""

    metric: Metric
    units: frozenset[str] = frozenset()


def _in(metric: Metric, *units: str) -> Meant:
    return Meant(metric, frozenset(units))


FLAGS: Final = {
    "smoke": Metric.SMOKE_ALARM,
    "gas": Metric.GAS_ALARM,
    "carbon_monoxide": Metric.GAS_ALARM,
    "heat": Metric.HEAT_ALARM,
    "tamper": Metric.DEVICE_TAMPER,
    "problem": Metric.DEVICE_FAULT,
    "battery": Metric.BATTERY_LOW,
    "power": Metric.POWER_EXTERNAL,
    "plug": Metric.POWER_EXTERNAL,
}
"""Of binary sensors. A class that is missing here (door, motion, …) is nothing we watch."""

QUANTITIES: Final = {
    "apparent_power": _in(Metric.POWER_APPARENT, "VA", "kVA", "mVA"),
    "battery": _in(Metric.BATTERY_PCT, "%"),
    "current": _in(Metric.CURRENT, "A", "mA"),
    "energy": _in(Metric.ENERGY_IMPORT, "Wh", "kWh", "MWh"),
    "frequency": _in(Metric.FREQUENCY, "Hz", "kHz"),
    "humidity": _in(Metric.HUMIDITY, "%"),
    "power": _in(Metric.POWER_ACTIVE, "W", "kW", "mW", "MW"),
    "power_factor": _in(Metric.POWER_FACTOR, "", "%"),
    "reactive_power": _in(Metric.POWER_REACTIVE, "var", "kvar", "mvar"),
    "temperature": _in(Metric.TEMPERATURE, "°C", "°F", "K"),
    "voltage": _in(Metric.VOLTAGE, "V", "kV"),
}
"""Of sensors."""
SIGNALS: Final = {"dBm": Metric.LINK_RSSI, "dB": Metric.LINK_SNR}
"""`signal_strength`, by unit."""


def metric_of(component: str, device_class: str, unit: str) -> Metric | None:
    """What an entity most likely measures; None where its class and unit do not say."""
    if component == "switch":
        return Metric.SWITCH
    if component == "binary_sensor":
        return FLAGS.get(device_class)
    if device_class == "signal_strength":
        return SIGNALS.get(unit)
    if device_class == "voltage" and unit == "mV":
        return Metric.BATTERY_V  # nobody gives mains in millivolts
    if not device_class and unit == "lqi":
        return Metric.LINK_LQI
    meant = QUANTITIES.get(device_class)
    return meant.metric if meant and unit in meant.units else None
