"""Milesight's LoRaWAN sensors: what the octets of an uplink mean, as the vendor's user guides describe it.

Most models chain items of channel number (1 octet), type (1 octet) and value (little endian). The smoke
detector GS524N sends six octets of its own instead. The keys are those of the vendor's published decoders, so
that a profile reads both alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from devices.profiles.formats.format import Unreadable
from devices.profiles.profile import Reason

LONGEST: Final = 255
"""Octets: no LoRaWAN payload is longer."""
_READ_FAILED: Final = 0xFFFF
_OVER_RANGE: Final = 0xFFFD
_STATUS: Final = {_READ_FAILED: "read failed", _OVER_RANGE: "over range alarm"}
_CURRENT_ALARMS: Final = (
    "current_threshold_alarm",
    "current_threshold_alarm_release",
    "current_over_range_alarm",
    "current_over_range_alarm_release",
)
"""By bit, from the lowest."""
_HEAT_ALARMS: Final = ("temperature threshold alarm release", "temperature threshold alarm")
_CLASSES: Final = ("Class A", "Class B", "Class C", "Class CtoB")


def decode_milesight(octets: bytes, _port: int | None = None) -> dict[str, Any]:
    """The object. Of a chain what stands before the first item that is unknown or cut short is kept, and the
    rest stands as hex text at `unread`. Raises `Unreadable` for no octets or too many, and for a GS524N's
    with a wrong checksum, except that an alarm in it is told (`checksum` is `wrong` then).
    """
    if not 0 < len(octets) <= LONGEST:
        raise Unreadable(Reason.UNREADABLE, f"{len(octets)} octets, expected 1 to {LONGEST}")
    return _smoke(octets) if _is_smoke_detector(octets) else _chain(octets)


class _Item(NamedTuple):
    """An item of a chain: the length of its value, and what it adds to the object."""

    length: int
    read: Callable[[dict[str, Any], bytes], None]


def _chain(octets: bytes) -> dict[str, Any]:
    said: dict[str, Any] = {}
    at = 0
    while at < len(octets):
        item = _ITEMS.get(octets[at : at + 2])
        if item is None or at + 2 + item.length > len(octets):
            said["unread"] = octets[at:].hex()
            break
        item.read(said, octets[at + 2 : at + 2 + item.length])
        at += 2 + item.length
    if "total_current" in said and not said.keys().isdisjoint(_OF_THREE_CHANNELS):
        said["current_chn1_total"] = said.pop("total_current")
    return said


def _unsigned(value: bytes) -> int:
    return int.from_bytes(value, "little")


def _scaled(key: str, per_unit: int, *, signed: bool = False) -> Callable[[dict[str, Any], bytes], None]:
    """A number of 1/`per_unit`, or what the sensor says of itself instead, at `<key>_sensor_status`."""

    def read(said: dict[str, Any], value: bytes) -> None:
        status = _STATUS.get(_unsigned(value)) if len(value) == 2 else None
        if status:
            said[f"{key}_sensor_status"] = status
        else:
            said[key] = int.from_bytes(value, "little", signed=signed) / per_unit

    return read


def _current_alarm(key: str, per_unit: int) -> Callable[[dict[str, Any], bytes], None]:
    """Largest, smallest and present current, and what is the matter, one bit each."""
    present = _scaled(key, per_unit)

    def read(said: dict[str, Any], value: bytes) -> None:
        said[f"{key}_max"] = _unsigned(value[0:2]) / per_unit
        said[f"{key}_min"] = _unsigned(value[2:4]) / per_unit
        present(said, value[4:6])
        said[f"{key}_alarm"] = {
            name: "yes" if value[6] >> bit & 1 else "no" for bit, name in enumerate(_CURRENT_ALARMS)
        }

    return read


def _temperature_alarm(said: dict[str, Any], value: bytes) -> None:
    _scaled("temperature", 10, signed=True)(said, value[:2])
    said["temperature_alarm"] = _HEAT_ALARMS[value[2]] if value[2] < len(_HEAT_ALARMS) else "unknown"


def _version(key: str, text: Callable[[bytes], str]) -> Callable[[dict[str, Any], bytes], None]:
    def read(said: dict[str, Any], value: bytes) -> None:
        said[key] = text(value)

    return read


def _items() -> dict[bytes, _Item]:
    temperature = _Item(2, _scaled("temperature", 10, signed=True))
    items = {
        b"\x01\x75": _Item(1, _scaled("battery", 1)),
        b"\x03\x67": temperature,
        b"\x04\x68": _Item(1, _scaled("humidity", 2)),
        b"\x09\x67": temperature,
        b"\x89\x67": _Item(3, _temperature_alarm),
        b"\x03\x97": _Item(4, _scaled("total_current", 100)),
        b"\x04\x98": _Item(2, _scaled("current", 100)),
        b"\x84\x98": _Item(7, _current_alarm("current", 100)),
        b"\xff\x01": _Item(1, _version("ipso_version", lambda v: f"v{v[0] >> 4}.{v[0] & 15}")),
        b"\xff\x09": _Item(2, _version("hardware_version", lambda v: f"v{v[0]:x}.{v[1] >> 4}")),
        b"\xff\x0a": _Item(2, _version("firmware_version", lambda v: f"v{v[0]:x}.{v[1]:x}")),
        b"\xff\x0b": _Item(1, _version("device_status", lambda _: "on")),
        b"\xff\x0f": _Item(1, _version("lorawan_class", lambda v: (*_CLASSES, "unknown")[min(v[0], 4)])),
        b"\xff\x16": _Item(8, _version("sn", bytes.hex)),
        b"\xff\xfe": _Item(1, _version("reset_event", lambda _: "reset")),
        b"\xff\xff": _Item(2, _version("tsl_version", lambda v: f"v{v[0]}.{v[1]}")),
    }
    for number in (1, 2, 3):
        key, total, present = f"current_chn{number}", 1 + 2 * number, 2 + 2 * number
        items[bytes((present, 0x99))] = _Item(2, _scaled(key, 10))
        items[bytes((0x80 | present, 0x99))] = _Item(7, _current_alarm(key, 10))
        if number > 1:  # the first one's is written like the total of a device with one channel
            items[bytes((total, 0x97))] = _Item(4, _scaled(f"{key}_total", 100))
    return items


_ITEMS: Final = _items()
_OF_THREE_CHANNELS: Final = frozenset(
    f"current_chn{number}{tail}"
    for number in (1, 2, 3)
    for tail in ("", "_total", "_alarm", "_sensor_status")
)
"""What only devices with three channels say: then a plain total is that of the first."""

_SMOKE_LENGTH: Final = 6
_SMOKE_SENSOR: Final = 1
_ALARM: Final = 1
_SMOKE_EVENTS: Final = {
    _ALARM: "alarm",
    2: "silent",
    4: "low battery",
    5: "failover",
    7: "normal",
    10: "removed",
    11: "installed",
    14: "testing alarm with normal battery",
    15: "testing alarm with low battery",
}


def _is_smoke_detector(octets: bytes) -> bool:
    """A GS524N says it is a smoke sensor where a chain has its first type; no type of a chain starts so, but
    for that of the serial number, which makes a longer chain.
    """
    return len(octets) == _SMOKE_LENGTH and octets[1] >> 4 == _SMOKE_SENSOR


def _smoke(octets: bytes) -> dict[str, Any]:
    """Versions, kind and event, battery in %, concentration in %, temperature in °C, checksum: all octets add
    up to 0 modulo 256.
    """
    event = _SMOKE_EVENTS.get(octets[1] & 15, "unknown")
    if sum(octets) & 0xFF:
        if octets[1] & 15 != _ALARM:
            raise Unreadable(Reason.UNREADABLE, "the checksum of a GS524N is wrong")
        return {"type": "smoke sensor", "event": event, "checksum": "wrong"}
    return {
        "version": octets[0] >> 4,
        "protocol": octets[0] & 15,
        "type": "smoke sensor",
        "event": event,
        "battery": octets[2],
        "concentration": octets[3],
        "temperature": int.from_bytes(octets[4:5], signed=True),
    }
