"""Writes a planned block into the registry, as installers would have done flat by flat."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from devices.model import Carrier, Medium
from devices.registry.bindings import bind
from devices.registry.contacts import add_channel, add_contact
from devices.registry.installed import register_device
from devices.registry.rows import Written
from devices.registry.tree import add_area, add_building, add_dwelling, add_stair
from devices.vault import Vault
from simulators.places import OWN, Block, Contact, Device

PhoneUrl = Callable[[str], str]


def write_block(connection: Connection, vault: Vault, block: Block, phone_url: PhoneUrl, now_us: int) -> None:
    """All of `block`; `phone_url` gives the address of a simulated phone. In the caller's transaction."""
    trace = Written(by="simulator", now_us=now_us)
    for area in block.areas:
        add_area(
            connection,
            level=area.level,
            code=area.code,
            name=area.name,
            parent_code=area.parent or None,
            **trace,
        )
    for building in block.buildings:
        add_building(
            connection,
            code=building.code,
            name=building.name,
            area_code=building.area,
            floors=building.floors,
            **trace,
        )
    for stair in block.stairs:
        add_stair(connection, code=stair.code, name=stair.name, building_code=stair.building, **trace)
    for dwelling in block.dwellings:
        add_dwelling(
            connection,
            vault,
            code=dwelling.code,
            stair_code=dwelling.stair,
            floor=dwelling.floor,
            flat=dwelling.flat,
            attention=dwelling.attention,
            **trace,
        )
    for device in block.devices:
        _write_device(connection, device, now_us)
    for contact in block.contacts:
        _write_contact(connection, vault, contact, phone_url(contact.phone), now_us)
    for binding in block.bindings:
        bind(
            connection,
            contact_code=binding.contact,
            role=binding.role,
            place_kind=binding.place_kind,
            place_code=binding.place,
            rank=binding.rank,
            **trace,
        )


def uid_of(device: Device) -> str:
    """The canonical uid that the profiles give what `device` sends."""
    return f"own:{device.native_id}" if device.profile == OWN else f"zigbee:{device.native_id[2:]}"


def _write_device(connection: Connection, device: Device, now_us: int) -> None:
    register_device(
        connection,
        uid=uid_of(device),
        kind=device.kind,
        profile="own" if device.profile == OWN else "zigbee2mqtt",
        dwelling_code=device.dwelling,
        breaker_a=device.breaker_a,
        cable_a=device.cable_a,
        insulation=device.insulation,
        earthing=device.earthing,
        label=device.label,
        by="simulator",
        now_us=now_us,
    )


def _write_contact(connection: Connection, vault: Vault, contact: Contact, url: str, now_us: int) -> None:
    """A push through a webhook, an SMS through Apprise, a call through a webhook: one phone, three ways."""
    trace = Written(by="simulator", now_us=now_us)
    add_contact(connection, vault, code=contact.code, name=contact.name, **trace)
    apprise_url = "json" + url.removeprefix("http")
    ways = (
        (Medium.PUSH, Carrier.WEBHOOK, url, 1),
        (Medium.SMS, Carrier.APPRISE, apprise_url, 2),
        (Medium.VOICE, Carrier.WEBHOOK, url, 3),
    )
    for medium, carrier, address, rank in ways:
        add_channel(
            connection,
            vault,
            contact_code=contact.code,
            medium=medium,
            carrier=carrier,
            address=address,
            rank=rank,
            **trace,
        )
