"""The block of the stories: one building of two stairs, its detectors, and the people bound to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert

from devices import schema as registry
from devices.model import Carrier, Medium, Role

BUILT_US = 1_700_000_000_000_000
WAYS = (Medium.PUSH, Medium.SMS, Medium.VOICE)

CAST: dict[str, tuple[Role, str, int]] = {
    "family": (Role.FAMILY, "dwelling:501", 1),
    "family-2": (Role.FAMILY, "dwelling:501", 2),
    "family-3": (Role.FAMILY, "dwelling:501", 3),
    "neighbour": (Role.NEIGHBOUR, "dwelling:401", 1),
    "grid_worker": (Role.GRID_WORKER, "building", 1),
    "grid_worker-2": (Role.GRID_WORKER, "building", 2),
    "building_secretary": (Role.BUILDING_SECRETARY, "building", 1),
    "micro_station": (Role.MICRO_STATION, "area", 1),
    "fire_brigade": (Role.FIRE_BRIGADE, "area", 1),
    "duty_desk": (Role.DUTY_DESK, "area", 1),
    "supervisor": (Role.SUPERVISOR, "area", 1),
}
"""Contacts by code: role, place bound to, rank. Each has a push, an SMS and a voice way."""

DEVICES: dict[str, tuple[str, str]] = {
    "smoke-501": ("smoke", "501"),
    "smoke-501-b": ("smoke", "501"),
    "monitor-501": ("electrical", "501"),
    "smoke-401": ("smoke", "401"),
    "smoke-101": ("smoke", "101"),
    "smoke-other": ("smoke", "other"),
    "smoke-hall": ("smoke", ""),
    "landing-1": ("smoke", "stair:1"),
    "landing-1-b": ("smoke", "stair:1"),
    "landing-2": ("smoke", "stair:2"),
    "riser-1": ("electrical", "stair:1"),
    "riser": ("electrical", ""),
}
"""Devices by uid: kind and flat, or the stair whose landings they watch; the other two are the building's."""

DWELLINGS = {"501": (1, 5), "502": (1, 5), "401": (1, 4), "101": (1, 1), "other": (2, 5)}
"""Flats: stair and floor."""


@dataclass
class Block:
    """Registry ids by contact code, flat and device uid."""

    contacts: dict[str, int] = field(default_factory=dict)
    dwellings: dict[str, int] = field(default_factory=dict)
    devices: dict[str, int] = field(default_factory=dict)


def build(connection: Connection, *, without: tuple[str, ...] = (), agreed: bool = False) -> Block:
    """The block with its cast but for `without`. `agreed`: the brigade takes unconfirmed alarms."""
    block = Block()
    _build(connection, block)
    for code in CAST:
        if code not in without:
            _bind(connection, block, code, agreed)
    return block


def _build(connection: Connection, block: Block) -> None:
    def add(table: Any, **values: object) -> int:
        return int(connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())

    area = add(registry.area, level="grid", code="grid", name="示范网格")
    building = add(registry.building, area_id=area, code="b3", name="3号楼", floors=6)
    stairs = [add(registry.stair, building_id=building, code=f"b3-{n}", name=f"{n}单元") for n in (1, 2)]
    for flat, (stair, floor) in DWELLINGS.items():
        block.dwellings[flat] = add(
            registry.dwelling, stair_id=stairs[stair - 1], floor=floor, flat=flat, code=f"b3-{flat}"
        )
    for uid, (kind, flat) in DEVICES.items():
        _, on_stair, number = flat.partition("stair:")
        block.devices[uid] = add(
            registry.device,
            uid=uid,
            kind=kind,
            profile="test",
            dwelling_id=block.dwellings[flat] if flat and not on_stair else None,
            stair_id=stairs[int(number) - 1] if on_stair else None,
            building_id=None if flat else building,
            registered_us=BUILT_US,
            registered_by="test",
        )


def _bind(connection: Connection, block: Block, code: str, agreed: bool) -> None:
    role, place, rank = CAST[code]
    block.contacts[code] = contact_id = add_contact(connection, code)
    kind, _, flat = place.partition(":")
    connection.execute(
        insert(registry.binding).values(
            contact_id=contact_id,
            role=str(role),
            place_kind=kind,
            place_id=block.dwellings[flat] if flat else 1,
            rank=rank,
            takes_unconfirmed=agreed and role is Role.FIRE_BRIGADE,
            bound_us=BUILT_US,
        )
    )


def add_contact(
    connection: Connection, code: str, media: tuple[Medium, ...] = WAYS, language: str = "en"
) -> int:
    values = {"code": code, "name_sealed": b"", "language": language, "created_us": BUILT_US}
    contact_id = int(
        connection.execute(
            insert(registry.contact).values(values).returning(registry.contact.c.id)
        ).scalar_one()
    )
    for rank, medium in enumerate(media, 1):
        connection.execute(
            insert(registry.contact_channel).values(
                contact_id=contact_id,
                medium=str(medium),
                carrier=str(Carrier.WEBHOOK),
                address_sealed=b"",
                address_index=b"",
                rank=rank,
            )
        )
    return contact_id
