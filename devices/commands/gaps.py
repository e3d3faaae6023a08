"""`gengfu contact gaps`: where a device hangs and nobody can be told at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import typer
from sqlalchemy import Connection

from devices.commands.contact import contact_app
from devices.commands.desk import JsonOption, desk_of, looking, now_us, print_rows
from devices.commands.device_card import LANGUAGE
from devices.model import PlaceKind
from devices.places import describe_building, describe_dwelling, describe_stair
from devices.shortlist import shortlist
from devices.unreachable import Gap, unreachable_places


@dataclass(frozen=True, slots=True)
class GapLine:
    """A place with a device in service and nobody to tell at once; `place` and `missing` are words."""

    code: str
    kind: str
    place: str
    missing: str


@contact_app.command("gaps")
def gaps(context: typer.Context, *, json: JsonOption = False) -> None:
    """Every place with a device and nobody to tell at once, and what is missing there.

    Places are dwellings, stairs with a device outside their dwellings, and buildings with one outside both.
    Told at once of a P0 are family, neighbours (not for buildings), grid workers, building secretaries and
    micro stations; for a stair, the family and neighbours of its dwellings.
    """
    with looking(desk_of(context)) as connection:
        print_rows(
            _lines(connection),
            json=json,
            nothing="wherever a device hangs there is somebody to tell at once",
        )


def _lines(connection: Connection) -> Iterator[GapLine]:
    for gap in unreachable_places(connection, now_us(), live=True):
        yield GapLine(gap.code, gap.kind, _DESCRIBE[gap.kind](connection, gap.id, LANGUAGE), _missing(gap))


_DESCRIBE: Final = {
    PlaceKind.DWELLING: describe_dwelling,
    PlaceKind.STAIR: describe_stair,
    PlaceKind.BUILDING: describe_building,
}


def _missing(gap: Gap) -> str:
    if not gap.mute:
        return "nobody is bound in a role told at once"
    return f"no channel that can be used: {shortlist(gap.mute)}"
