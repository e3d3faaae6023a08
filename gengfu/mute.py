"""Devices in service that the broker would let nobody publish for: they are silent without being broken."""

from __future__ import annotations

from sqlalchemy import Connection, exists, func, literal, select

from devices.profiles.own import own_profile as own
from devices.schema import device, publisher, publisher_prefix


def mute_devices(connection: Connection) -> int:
    """How many devices in service have nobody who may publish for them.

    Where no publisher is registered at all: every one. Else those of our own format, whose topic is known,
    for which neither they nor a gateway may publish. Of others only their gateway's credential is known.
    """
    standing = exists().where(publisher.c.revoked_us.is_(None))
    in_service = device.c.retired_us.is_(None)
    if not connection.scalar(select(standing)):
        return connection.scalar(select(func.count()).select_from(device).where(in_service)) or 0
    topic = literal("gengfu/") + func.substr(device.c.uid, len("own:") + 1)
    holds = exists().where(
        publisher_prefix.c.publisher_id == publisher.c.id,
        publisher.c.revoked_us.is_(None),
        func.lower(publisher_prefix.c.prefix).in_((topic, "gengfu")),
    )
    own_format = device.c.profile == own.NAME
    counted = select(func.count()).select_from(device).where(in_service, own_format, ~holds)
    return connection.scalar(counted) or 0
