"""Devices: registered, described, moved, retired, returned.

Every write to a device or its channels, and every move of its building, sets `device.change_id` to the change
it notes: who holds devices in memory reads only what is newer than what they know. There is one writer at a
time (`devices.database`), so that it only grows.
"""

from __future__ import annotations

from typing import Any, Final, Unpack

from sqlalchemy import Connection, RowMapping, delete, insert, update

from devices.profiles.general.naming import UID_MAX
from devices.registry.device_checks import (
    EARTHINGS,
    INSULATIONS,
    KINDS,
    DeviceChanges,
    DeviceSaid,
    check_said,
    check_uid,
)
from devices.registry.devices_listed import DeviceRow, list_devices
from devices.registry.errors import AlreadyThere, NotThere
from devices.registry.placements import Spot, begin_stay, end_stay, find_spot
from devices.registry.rows import changed, find, need, note_change
from devices.schema import device, device_channel, publisher

__all__ = [
    "EARTHINGS",
    "INSULATIONS",
    "KINDS",
    "UID_MAX",
    "DeviceRow",
    "check_uid",
    "list_devices",
    "move_device",
    "register_device",
    "retire_device",
    "set_device",
]

_UNSAID: Final = DeviceSaid(
    label="",
    breaker_a=None,
    cable_a=None,
    insulation="unknown",
    earthing="unknown",
    max_silence_s=None,
    installed_on=None,
    installed_by="",
)
"""What is unknown until it is said; vendor, model and serial stay those of the device when it returns."""


def register_device(
    connection: Connection,
    *,
    uid: str,
    kind: str,
    profile: str,
    dwelling_code: str | None = None,
    stair_code: str | None = None,
    building_code: str | None = None,
    by: str,
    now_us: int,
    **said: Unpack[DeviceSaid],
) -> int:
    """A device in a dwelling, on a stair outside its dwellings, or in a building outside both; gives its id.

    A retired device may be registered again, at the same place or another: it keeps its id, its history and
    its nameplate. What else was said of it, its channels included, belonged to the former circuit and is
    forgotten.
    """
    spot = find_spot(connection, dwelling_code, stair_code, building_code)
    values = _UNSAID | check_said({"kind": kind, "profile": profile, **said}, now_us)
    values |= {"registered_us": now_us, "registered_by": by[:64], "retired_us": None, **spot._asdict()}
    known = find(connection, device, "uid", check_uid(uid))
    if known is None:
        device_id = _insert(connection, values | {"uid": uid}, by, now_us)
    elif known["retired_us"] is None:
        raise AlreadyThere(f"device {uid!r} is there already")
    else:
        device_id = int(known["id"])
        connection.execute(delete(device_channel).where(device_channel.c.device_id == device_id))
        note_device(connection, known, "return", by=by, now_us=now_us, values=values)
    begin_stay(connection, device_id, spot, now_us)
    return device_id


def _insert(connection: Connection, values: dict[str, Any], by: str, now_us: int) -> int:
    change_id = note_change(connection, by, now_us, f"device add {values['uid']}")
    row = insert(device).values(**values, change_id=change_id).returning(device.c.id)
    return int(connection.execute(row).scalar_one())


def set_device(
    connection: Connection, *, uid: str, by: str, now_us: int, **changes: Unpack[DeviceChanges]
) -> bool:
    """Describes a device in service anew; gives whether anything differed. Only what is given is written."""
    known = in_service(connection, uid)
    values = changed(known, check_said(dict(changes), now_us))
    if not values:
        return False
    note_device(connection, known, "set", by=by, now_us=now_us, values=values)
    return True


def move_device(
    connection: Connection,
    *,
    uid: str,
    dwelling_code: str | None = None,
    stair_code: str | None = None,
    building_code: str | None = None,
    by: str,
    now_us: int,
) -> None:
    """Hangs a device in service elsewhere. What is said of it and its circuit stays as it is.

    Raises AlreadyThere when it hangs there, NotThere for a retired one.
    """
    known = in_service(connection, uid)
    spot = find_spot(connection, dwelling_code, stair_code, building_code)
    if spot == Spot(*(known[name] for name in Spot._fields)):
        place = dwelling_code or stair_code or building_code
        raise AlreadyThere(f"device {uid!r} hangs in {place!r} already")
    end_stay(connection, known["id"], now_us)
    begin_stay(connection, known["id"], spot, now_us)
    note_device(connection, known, "move", by=by, now_us=now_us, values=spot._asdict())


def retire_device(connection: Connection, *, uid: str, by: str, now_us: int) -> None:
    """Takes a device out of service; from then on it is unknown, and its credential ends. Raises NotThere."""
    known = need(connection, device, "uid", uid)
    if known["retired_us"] is not None:
        raise NotThere(f"device {uid!r} is retired already")
    end_stay(connection, known["id"], now_us)
    connection.execute(
        update(publisher)
        .where(publisher.c.device_id == known["id"], publisher.c.revoked_us.is_(None))
        .values(revoked_us=now_us)
    )
    note_device(connection, known, "retire", by=by, now_us=now_us, values={"retired_us": now_us})


def in_service(connection: Connection, uid: str) -> RowMapping:
    """The row of a device in service. Raises NotThere, also for a retired one."""
    known = need(connection, device, "uid", uid)
    if known["retired_us"] is not None:
        raise NotThere(f"device {uid!r} is retired: registered again it can be changed")
    return known


def note_device(
    connection: Connection,
    known: RowMapping,
    verb: str,
    *,
    by: str,
    now_us: int,
    values: dict[str, Any] | None = None,
) -> None:
    """Writes `values` to a device, and notes it: the one way its row changes."""
    change_id = note_change(connection, by, now_us, f"device {verb} {known['uid']}")
    values = {**(values or {}), "change_id": change_id}
    connection.execute(update(device).where(device.c.id == known["id"]).values(values))
