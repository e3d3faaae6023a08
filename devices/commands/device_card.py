"""All that is known of one device, for whoever must act on it at night."""

from __future__ import annotations

from dataclasses import dataclass, fields

import typer
from sqlalchemy import Connection

from devices.commands.desk import ExerciseAt, instant, print_rows
from devices.commands.where import hangs
from devices.places import describe_building, describe_dwelling, describe_stair
from devices.registry.channels import DeviceChannelRow, list_channels
from devices.registry.devices_listed import DeviceRow, PublisherOfDevice, list_devices, publishers_of
from devices.registry.placements import StayRow, placements_of
from devices.registry.pressed import PressedRow, last_pressed
from devices.registry.rows import need
from devices.schema import device

LANGUAGE = "en"
"""The command line speaks English; names of places are as registered."""


@dataclass(frozen=True, slots=True)
class LastTest(PressedRow):
    """The newest test of a device. `exercise`: `commissioning` or `drill` where it was in one then; else
    empty."""

    exercise: str


@dataclass(frozen=True, slots=True)
class DeviceCard(DeviceRow):
    """A device with its place in words and what belongs to it.

    `last_test` is None where no test is on record. `history` is None where it was not asked for; the stays in
    order of time otherwise.
    """

    place: str
    channels: tuple[DeviceChannelRow, ...]
    publishers: tuple[PublisherOfDevice, ...]
    last_test: LastTest | None
    history: tuple[StayRow, ...] | None


def read_card(connection: Connection, uid: str, exercise_at: ExerciseAt, *, history: bool) -> DeviceCard:
    """The card of one device, retired or not. Raises NotThere."""
    [row] = list_devices(connection, only=uid)
    return DeviceCard(
        **{one.name: getattr(row, one.name) for one in fields(row)},
        place=_place(connection, uid),
        channels=tuple(list_channels(connection, uid)),
        publishers=tuple(publishers_of(connection, uid)),
        last_test=_last_test(connection, uid, exercise_at),
        history=tuple(placements_of(connection, uid)) if history else None,
    )


def _last_test(connection: Connection, uid: str, exercise_at: ExerciseAt) -> LastTest | None:
    found = last_pressed(connection, uid)
    if found is None:
        return None
    exercise = exercise_at(connection, uid, found.began_us, found.received_us)
    return LastTest(found.began_us, found.ended_us, found.received_us, exercise)


def _place(connection: Connection, uid: str) -> str:
    known = need(connection, device, "uid", uid)
    if known["dwelling_id"] is not None:
        return describe_dwelling(connection, known["dwelling_id"], LANGUAGE)
    if known["stair_id"] is not None:
        return describe_stair(connection, known["stair_id"], LANGUAGE)
    return describe_building(connection, known["building_id"] or 0, LANGUAGE)


def print_card(card: DeviceCard, *, json: bool) -> None:
    """One JSON object, or a line for each thing worth knowing."""
    if json:
        print_rows([card], json=True)
        return
    for what, text in _lines(card):
        typer.echo(f"{what:<10} {text}")


def _lines(card: DeviceCard) -> list[tuple[str, str]]:
    code = hangs(card.dwelling, card.stair, card.building)
    return [
        ("device", f"{card.uid} ({card.kind}, profile {card.profile})"),
        ("state", f"retired {instant(card.retired_us)}" if card.retired_us is not None else "in service"),
        ("place", f"{card.place} ({code})"),
        ("label", card.label or "-"),
        ("circuit", f"{_circuit(card)}, earthing {card.earthing}"),
        ("silence", _silence(card.max_silence_s)),
        *((("last test", _test(card.last_test)),) if card.kind == "smoke" or card.last_test else ()),
        *(("channel", f"{one.channel}: {_channel(one)}") for one in card.channels),
        ("made", ", ".join(part for part in (card.vendor, card.model) if part) or "unknown"),
        ("serial", card.serial or "unknown"),
        ("publisher", "; ".join(map(_publisher, card.publishers)) or "none of its own"),
        ("installed", f"{card.installed_on or 'unknown when'} by {card.installed_by or 'unknown'}"),
        ("registered", f"{instant(card.registered_us)} by {card.registered_by}"),
        *(("history", _stay(stay)) for stay in card.history or ()),
    ]


def _circuit(one: DeviceCard | DeviceChannelRow) -> str:
    return f"breaker {_amperes(one.breaker_a)}, cable {_amperes(one.cable_a)}, insulation {one.insulation}"


def _channel(one: DeviceChannelRow) -> str:
    """Only what differs from the device."""
    said = [
        one.label,
        f"breaker {_amperes(one.breaker_a)}" if one.breaker_a is not None else "",
        f"cable {_amperes(one.cable_a)}" if one.cable_a is not None else "",
        f"insulation {one.insulation}" if one.insulation != "unknown" else "",
    ]
    return ", ".join(part for part in said if part) or "as the device"


def _amperes(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g} A"


def _silence(seconds: int | None) -> str:
    return "as it says itself" if seconds is None else f"at most {seconds} s"


def _test(one: LastTest | None) -> str:
    if one is None:
        return "none on record"
    ended = f"to {instant(one.ended_us)}" if one.ended_us is not None else "end not said"
    return f"{instant(one.began_us)}, {ended}" + (f", {one.exercise}" if one.exercise else "")


def _publisher(one: PublisherOfDevice) -> str:
    return one.name if one.revoked_us is None else f"{one.name} (revoked {instant(one.revoked_us)})"


def _stay(stay: StayRow) -> str:
    where = hangs(stay.dwelling, stay.stair, stay.building)
    until = f" until {instant(stay.until_us)}" if stay.until_us is not None else ""
    return f"{where} since {instant(stay.since_us)}{until}"
