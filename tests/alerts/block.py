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
    _bind(connection, block, [code for code in CAST if code not in without], agreed)
    return block


def _add(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> list[int]:
    """Few statements for many rows: on PostgreSQL each is a way there and back, and every story builds."""
    new = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.execute(new, rows).scalars())


def _build(connection: Connection, block: Block) -> None:
    (area,) = _add(connection, registry.area, [{"level": "grid", "code": "grid", "name": "示范网格"}])
    house = {"area_id": area, "code": "b3", "name": "3号楼", "floors": 6}
    (building,) = _add(connection, registry.building, [house])
    stairs = _add(
        connection,
        registry.stair,
        [{"building_id": building, "code": f"b3-{n}", "name": f"{n}单元"} for n in (1, 2)],
    )
    flats = [
        {"stair_id": stairs[stair - 1], "floor": floor, "flat": flat, "code": f"b3-{flat}"}
        for flat, (stair, floor) in DWELLINGS.items()
    ]
    block.dwellings |= zip(DWELLINGS, _add(connection, registry.dwelling, flats), strict=True)
    devices = [_device(block, building, stairs, uid) for uid in DEVICES]
    block.devices |= zip(DEVICES, _add(connection, registry.device, devices), strict=True)


def _device(block: Block, building: int, stairs: list[int], uid: str) -> dict[str, Any]:
    kind, flat = DEVICES[uid]
    _, on_stair, number = flat.partition("stair:")
    return {
        "uid": uid,
        "kind": kind,
        "profile": "test",
        "dwelling_id": block.dwellings[flat] if flat and not on_stair else None,
        "stair_id": stairs[int(number) - 1] if on_stair else None,
        "building_id": None if flat else building,
        "registered_us": BUILT_US,
        "registered_by": "test",
    }


def _bind(connection: Connection, block: Block, codes: list[str], agreed: bool) -> None:
    contacts = _add(connection, registry.contact, [_contact(code, "en") for code in codes])
    block.contacts |= zip(codes, contacts, strict=True)
    ways = [way for contact_id in contacts for way in _ways(contact_id, WAYS)]
    connection.execute(insert(registry.contact_channel), ways)
    connection.execute(insert(registry.binding), [_binding(block, code, agreed) for code in codes])


def _binding(block: Block, code: str, agreed: bool) -> dict[str, Any]:
    role, place, rank = CAST[code]
    kind, _, flat = place.partition(":")
    return {
        "contact_id": block.contacts[code],
        "role": str(role),
        "place_kind": kind,
        "place_id": block.dwellings[flat] if flat else 1,
        "rank": rank,
        "takes_unconfirmed": agreed and role is Role.FIRE_BRIGADE,
        "bound_us": BUILT_US,
    }


def _contact(code: str, language: str) -> dict[str, Any]:
    return {"code": code, "name_sealed": b"", "language": language, "created_us": BUILT_US}


def _ways(contact_id: int, media: tuple[Medium, ...]) -> list[dict[str, Any]]:
    return [
        {
            "contact_id": contact_id,
            "medium": str(medium),
            "carrier": str(Carrier.WEBHOOK),
            "address_sealed": b"",
            "address_index": b"",
            "rank": rank,
        }
        for rank, medium in enumerate(media, 1)
    ]


def add_contact(
    connection: Connection, code: str, media: tuple[Medium, ...] = WAYS, language: str = "en"
) -> int:
    (contact_id,) = _add(connection, registry.contact, [_contact(code, language)])
    if media:
        connection.execute(insert(registry.contact_channel), _ways(contact_id, media))
    return contact_id
