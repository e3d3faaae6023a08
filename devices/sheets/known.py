"""What the registry holds, as values of the forms: read at once, compared without a query per row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, case, func, select

from devices.database import reading
from devices.model import PlaceKind
from devices.quiet import Quiet
from devices.schema import (
    area,
    binding,
    building,
    contact,
    contact_channel,
    device,
    device_channel,
    dwelling,
    placement,
    registry_change,
    stair,
)
from devices.sheets.columns import WayText
from devices.vault import CHANNEL_ADDRESS, CONTACT_NAME, DWELLING_ATTENTION, Vault

NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "area": ("building",),
    "building": ("area", "stair", "dwelling"),
    "stair": ("building", "dwelling"),
    "dwelling": ("building", "stair"),
    "contact": (),
    "binding": ("area", "building", "stair", "dwelling", "contact"),
    "device": ("building", "stair", "dwelling", "channel"),
    "channel": ("device",),
}
"""Which other forms must be known to check a form: those it refers to and those that hang below it."""


class Known(NamedTuple):
    """A row that is there: its id, and its values in the order of the form's columns, codes for places."""

    id: int
    values: tuple[Any, ...]


class WayKnown(NamedTuple):
    """A row of `contact_channel`."""

    id: int
    rank: int


@dataclass(slots=True)
class Registry:
    """The registry at `version` (newest registry_change) and `key` (the vault's newest).

    `rows` by form and key. Sealed columns nobody asked for are None there. `ways` are the standing rows by
    contact id in the order of the contact's values, `retired` uids, `erased` contact codes, `latest_us` the
    end or beginning of a device's stays where that lies after now.
    """

    version: int
    key: int
    rows: dict[str, dict[Any, Known]] = field(default_factory=dict)
    ways: dict[int, list[WayKnown]] = field(default_factory=dict)
    retired: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    latest_us: dict[int, int] = field(default_factory=dict)
    highest: dict[str, int] = field(default_factory=dict)

    def there(self, code: str) -> bool:
        """Whether something of the registry, not only of the file, has this code or uid."""
        return (
            code in self.retired
            or code in self.erased
            or any((row := rows.get(code)) is not None and row.id for rows in self.rows.values())
        )


class NeverStill(Exception):
    """The registry changed while it was read."""


def version_of(connection: Connection) -> int:
    """The newest change; 0 where there is none."""
    return connection.execute(select(func.max(registry_change.c.id))).scalar() or 0


def read_registry(
    engine: Engine, vault: Vault, forms: Mapping[str, Collection[str]], *, now_us: int = 0
) -> Registry:
    """What must be known for `forms`: names with the columns that will be looked at.

    Raises NeverStill when somebody changed the registry meanwhile (only where a transaction of reads is not
    one snapshot), SealBroken where a sealed column that is asked for does not open.
    """
    needed = set(forms) | {other for name in forms for other in NEEDS[name]}
    with reading(engine) as connection:
        registry = Registry(version_of(connection), vault.newest)
        for name in (name for name in NEEDS if name in needed):
            registry.rows[name] = _READERS[name](connection, vault, registry, forms.get(name, ()))
        if "device" in forms:
            registry.latest_us = _latest(connection, now_us)
        for table in (area, building, stair, dwelling, contact, contact_channel, binding, device,
                      device_channel, placement):  # fmt: skip
            highest = connection.execute(select(func.max(table.c.id))).scalar()
            registry.highest[table.name] = highest or 0
        if version_of(connection) != registry.version:
            raise NeverStill
    return registry


Wanted = Collection[str]


def _areas(connection: Connection, _vault: Vault, _registry: Registry, _wanted: Wanted) -> dict[Any, Known]:
    above = area.alias()
    query = select(area.c.id, area.c.code, area.c.level, area.c.name, above.c.code).outerjoin(
        above, area.c.parent_id == above.c.id
    )
    rows = connection.execute(query)
    return {code: Known(id_, (code, level, name, parent or "")) for id_, code, level, name, parent in rows}


def _buildings(
    connection: Connection, _vault: Vault, _registry: Registry, _wanted: Wanted
) -> dict[Any, Known]:
    query = select(building.c.id, building.c.code, building.c.name, area.c.code, building.c.floors)
    return {row[1]: Known(row[0], tuple(row[1:])) for row in connection.execute(query.join(area))}


def _stairs(connection: Connection, _vault: Vault, _registry: Registry, _wanted: Wanted) -> dict[Any, Known]:
    query = select(stair.c.id, stair.c.code, stair.c.name, building.c.code).join(building)
    return {row[1]: Known(row[0], tuple(row[1:])) for row in connection.execute(query)}


def _dwellings(connection: Connection, vault: Vault, _registry: Registry, wanted: Wanted) -> dict[Any, Known]:
    query = select(
        dwelling.c.id, dwelling.c.code, stair.c.code, dwelling.c.floor, dwelling.c.flat,
        dwelling.c.attention_sealed,
    ).join(stair)  # fmt: skip
    found = {}
    for id_, code, above, floor, flat, sealed in connection.execute(query):
        note = None
        if "attention" in wanted:
            note = vault.unseal(bytes(sealed), DWELLING_ATTENTION) if sealed else ""
        found[code] = Known(id_, (code, above, floor, flat, note))
    return found


def _contacts(connection: Connection, vault: Vault, registry: Registry, wanted: Wanted) -> dict[Any, Known]:
    ways = _ways(connection, vault, registry) if "way" in wanted else {}
    query = select(
        contact.c.id, contact.c.code, contact.c.name_sealed, contact.c.language, contact.c.erased_us
    )
    found = {}
    for id_, code, sealed, language, erased_us in connection.execute(query):
        if erased_us is not None:
            registry.erased.add(code)
            continue
        name = vault.unseal(bytes(sealed), CONTACT_NAME) if "name" in wanted else None
        found[code] = Known(id_, (code, name, language, tuple(ways.get(id_, ()))))
    return found


def _ways(connection: Connection, vault: Vault, registry: Registry) -> dict[int, list[WayText]]:
    table = contact_channel
    query = (
        select(
            table.c.id, table.c.contact_id, table.c.medium, table.c.carrier, table.c.address_sealed,
            table.c.rank,
        )
        .join(contact)
        .where(table.c.removed_us.is_(None), contact.c.erased_us.is_(None))
        .order_by(table.c.rank, table.c.id)
    )  # fmt: skip
    texts: dict[int, list[WayText]] = {}
    for id_, owner, medium, carrier, sealed, rank in connection.execute(query):
        address = vault.unseal(bytes(sealed), CHANNEL_ADDRESS)
        texts.setdefault(owner, []).append(WayText(medium, carrier, address))
        registry.ways.setdefault(owner, []).append(WayKnown(id_, rank))
    return texts


_PLACE_CODE: Final = case(
    (binding.c.place_kind == PlaceKind.AREA, area.c.code),
    (binding.c.place_kind == PlaceKind.BUILDING, building.c.code),
    (binding.c.place_kind == PlaceKind.STAIR, stair.c.code),
    else_=dwelling.c.code,
)


def _bindings(
    connection: Connection, _vault: Vault, _registry: Registry, _wanted: Wanted
) -> dict[Any, Known]:
    query = (
        select(
            binding.c.id, contact.c.code, binding.c.role, binding.c.place_kind, _PLACE_CODE, binding.c.rank,
            binding.c.delay_s, binding.c.quiet_from, binding.c.quiet_until, binding.c.takes_unconfirmed,
        )
        .join(contact, binding.c.contact_id == contact.c.id)
        .outerjoin(area, (binding.c.place_kind == PlaceKind.AREA) & (area.c.id == binding.c.place_id))
        .outerjoin(
            building, (binding.c.place_kind == PlaceKind.BUILDING) & (building.c.id == binding.c.place_id)
        )
        .outerjoin(stair, (binding.c.place_kind == PlaceKind.STAIR) & (stair.c.id == binding.c.place_id))
        .outerjoin(
            dwelling, (binding.c.place_kind == PlaceKind.DWELLING) & (dwelling.c.id == binding.c.place_id)
        )
        .where(binding.c.ended_us.is_(None), contact.c.erased_us.is_(None))
    )  # fmt: skip
    found = {}
    for id_, who, role, kind, place, rank, delay_s, since, until, unconfirmed in connection.execute(query):
        if place is not None:  # a place that is gone: nothing a sheet could name
            values = (who, role, kind, place, rank, delay_s, Quiet.stored(since, until), bool(unconfirmed))
            found[values[:4]] = Known(id_, values)
    return found


def _devices(connection: Connection, _vault: Vault, registry: Registry, _wanted: Wanted) -> dict[Any, Known]:
    query = (
        select(
            device.c.id, device.c.retired_us, device.c.uid, device.c.kind, device.c.profile, dwelling.c.code,
            stair.c.code, building.c.code, device.c.label, device.c.breaker_a, device.c.cable_a,
            device.c.insulation, device.c.earthing, device.c.max_silence_s, device.c.vendor, device.c.model,
            device.c.serial, device.c.installed_on, device.c.installed_by,
        )
        .outerjoin(dwelling, device.c.dwelling_id == dwelling.c.id)
        .outerjoin(stair, device.c.stair_id == stair.c.id)
        .outerjoin(building, device.c.building_id == building.c.id)
    )  # fmt: skip
    found = {}
    for id_, retired_us, uid, kind, profile, flat, steps, house, *more in connection.execute(query):
        if retired_us is not None:
            registry.retired.add(uid)
        else:
            found[uid] = Known(id_, (uid, kind, profile, flat or "", steps or "", house or "", *more))
    return found


def _channels(
    connection: Connection, _vault: Vault, _registry: Registry, _wanted: Wanted
) -> dict[Any, Known]:
    table = device_channel
    query = (
        select(
            table.c.id, device.c.uid, table.c.channel, table.c.label, table.c.breaker_a, table.c.cable_a,
            table.c.insulation,
        )
        .join(device)
        .where(device.c.retired_us.is_(None))
    )  # fmt: skip
    return {(row[1], row[2]): Known(row[0], tuple(row[1:])) for row in connection.execute(query)}


def _latest(connection: Connection, now_us: int) -> dict[int, int]:
    """Stays on record after `now_us`: the clock stepped back."""
    latest: dict[int, int] = {}
    for column in (placement.c.since_us, placement.c.until_us):
        query = select(placement.c.device_id, func.max(column)).where(column > now_us)
        for device_id, at_us in connection.execute(query.group_by(placement.c.device_id)):
            latest[device_id] = max(at_us, latest.get(device_id, 0))
    return latest


_READERS: Final[dict[str, Callable[[Connection, Vault, Registry, Wanted], dict[Any, Known]]]] = {
    "area": _areas,
    "building": _buildings,
    "stair": _stairs,
    "dwelling": _dwellings,
    "contact": _contacts,
    "binding": _bindings,
    "device": _devices,
    "channel": _channels,
}
