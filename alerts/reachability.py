"""Who can be reached where, for a whole site in one pass: contacts, places, and the roles it needs. Pure.

For each place with a device the question is that of a P0: whom of the roles told at once could a message
reach. The rules of inheritance are those of `devices.bound` and `devices.unreachable` (a test holds the three
together): bindings hold downwards, neighbours next door count and a dwelling's own do not, of a stair all who
live there count, and who is away counts as well as their substitute.

Takes time and memory in proportion to places, contacts and bindings together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from alerts.reach import ContactReach, PlaceReach, Report, Site, Spot, Tie
from alerts.ways import WAKING, Judged, Reach, judge
from devices.model import PlaceKind, Role
from devices.people import Absent
from devices.unreachable import NEIGHBOUR_FLOORS, ROLES_AT_ONCE

NEEDED: Final = (Role.DUTY_DESK, Role.MICRO_STATION, Role.GRID_WORKER)
"""Roles that every place needs somebody in (life_safety, "who is told"): the desk sees every alarm, and two
who can go there and are told of a P0 at once."""
_RESIDENTS: Final = frozenset({Role.NEIGHBOUR, Role.FAMILY})


def report_of(site: Site, now_us: int) -> Report:
    """Everybody and every place of the site, judged."""
    judged, roles = _judge_people(site, now_us)
    contacts = [
        ContactReach(n, site.people[n].code, one.reach, one.why, tuple(sorted(roles[n])))
        for n, one in judged.items()
        if one.reach < Reach.REACHABLE
    ]
    standing = _Standing(site, judged)
    places, counts = [], Counter[Reach]()
    for spot in site.spots:
        place = standing.judge(spot)
        counts[place.reach] += 1
        if place.reach < Reach.REACHABLE or place.missing:
            places.append(place)
    return Report(
        now_us,
        tuple(sorted(contacts, key=_worst)),
        tuple(sorted(places, key=_worst)),
        Counter(one.reach for one in judged.values()),
        counts,
    )


def _worst(one: ContactReach | PlaceReach) -> tuple[int, str]:
    return one.reach, one.code


def _judge_people(site: Site, now_us: int) -> tuple[dict[int, Judged], Mapping[int, set[str]]]:
    """Everybody who is bound or stands in, and the roles they are told in."""
    roles: dict[int, set[str]] = defaultdict(set)
    for tie in site.ties:
        roles[tie.contact_id].add(tie.role)
    for one in site.absences:
        if one.contact_id in roles and one.substitute_id in site.people:
            roles[one.substitute_id] |= {one.role} if one.role else roles[one.contact_id]
    waking = frozenset(WAKING)
    judged = {
        n: judge(
            site.people[n].ways,
            site.proofs,
            now_us,
            uncarried=site.uncarried,
            sleeps=not waking.isdisjoint(held),
        )
        for n, held in roles.items()
        if n in site.people
    }
    return judged, roles


_At = tuple[PlaceKind, int]
K = TypeVar("K")


class _Above(NamedTuple):
    """What bindings on the places above give: the best reach, that of neighbours, and needed roles nobody
    holds there."""

    reach: Reach
    neighbours: Reach
    missing: tuple[Role, ...]


class _Next:
    """The best neighbours bound to dwellings of one floor of a stair: the best, its dwelling, and the best of
    the other dwellings, since nobody is their own neighbour."""

    __slots__ = ("best", "dwelling", "other")

    def __init__(self) -> None:
        self.best, self.dwelling, self.other = Reach.NOBODY, 0, Reach.NOBODY

    def add(self, reach: Reach, dwelling_id: int) -> None:
        if dwelling_id == self.dwelling:
            self.best = max(self.best, reach)
        elif reach > self.best:
            self.best, self.dwelling, self.other = reach, dwelling_id, self.best
        else:
            self.other = max(self.other, reach)

    def beside(self, dwelling_id: int) -> Reach:
        return self.other if dwelling_id == self.dwelling else self.best


class _Standing:
    """The best reach by where bindings hang."""

    def __init__(self, site: Site, judged: Mapping[int, Judged]) -> None:
        self._at: dict[_At, Reach] = {}
        self._neighbours: dict[_At, Reach] = {}
        self._floors: dict[tuple[int, int], _Next] = {}
        self._residents: dict[int, Reach] = {}
        self._roles: dict[tuple[Role, _At], Reach] = {}
        self._desk = Reach.NOBODY
        self._ties = site.ties
        self._codes = {n: one.code for n, one in site.people.items()}
        self._names: _Names | None = None
        self._known: dict[tuple[_At, ...], _Above] = {}
        absent = Absent(site.absences)
        with_ways = {n for n, one in site.people.items() if one.ways}
        at_once = frozenset(ROLES_AT_ONCE)
        for tie in site.ties:
            own = judged.get(tie.contact_id)
            reach = own.reach if own else Reach.NOBODY
            stand_in = absent.stand_in(tie.contact_id, tie.role, with_ways) if site.absences else None
            if stand_in is not None and (their := judged.get(stand_in.substitute_id)):
                reach = max(reach, their.reach)
            if tie.role in at_once:
                self._add(tie, reach)
            if tie.role in NEEDED:
                _raise(self._roles, (tie.role, (tie.kind, tie.place_id)), reach)
            if tie.role is Role.DUTY_DESK:
                self._desk = max(self._desk, reach)

    def _add(self, tie: Tie, reach: Reach) -> None:
        at = tie.kind, tie.place_id
        if tie.role in _RESIDENTS and tie.kind is PlaceKind.DWELLING:
            _raise(self._residents, tie.stair_id, reach)
        if tie.role is not Role.NEIGHBOUR:
            _raise(self._at, at, reach)
        elif tie.kind is PlaceKind.DWELLING:
            self._floors.setdefault((tie.stair_id, tie.floor), _Next()).add(reach, tie.place_id)
        else:
            _raise(self._neighbours, at, reach)

    def judge(self, spot: Spot) -> PlaceReach:
        """What an alarm there would find."""
        here, above = (spot.kind, spot.id), self._from_above(spot.above)
        reach = max(above.reach, self._at.get(here, Reach.NOBODY))
        if spot.kind is not PlaceKind.BUILDING:
            reach = max(reach, above.neighbours, self._neighbours.get(here, Reach.NOBODY))
        if spot.kind is PlaceKind.DWELLING:
            reach = max([reach, *self._next_door(spot)])
        elif spot.kind is PlaceKind.STAIR:
            reach = max(reach, self._residents.get(spot.id, Reach.NOBODY))
        missing = tuple(role for role in above.missing if not self._holds(role, here))
        people = () if reach.is_somebody else tuple(sorted(self._people(spot, (here, *spot.above))))
        return PlaceReach(spot.kind, spot.id, spot.code, reach, spot.smoke, people, missing)

    def _from_above(self, chain: tuple[_At, ...]) -> _Above:
        """Worked out once for all that lies in the same place."""
        known = self._known.get(chain)
        if known is None:
            known = self._known[chain] = _Above(
                max((self._at.get(at, Reach.NOBODY) for at in chain), default=Reach.NOBODY),
                max((self._neighbours.get(at, Reach.NOBODY) for at in chain), default=Reach.NOBODY),
                tuple(role for role in NEEDED if not any(self._holds(role, at) for at in chain)),
            )
        return known

    def _next_door(self, spot: Spot) -> Iterator[Reach]:
        for floor in range(spot.floor - NEIGHBOUR_FLOORS, spot.floor + NEIGHBOUR_FLOORS + 1):
            if near := self._floors.get((spot.stair_id, floor)):
                yield near.beside(spot.id)

    def _holds(self, role: Role, at: _At) -> bool:
        """A desk anywhere stands for a place without one of its own (`devices.bound.with_desks`)."""
        if role is Role.DUTY_DESK and self._desk.is_somebody:
            return True
        return self._roles.get((role, at), Reach.NOBODY).is_somebody

    def _people(self, spot: Spot, chain: Sequence[_At]) -> set[str]:
        """Codes of who is bound there in a role told at once; gathered for the first place that asks."""
        if self._names is None:
            self._names = _Names(self._ties, self._codes)
        return self._names.of(spot, chain)


class _Names:
    """Codes of who is bound in a role told at once, by where their bindings hang."""

    def __init__(self, ties: Iterable[Tie], codes: Mapping[int, str]) -> None:
        self._at: dict[_At, set[str]] = defaultdict(set)
        self._neighbours: dict[_At, set[str]] = defaultdict(set)
        self._floors: dict[tuple[int, int], set[tuple[int, str]]] = defaultdict(set)
        self._residents: dict[int, set[str]] = defaultdict(set)
        for tie in ties:
            code = codes.get(tie.contact_id)
            if code is not None and tie.role in ROLES_AT_ONCE:
                self._add(tie, code)

    def _add(self, tie: Tie, code: str) -> None:
        at = tie.kind, tie.place_id
        if tie.role in _RESIDENTS and tie.kind is PlaceKind.DWELLING:
            self._residents[tie.stair_id].add(code)
        if tie.role is not Role.NEIGHBOUR:
            self._at[at].add(code)
        elif tie.kind is PlaceKind.DWELLING:
            self._floors[tie.stair_id, tie.floor].add((tie.place_id, code))
        else:
            self._neighbours[at].add(code)

    def of(self, spot: Spot, chain: Sequence[_At]) -> set[str]:
        """Whoever would be told of a P0 there."""
        found = {code for at in chain for code in self._at.get(at, ())}
        if spot.kind is PlaceKind.BUILDING:
            return found
        found |= {code for at in chain for code in self._neighbours.get(at, ())}
        if spot.kind is PlaceKind.STAIR:
            return found | self._residents.get(spot.id, set())
        for floor in range(spot.floor - NEIGHBOUR_FLOORS, spot.floor + NEIGHBOUR_FLOORS + 1):
            near = self._floors.get((spot.stair_id, floor), set())
            found |= {code for home, code in near if home != spot.id}
        return found


def _raise(best: dict[K, Reach], key: K, reach: Reach) -> None:
    if reach > best.get(key, Reach.NOBODY):
        best[key] = reach
