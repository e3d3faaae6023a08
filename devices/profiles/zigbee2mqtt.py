"""zigbee2mqtt: topics `zigbee2mqtt/<friendly name>`, one flat JSON object with the whole state.

Sources of the keys: zigbee2mqtt's converters and captured states as restated in the tests. Where the
meaning of a key depends on its neighbours (a battery's millivolts and the mains' volts share `voltage`),
the key is renamed first to one that says it; such names hold a blank, which no vendor key does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from devices.model import Int32, Metric
from devices.profiles.mapping import Field, FlatMapping, Kind
from devices.profiles.profile import Decoded, Points, Reason, Rejected
from devices.profiles.rescue import Rescue, unpadded
from devices.profiles.sources import Sources
from devices.profiles.tick import PARSE_ERRORS, Tick, refusal
from devices.profiles.times import NONSENSE_US, epoch_ms, iso

NAME: Final = "zigbee2mqtt"
BASE: Final = "zigbee2mqtt/"
FRIENDLY_NAME_MAX: Final = 180
"""So that the uid fits its column."""
_ADDRESS: Final = re.compile(r"0x([0-9a-fA-F]{16})")
_NOT_STATE: Final = ("/set", "/get", "/availability")

BATTERY_MV: Final = "voltage of the battery"
MAINS_L1: Final = {"voltage": "voltage of l1", "current": "current of l1"}
TOTALS: Final = {"power": "power of all", "energy": "energy of all"}
_METER: Final = frozenset({"power", "current", "energy", "ac_frequency", "current_a", "power_a"})
_THREE_PHASE: Final = ("current_phase_b", "voltage_phase_b", "power_phase_b")
_FLOWS: Final = {f"energy_flow{tail}": f"power{tail}" for tail in ("", "_a", "_b", "_c")}
_MAINS_MAX_V: Final = 1000
"""Above it `voltage` can only be millivolts: low voltage ends at 1000 V AC (IEC 60038)."""


def _flags() -> list[Field]:
    keys = {
        "smoke": Metric.SMOKE_ALARM,
        "gas": Metric.GAS_ALARM,
        "test": Metric.SMOKE_TEST,
        "self_test": Metric.SMOKE_TEST,
        "silence": Metric.SMOKE_MUTED,
        "buzzer_manual_mute": Metric.SMOKE_MUTED,
        "tamper": Metric.DEVICE_TAMPER,
    }
    faults = ("fault", "trouble", "device_fault", "fault_alarm")  # some are bit fields of the vendor
    return [
        *(Field(key, metric, kind=Kind.FLAG) for key, metric in keys.items()),
        *(Field(key, Metric.DEVICE_FAULT, kind=Kind.BITS) for key in faults),
        Field("battery_low", Metric.BATTERY_LOW, kind=Kind.FLAG, null_is_silence=True),
    ]


def _plain() -> list[Field]:
    """Numbers of sensors. Sentinels are full-scale integers after the converters' scaling."""
    return [
        Field("battery", Metric.BATTERY_PCT, low=0, high=100, null_is_silence=True),
        Field(BATTERY_MV, Metric.BATTERY_V, scale=0.001, null_is_silence=True),
        Field("smoke_density", Metric.SMOKE_DENSITY),
        Field("smoke_concentration", Metric.SMOKE_DENSITY),
        Field("temperature", Metric.TEMPERATURE, sentinels=(327.67, -327.68)),
        Field("humidity", Metric.HUMIDITY, low=0, high=100, sentinels=(655.35,)),
        Field("linkquality", Metric.LINK_LQI, low=0, high=255),
        Field("ac_frequency", Metric.FREQUENCY),
        Field("power_ab", Metric.POWER_ACTIVE, "total"),
        Field("power_factor", Metric.POWER_FACTOR, low=-1, high=1),
        Field("energy_produced", Metric.ENERGY_EXPORT, scale=1000),
        Field("produced_energy", Metric.ENERGY_EXPORT, scale=1000),
        Field(TOTALS["power"], Metric.POWER_ACTIVE, "total"),
        Field(TOTALS["energy"], Metric.ENERGY_IMPORT, "total", scale=1000),
    ]


def _electrical(tail: str, channel: str) -> list[Field]:
    """Mains quantities of one circuit; 0xFFFF in tenths or units means nothing measured."""
    return [
        Field(f"current{tail}", Metric.CURRENT, channel, sentinels=(6553.5, 6554.0, 65535.0)),
        Field(f"voltage{tail}", Metric.VOLTAGE, channel, sentinels=(6553.5, 6554.0, 65535.0)),
        Field(f"power{tail}", Metric.POWER_ACTIVE, channel),
        Field(f"energy{tail}", Metric.ENERGY_IMPORT, channel, scale=1000),
    ]


def _clamp(tail: str, channel: str) -> list[Field]:
    """One clamp of a two-channel meter, whose power factor is in percent (seen on PJ-1203A)."""
    return [
        *_electrical(tail, channel),
        Field(f"power_factor{tail}", Metric.POWER_FACTOR, channel, scale=0.01, low=-1, high=1),
        Field(f"energy_produced{tail}", Metric.ENERGY_EXPORT, channel, scale=1000),
    ]


FIELDS: Final = (
    *_flags(),
    *_plain(),
    *_electrical("", ""),
    *_clamp("_a", "ch1"),
    *_clamp("_b", "ch2"),
    *_clamp("_c", "ch3"),
    *_electrical(" of l1", "l1"),
    *_electrical("_phase_b", "l2"),
    *_electrical("_phase_c", "l3"),
)


class Zigbee2MqttProfile:
    """Devices are `zigbee:<16 hex>` where the name is the address, else `topic:zigbee2mqtt/<name>`."""

    name = NAME
    version = 1
    filters: tuple[str, ...] = ("zigbee2mqtt/#",)

    def __init__(self) -> None:
        self._mapping = FlatMapping(FIELDS)
        self._sources = Sources(self._mapping.channels)
        self._rescue = Rescue(self._mapping.life_keys)
        self._parse = msgspec.json.Decoder(dict[str, Any]).decode

    def matches(self, topic: str) -> bool:
        """Whether the topic lies under zigbee2mqtt's base, a state or not."""
        return topic.startswith(BASE)

    def recall(self, topics: Sequence[str]) -> Int32:
        """As `Remembering.recall` promises."""
        return self._sources.recall(topics)

    def decode(self, topics: Sequence[str], payloads: Sequence[bytes], points: Points) -> Decoded:
        """As `Profile.decode` promises. The bridge's own topics, commands, availability and the empty
        payload that clears a retained one are accepted and mean nothing."""
        parse, sources = self._parse, self._sources
        sources.start_tick()
        tick = Tick(len(topics))
        remembered = sources.recall(topics).tolist()
        for n, (topic, payload, known) in enumerate(zip(topics, payloads, remembered, strict=True)):
            source = known
            if source < 0:
                uid = _uid_of(topic)
                if uid is None:
                    tick.rejected.append(Rejected(n, Reason.UNKNOWN_TOPIC, topic[:300]))
                    continue
                source = sources.meet(topic, uid) if uid else -1
            if source < 0 or not payload:
                tick.quiet.append(n)
                continue
            try:
                state = parse(payload)
            except PARSE_ERRORS:
                try:
                    state = parse(unpadded(payload))
                except PARSE_ERRORS as error:
                    tick.rejected.append(refusal(n, error))
                    tick.rescue(n, source, self._rescue.true_flags(payload))
                    continue
            if "voltage" in state or "power" in state or "power_a" in state:
                _say_what_is_meant(state)
            seen = state.get("last_seen")
            tick.add(n, source, 0 if seen is None else _seen_us(seen), state)
        return tick.finish(self._mapping, sources, points)


def _uid_of(topic: str) -> str | None:
    """The device of a state topic, "" for topics that hold no state, None for foreign ones."""
    name = topic.removeprefix(BASE)
    if name == topic or not 1 <= len(name) <= FRIENDLY_NAME_MAX:
        return None
    if name == "bridge" or name.startswith("bridge/") or name.endswith(_NOT_STATE):
        return ""
    address = _ADDRESS.fullmatch(name)
    return f"zigbee:{address[1].lower()}" if address else f"topic:{topic}"


def _say_what_is_meant(state: dict[str, Any]) -> None:
    """Renames keys whose meaning their neighbours decide, and gives unsigned power its sign."""
    if "voltage" in state and _METER.isdisjoint(state):
        volts = state["voltage"]
        if "battery" in state or (isinstance(volts, int | float) and volts >= _MAINS_MAX_V):
            state[BATTERY_MV] = state.pop("voltage")
    if any(key in state for key in _THREE_PHASE):
        _rename(state, MAINS_L1)
        _rename(state, TOTALS if "power_phase_b" not in state else {"power": "power of l1"})
    for flow, power in _FLOWS.items():
        if state.get(flow) == "producing" and type(state.get(power)) in {int, float}:
            state[power] = -abs(state[power])


def _rename(state: dict[str, Any], names: dict[str, str]) -> None:
    for old, new in names.items():
        if old in state:
            state[new] = state.pop(old)


def _seen_us(seen: object) -> int:
    if isinstance(seen, str):
        return iso(seen)
    return epoch_ms(seen) if isinstance(seen, int | float) else NONSENSE_US
