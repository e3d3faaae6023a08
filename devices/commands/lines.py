"""Bindings and resolved people as lines of a table, with inheritance in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from devices.bound import Bound
from devices.model import PlaceKind, Role
from devices.registry.bindings import BindingRow
from devices.unreachable import NEIGHBOUR_FLOORS

_HOLDS: Final[dict[str, str]] = {
    PlaceKind.AREA: "that area and everything in it",
    PlaceKind.BUILDING: "that building and every dwelling in it",
    PlaceKind.STAIR: "every dwelling on that stair",
    PlaceKind.DWELLING: "that dwelling",
}
_NEXT_DOOR: Final = f"the other dwellings of that stair up to {NEIGHBOUR_FLOORS} floor away, not that one"


@dataclass(frozen=True, slots=True)
class BindingLine:
    """A binding of one contact; `holds` says in words where."""

    role: str
    place_kind: str
    place: str
    holds: str
    rank: int
    delay_s: int
    quiet: str
    takes_unconfirmed: bool
    bound_us: int
    ended_us: int | None


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A contact resolved for a place. `ways` is their number; place: where the binding hangs."""

    contact: str
    role: str
    rank: int
    delay_s: int
    quiet: str
    stands_for: tuple[str, ...]
    away: bool
    ways: int
    takes_unconfirmed: bool
    place_kind: str
    place: str


def binding_line(row: BindingRow) -> BindingLine:
    """The line of one binding."""
    return BindingLine(
        role=row.role,
        place_kind=row.place_kind,
        place=row.place,
        holds=reach_words(row.role, row.place_kind),
        rank=row.rank,
        delay_s=row.delay_s,
        quiet=row.quiet,
        takes_unconfirmed=row.takes_unconfirmed,
        bound_us=row.bound_us,
        ended_us=row.ended_us,
    )


def person_line(one: Bound, codes: Mapping[tuple[PlaceKind, int], str]) -> PersonLine:
    """The line of one person; `codes` are those of places (`devices.registry.bindings.place_codes`)."""
    place = codes.get((one.place_kind, one.place_id), "") if one.place_kind else ""
    return PersonLine(
        contact=one.code,
        role=one.role,
        rank=one.rank,
        delay_s=one.delay_s,
        quiet=one.quiet.text if one.quiet else "",
        stands_for=one.stands_for,
        away=one.away,
        ways=len(one.ways),
        takes_unconfirmed=one.takes_unconfirmed,
        place_kind=one.place_kind or "",
        place=place,
    )


def reach_words(role: str, place_kind: str) -> str:
    """For what a binding holds: the rules of `devices.bound` in words."""
    if role == Role.NEIGHBOUR and place_kind == PlaceKind.DWELLING:
        return _NEXT_DOOR
    return _HOLDS.get(place_kind, "nothing: this release does not know such places")
