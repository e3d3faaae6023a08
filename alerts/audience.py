"""From bound contacts to pages: who is first in a role, by which way, and with whose leave. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from alerts.case import Incident, Step
from alerts.delays import delays_of, lateness_s, waits
from alerts.gate import Leave, Page, agreed, confirmed, exercise_in, real
from devices.bound import Bound, Way
from devices.model import Medium, Role


def chain(bound: Iterable[Bound], role: Role) -> list[tuple[Bound, ...]]:
    """The reachable contacts of a role, rank by rank; each rank is told together.

    Who has no way at all is left out, so that the next in the chain comes first. Neighbours have no chain:
    all of the same stair within a floor, or of the whole stair where the alarm is in its common parts, are
    told at once (life_safety, who is told), since their ranks order the people of their own flats.
    """
    reachable = sorted((b for b in bound if b.role is role and b.ways), key=lambda b: (b.rank, b.contact_id))
    if role is Role.NEIGHBOUR:
        return [tuple(reachable)] if reachable else []
    return [tuple(group) for _, group in groupby(reachable, key=lambda b: b.rank)]


def first_of(bound: Iterable[Bound], role: Role) -> tuple[Bound, ...]:
    """Who is told first in this role; empty where nobody can be reached."""
    return next(iter(chain(bound, role)), ())


def best_way(ways: Sequence[Way], media: Sequence[Medium]) -> Way | None:
    """The first of `media` there is a way for, and of those the way the contact ranked first."""
    liked = [w for w in ways if w.medium in media]
    return min(liked, key=lambda w: (media.index(w.medium), w.rank, w.channel_id), default=None)


class Caller:
    """Makes the pages of one step, with the leave this incident gives; tells each contact at most once.

    The first page for a contact stands: somebody bound in two roles, or called and pushed by the same step,
    hears of it once. Who is told after the others is left to a later part of the step (`alerts.delays`):
    `later` says after how many seconds. `told` are those who heard of the step already.
    """

    def __init__(self, incident: Incident, step: Step, told: Collection[int] = ()) -> None:
        self._incident = incident
        self._told = told
        self._after_s = lateness_s(step.name)
        self.later: set[int] = set()
        self._step = step
        self._real = real(incident.id, incident.tags | {exercise_in(incident.place)})
        self._confirmed = confirmed(self._real, incident.severity)
        self._pages: dict[int, Page] = {}

    @property
    def is_late(self) -> bool:
        """Whether this is the later part of a step."""
        return self._after_s > 0

    @property
    def pages(self) -> tuple[Page, ...]:
        """What was made so far."""
        return tuple(self._pages.values())

    def may_tell(self, role: Role) -> bool:
        """False where this incident gives no leave for the role's stations."""
        if role is Role.FIRE_BRIGADE:
            return self._confirmed is not None
        return role is not Role.MICRO_STATION or self._real is not None

    def tell(self, people: Iterable[Bound], media: Sequence[Medium], saying: str) -> None:
        """Adds a page for each of `people` who has one of `media` and may be told."""
        allowed = [one for one in people if self.may_tell(one.role)]
        delays = delays_of(allowed, self._incident.severity) if waits(self._step.name) else [0] * len(allowed)
        for one, delay in zip(allowed, delays, strict=True):
            if delay > self._after_s:
                self.later.add(delay)
            elif delay == self._after_s or one.contact_id not in self._told:
                self._add(one, media, saying, self._leave_for(one.role))

    def tell_agreed(self, brigades: Iterable[Bound], media: Sequence[Medium], saying: str) -> None:
        """Adds a page for each brigade that agreed to unconfirmed alarms; none of them waits."""
        for brigade in brigades if not self._after_s else ():
            leave = agreed(self._real, brigade)
            if leave is not None:
                self._add(brigade, media, saying, leave)

    def _leave_for(self, role: Role) -> Leave:
        if role is Role.FIRE_BRIGADE:
            return self._confirmed
        return self._real if role is Role.MICRO_STATION else None

    def _add(self, one: Bound, media: Sequence[Medium], saying: str, leave: Leave) -> None:
        way = best_way(one.ways, media)
        if way is None or one.contact_id in self._pages:
            return
        self._pages[one.contact_id] = Page(
            incident_id=self._incident.id,
            epoch=self._step.epoch,
            step=self._step.name,
            n=self._step.n,
            to=one,
            way=way,
            saying=saying,
            leave=leave,
        )
