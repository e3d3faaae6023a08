"""What devices there are, and all that is known of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, RowMapping, or_, select

from devices.model import PlaceKind
from devices.registry.rows import Page, need, rows_of
from devices.registry.within import Place, ids_within
from devices.schema import building, device, dwelling, publisher, stair


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device; one of `dwelling`, `stair` and `building` is a code, the others empty. Ratings in amperes,
    None: unknown.

    `max_silence_s` is how long it may say nothing, None: as it says itself.
    `installed_on` is an ISO date, `installed_by` a code.
    """

    uid: str
    kind: str
    profile: str
    label: str
    dwelling: str
    stair: str
    building: str
    breaker_a: float | None
    cable_a: float | None
    insulation: str
    earthing: str
    max_silence_s: int | None
    vendor: str
    model: str
    serial: str
    installed_on: str | None
    installed_by: str
    registered_us: int
    registered_by: str
    retired_us: int | None


@dataclass(frozen=True, slots=True)
class PublisherOfDevice:
    """Credentials under which a device publishes for itself."""

    name: str
    revoked_us: int | None


def list_devices(
    connection: Connection,
    *,
    only: str | None = None,
    within: Place | None = None,
    retired: bool = False,
    page: Page | None = None,
) -> list[DeviceRow]:
    """Devices in service by uid, with `retired` all, those within a place; or the one with uid `only` (else
    NotThere). A retired device lies where it hung last."""
    query = _DEVICES
    if only is None and not retired:
        query = query.where(device.c.retired_us.is_(None))
    if within is not None:
        in_dwelling = device.c.dwelling_id.in_(ids_within(connection, within, PlaceKind.DWELLING))
        on_stair = device.c.stair_id.in_(ids_within(connection, within, PlaceKind.STAIR))
        in_building = device.c.building_id.in_(ids_within(connection, within, PlaceKind.BUILDING))
        query = query.where(or_(in_dwelling, on_stair, in_building))
    return [_device_row(row) for row in rows_of(connection, query, device, only, key="uid", page=page)]


def publishers_of(connection: Connection, uid: str) -> list[PublisherOfDevice]:
    """The publishers of a device by name, revoked ones included. Raises NotThere."""
    known = need(connection, device, "uid", uid)
    query = select(publisher.c.name, publisher.c.revoked_us).where(publisher.c.device_id == known["id"])
    rows = connection.execute(query.order_by(publisher.c.name)).mappings()
    return [PublisherOfDevice(**row) for row in rows]


_DEVICES: Final = (
    select(
        device,
        dwelling.c.code.label("dwelling"),
        stair.c.code.label("stair"),
        building.c.code.label("building"),
    )
    .outerjoin(dwelling, device.c.dwelling_id == dwelling.c.id)
    .outerjoin(stair, device.c.stair_id == stair.c.id)
    .outerjoin(building, device.c.building_id == building.c.id)
)


def _device_row(row: RowMapping) -> DeviceRow:
    return DeviceRow(
        uid=row["uid"],
        kind=row["kind"],
        profile=row["profile"],
        label=row["label"],
        dwelling=row["dwelling"] or "",
        stair=row["stair"] or "",
        building=row["building"] or "",
        breaker_a=row["breaker_a"],
        cable_a=row["cable_a"],
        insulation=row["insulation"],
        earthing=row["earthing"],
        max_silence_s=row["max_silence_s"],
        vendor=row["vendor"],
        model=row["model"],
        serial=row["serial"],
        installed_on=row["installed_on"],
        installed_by=row["installed_by"],
        registered_us=row["registered_us"],
        registered_by=row["registered_by"],
        retired_us=row["retired_us"],
    )
