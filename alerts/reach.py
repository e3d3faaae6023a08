"""A site as it is judged for whom it can reach, and the report of that: values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from alerts.ways import NO_PROOFS, Proof, Reach, Reason
from devices.model import Carrier, PlaceKind, Role
from devices.people import Absence, Way


class Person(NamedTuple):
    """A contact that is not erased, with its ways in the order of trying."""

    id: int
    code: str
    ways: tuple[Way, ...] = ()


class Tie(NamedTuple):
    """A binding that holds; of one to a dwelling also its stair and floor."""

    contact_id: int
    role: Role
    kind: PlaceKind
    place_id: int
    stair_id: int = 0
    floor: int = 0


class Spot(NamedTuple):
    """A place where a device is in service, and what it lies in, from the nearest up; of a dwelling also its
    stair and floor. `smoke`: one of the devices is a smoke detector."""

    kind: PlaceKind
    id: int
    code: str
    above: tuple[tuple[PlaceKind, int], ...]
    stair_id: int = 0
    floor: int = 0
    smoke: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that is judged: people by id, what binds them, who stands in for whom, places with devices,
    proofs by channel id, and carriers without an account here."""

    people: Mapping[int, Person]
    ties: Sequence[Tie] = ()
    absences: Sequence[Absence] = ()
    spots: Sequence[Spot] = ()
    proofs: Mapping[int, Proof] = field(default_factory=lambda: NO_PROOFS)
    uncarried: frozenset[Carrier] = frozenset()


@dataclass(frozen=True, slots=True)
class ContactReach:
    """A contact who is bound or stands in for somebody now. `roles` sorted."""

    id: int
    code: str
    reach: Reach
    why: Reason
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaceReach:
    """A place with a device. `people` are the codes of who is bound in a role told at once, where there is
    nobody to tell; `missing` the needed roles that nobody who can be reached holds here. Both sorted."""

    kind: PlaceKind
    id: int
    code: str
    reach: Reach
    smoke: bool
    people: tuple[str, ...] = ()
    missing: tuple[Role, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The whole site at `at_us`. `contacts` and `places` hold those that are less than reachable or miss a
    role, the worst first and then by code; the counts are of all."""

    at_us: int
    contacts: tuple[ContactReach, ...]
    places: tuple[PlaceReach, ...]
    contact_counts: Mapping[Reach, int]
    place_counts: Mapping[Reach, int]

    @property
    def deserted(self) -> tuple[PlaceReach, ...]:
        """The places with nobody to tell."""
        return tuple(one for one in self.places if not one.reach.is_somebody)

    def of(self, reach: Reach) -> tuple[ContactReach, ...]:
        """The contacts that are judged so; none for those that can be reached."""
        return tuple(one for one in self.contacts if one.reach is reach)
