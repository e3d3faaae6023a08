"""Channels of devices: what is known of one sensing point, where it differs from the device.

Every write sets the device's `change_id`, like a write to the device itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Unpack

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from devices.profiles.own.own_profile import CHANNELS_MAX
from devices.registry.device_checks import ChannelSaid, check_channel, check_said
from devices.registry.errors import NotAllowed, NotThere
from devices.registry.installed import in_service, note_device
from devices.registry.rows import changed, need
from devices.schema import device, device_channel


@dataclass(frozen=True, slots=True)
class DeviceChannelRow:
    """One channel as it was said; ratings in amperes. None, empty or unknown: as for the device."""

    channel: str
    label: str
    breaker_a: float | None
    cable_a: float | None
    insulation: str


def set_channel(
    connection: Connection, *, uid: str, channel: str, by: str, now_us: int, **said: Unpack[ChannelSaid]
) -> bool:
    """Says something of a channel of a device in service; gives whether anything differed.

    Only what is given is written. A channel nobody named before is new: what is not said of it holds as for
    the device, as does what is said to be None, empty or unknown. At most CHANNELS_MAX of one device.
    """
    known = in_service(connection, uid)
    values = check_said(dict(said), now_us)
    standing = _find(connection, known["id"], check_channel(channel))
    if standing is not None:
        values = changed(standing, values)
        if not values:
            return False
        write: Any = update(device_channel).where(device_channel.c.id == standing["id"]).values(values)
    else:
        _check_room(connection, known)
        write = insert(device_channel).values(device_id=known["id"], channel=channel, **values)
    connection.execute(write)
    note_device(connection, known, f"set channel {channel}", by=by, now_us=now_us)
    return True


def remove_channel(connection: Connection, *, uid: str, channel: str, by: str, now_us: int) -> None:
    """Forgets what was said of a channel: all holds as for the device again. Raises NotThere."""
    known = in_service(connection, uid)
    standing = _find(connection, known["id"], channel)
    if standing is None:
        raise NotThere(f"device {uid!r} has no channel {channel!r}")
    connection.execute(delete(device_channel).where(device_channel.c.id == standing["id"]))
    note_device(connection, known, f"remove channel {channel}", by=by, now_us=now_us)


def list_channels(connection: Connection, uid: str) -> list[DeviceChannelRow]:
    """The channels of a device of which something was said, by name. Raises NotThere."""
    known = need(connection, device, "uid", uid)
    query = _CHANNELS.where(device_channel.c.device_id == known["id"])
    return [DeviceChannelRow(**row) for row in connection.execute(query).mappings()]


def _find(connection: Connection, device_id: int, channel: str) -> RowMapping | None:
    query = select(device_channel).where(
        device_channel.c.device_id == device_id, device_channel.c.channel == channel
    )
    return connection.execute(query).mappings().one_or_none()


def _check_room(connection: Connection, known: RowMapping) -> None:
    query = select(func.count()).where(device_channel.c.device_id == known["id"])
    if connection.execute(query).scalar_one() >= CHANNELS_MAX:
        raise NotAllowed(f"device {known['uid']!r} has {CHANNELS_MAX} channels: more are not allowed")


_CHANNELS: Final = select(
    device_channel.c.channel,
    device_channel.c.label,
    device_channel.c.breaker_a,
    device_channel.c.cable_a,
    device_channel.c.insulation,
).order_by(device_channel.c.channel)
