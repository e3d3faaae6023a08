"""Who stands where, worked out from rows: inheritance, order, substitutes. Pure.

The rules, beyond those of inheritance in `devices.bound` (chosen, where no source is named):

* A contact bound several times in one role appears once, with the lowest rank. Delay, quiet hours, a
  brigade's agreement to unconfirmed alarms and the place come from the nearest binding: dwelling before stair
  before building before area, a lower area before a higher one, and of two at one place the newer. What was
  said of one's own stair outdoes what was said of the town.
* Who has a substitution in force for a role is absent in it. The one made for that role goes before one for
  every role; the first whose substitute can be reached and is not absent in that role themselves counts.
  Then the absent one is `away`, and the substitute stands in: in the absent one's role, with their rank and
  delay. Not with their quiet hours: who stands in for somebody has none, their own included.
* Substitutes are not chained. Where nobody can stand in, the absent one is not `away` and is told as ever.
* A substitute bound there in the same role appears once, with the better rank and its delay.
* A brigade's agreement to unconfirmed alarms is its own and passes to no substitute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from devices.model import Carrier, Medium, PlaceKind, Role
from devices.quiet import Quiet

_ROLE_ORDER: Final = {role: n for n, role in enumerate(Role)}
_FAR: Final = {kind: n for n, kind in enumerate(reversed(PlaceKind))}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach a contact; the lower `rank` is tried first."""

    channel_id: int
    medium: Medium
    carrier: Carrier
    rank: int


@dataclass(frozen=True, slots=True)
class Bound:
    """One contact in one role. `ways` in the order of trying; empty where nobody registered one.

    `rank` is the order within the role's chain. `delay_s` is how long after the others of a step this one
    is told (`alerts.delays`). `quiet` are the hours in which lesser messages wait (`alerts.presence`).
    `stands_for` holds the codes of those whose place this contact takes, sorted, empty for themselves alone;
    `away` says that a reachable substitute stands in for this contact in this role. The binding it comes from
    hangs on `place_kind` and `place_id`.
    """

    contact_id: int
    code: str
    role: Role
    rank: int
    takes_unconfirmed: bool
    language: str
    ways: tuple[Way, ...]
    delay_s: int = 0
    quiet: Quiet | None = None
    stands_for: tuple[str, ...] = ()
    away: bool = False
    place_kind: PlaceKind | None = None
    place_id: int = 0


@dataclass(frozen=True, slots=True)
class Binding:
    """A row of `binding` that applies, with its contact's code and language."""

    id: int
    contact_id: int
    code: str
    language: str
    role: Role
    rank: int
    takes_unconfirmed: bool
    delay_s: int
    quiet: Quiet | None
    place_kind: PlaceKind
    place_id: int


@dataclass(frozen=True, slots=True)
class Absence:
    """A row of `substitution` in force. `code` and `language` are the substitute's; no role is every role."""

    id: int
    contact_id: int
    role: str
    substitute_id: int
    code: str
    language: str


def resolve(
    bindings: Iterable[Binding],
    absences: Iterable[Absence],
    ways: Mapping[int, tuple[Way, ...]],
    areas: Sequence[int] = (),
) -> tuple[Bound, ...]:
    """Everybody, by role, rank and contact id.

    `bindings` are those that apply, `absences` those of their contacts and of the substitutes, `ways` by
    contact id (no key: none), `areas` the areas above from the nearest up.
    """
    own = _own(bindings, ways, {area: n for n, area in enumerate(areas)})
    absent = Absent(absences)
    taken: dict[tuple[int, Role], list[tuple[Bound, Absence]]] = defaultdict(list)
    found = dict(own)
    for (contact_id, role), one in own.items():
        stand_in = absent.stand_in(contact_id, role, ways)
        if stand_in is not None:
            found[contact_id, role] = replace(one, away=True)
            taken[stand_in.substitute_id, role].append((one, stand_in))
    for key, places in taken.items():
        found[key] = _standing_in(own.get(key), places, ways[key[0]])
    return tuple(sorted(found.values(), key=in_order))


class Absent:
    """Who is absent in which role, and who was named to stand in."""

    def __init__(self, absences: Iterable[Absence]) -> None:
        self._of: dict[int, list[Absence]] = defaultdict(list)
        for one in absences:
            self._of[one.contact_id].append(one)

    def stand_in(self, contact_id: int, role: str, reachable: Container[int]) -> Absence | None:
        """The substitution that counts; None where the contact is there, or nobody can stand in.

        `reachable` holds the ids of contacts with a way.
        """
        able = (
            one
            for one in self._in(contact_id, role)
            if one.substitute_id in reachable and not self._in(one.substitute_id, role)
        )
        return min(able, key=lambda one: (not one.role, one.id), default=None)

    def _in(self, contact_id: int, role: str) -> list[Absence]:
        return [one for one in self._of.get(contact_id, ()) if one.role in {"", role}]


def _own(
    bindings: Iterable[Binding], ways: Mapping[int, tuple[Way, ...]], areas: Mapping[int, int]
) -> dict[tuple[int, Role], Bound]:
    """What people are in their own right."""
    several: dict[tuple[int, Role], list[Binding]] = defaultdict(list)
    for one in bindings:
        several[one.contact_id, one.role].append(one)
    own = {}
    for key, many in several.items():
        nearest = min(many, key=lambda b: (_FAR[b.place_kind], _height(b, areas), -b.id))
        own[key] = Bound(
            contact_id=nearest.contact_id,
            code=nearest.code,
            role=nearest.role,
            rank=min(b.rank for b in many),
            takes_unconfirmed=nearest.takes_unconfirmed,
            language=nearest.language,
            ways=ways.get(nearest.contact_id, ()),
            delay_s=nearest.delay_s,
            quiet=nearest.quiet,
            place_kind=nearest.place_kind,
            place_id=nearest.place_id,
        )
    return own


def _height(one: Binding, areas: Mapping[int, int]) -> int:
    return areas.get(one.place_id, len(areas)) if one.place_kind is PlaceKind.AREA else 0


def _standing_in(own: Bound | None, places: Sequence[tuple[Bound, Absence]], ways: tuple[Way, ...]) -> Bound:
    absent = sorted((one for one, _ in places), key=in_order)
    best = min([own, *absent] if own else absent, key=lambda one: (one.rank, one.delay_s))
    substitute = places[0][1]
    return replace(
        best,
        contact_id=substitute.substitute_id,
        code=substitute.code,
        language=substitute.language,
        takes_unconfirmed=own is not None and own.takes_unconfirmed,
        ways=ways,
        quiet=None,
        stands_for=tuple(sorted(one.code for one in absent)),
        away=False,
    )


def in_order(one: Bound) -> tuple[int, int, int]:
    """By role, rank and contact id."""
    return _ROLE_ORDER[one.role], one.rank, one.contact_id
