"""Who would be told of an alarm, when and how, if nobody answered; and why the others would not. Pure.

The very steps of an escalation are carried out, in time made up for it, so that what is shown is what would
happen. Nothing is sent and nothing stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from alerts.case import Alarm, Case, Incident
from alerts.escalation import carry_out, first_steps
from alerts.exercise import may_be_told, put_off, unmute
from alerts.gate import EXERCISE_TAGS, Page, exercise_in
from alerts.plans import Plans
from alerts.policy import StepName
from alerts.presence import people_for, present
from alerts.windows import Window, WindowKind
from devices.bound import Bound, Way
from devices.model import Role
from devices.quiet import local_minute

People = Callable[[int], Sequence[Bound]]
"""Everybody an alarm there concerns, as it stands at a time in µs UTC."""
SHIPPED: Final = Plans()
"""The shipped policies by the real clock."""
TURNS_MAX: Final = 1_000
"""Turns taken at most, so that repetitions without end have one here (chosen: P0+ for some hours)."""


class Whynot(StrEnum):
    """Why somebody bound there is not told."""

    NO_WAY = "no_way"
    """No working way to reach them is registered."""
    AWAY = "away"
    QUIET = "quiet"
    EXERCISE = "exercise"
    """No drill, test or commissioning reaches a station (life_safety, who is told)."""
    UNCONFIRMED = "unconfirmed"
    """The fire brigade is told of confirmed fires, or where it agreed to unconfirmed ones."""
    NOT_ASKED = "not_asked"
    """No step of this severity asks for the role."""
    BEFORE = "before"
    """Others of the role come first, and this severity does not go on to the next."""
    OTHER_ROLE = "other_role"
    """Told already, in another role."""
    COMMISSIONING = "commissioning"
    """Of a device that is being commissioned the duty desk alone is told."""
    SILENCED = "silenced"
    """A silence holds it back, to its end."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One page: `after_us` from the alarm, by `page.way`; `instead` are the contact's further ways, taken in
    this order where the first one fails."""

    after_us: int
    page: Page
    instead: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Untold:
    """Somebody bound there whom no page goes to."""

    one: Bound
    why: Whynot


@dataclass(frozen=True, slots=True)
class Route:
    """Pages in the order of time, and who gets none. `cut`: it would go on beyond the time asked for."""

    hops: tuple[Hop, ...]
    untold: tuple[Untold, ...]
    cut: bool


def route_of(
    incident: Incident,
    people: People,
    *,
    for_us: int,
    timezone: str,
    plans: Plans = SHIPPED,
    alarms: tuple[Alarm, ...] = (),
    silence: Window | None = None,
) -> Route:
    """What becomes of `incident` in `for_us` after its start, while nobody answers and its `alarms` stand.

    `timezone` is the site's, for quiet hours; `silence` puts its steps off. Raises what `people` raises,
    and for a time zone nobody knows.
    """
    start_us = incident.started_us
    case = Case(incident, alarms, first_steps(incident, start_us, plans))
    hops: list[Hop] = []
    for _ in range(TURNS_MAX):
        now_us = min((step.due_us for step in case.pending()), default=start_us + for_us + 1)
        if now_us > start_us + for_us:
            break
        case, pages = _turn(case, may_be_told(incident, people(now_us)), now_us, timezone, plans, silence)
        hops += (Hop(now_us - start_us, page, _further(page)) for page in pages)
    asked = {role for plan in plans.policy_of(incident) for role in plan.roles}
    told = {(hop.page.to.contact_id, hop.page.to.role) for hop in hops}
    held = silence is not None and silence.until_us > start_us + for_us
    untold = _untold(incident, people(start_us), told, asked, timezone, held=held)
    return Route(tuple(hops), untold, cut=bool(case.pending()))


def _turn(
    case: Case,
    people: Sequence[Bound],
    now_us: int,
    timezone: str,
    plans: Plans,
    silence: Window | None,
) -> tuple[Case, tuple[Page, ...]]:
    """The case after all steps that are due, and their pages: steps of one turn know of each other's."""
    severity = case.incident.severity
    for marker in [step for step in case.pending() if step.is_marker and step.due_us <= now_us]:
        case = unmute(case, marker, now_us, plans)
    for step in [step for step in case.pending() if step.due_us <= now_us]:
        if silence is not None and now_us < silence.until_us:
            case = put_off(case, step, silence, "", now_us)
            continue
        plan = plans.plan_of(case.incident, step.name)
        may, _ = people_for(people, severity, step.name, now_us, timezone, plan)
        case = carry_out(case, step, may, now_us, plans)
    return replace(case, pages=()), case.pages


def _further(page: Page) -> tuple[Way, ...]:
    """The sender turns to them by their rank (`alerts.next_way`)."""
    others = (way for way in page.to.ways if way.channel_id != page.way.channel_id)
    return tuple(sorted(others, key=lambda way: (way.rank, way.channel_id)))


def _untold(
    incident: Incident,
    people: Sequence[Bound],
    told: set[tuple[int, Role]],
    asked: set[Role],
    timezone: str,
    *,
    held: bool,
) -> tuple[Untold, ...]:
    absent = {
        (out.one.contact_id, out.one.role): out.reason
        for out in present(
            people, incident.severity, local_minute(incident.started_us, ZoneInfo(timezone))
        ).left_out
    }
    reached = frozenset(contact_id for contact_id, _ in told)
    found = []
    for one in people:
        key = one.contact_id, one.role
        if key not in told:
            why = Whynot(absent[key]) if key in absent else _why_not(incident, one, asked, reached)
            why = Whynot.SILENCED if held and why is Whynot.BEFORE else why
            found.append(Untold(one, why))
    return tuple(found)


def _why_not(incident: Incident, one: Bound, asked: set[Role], reached: frozenset[int]) -> Whynot:
    if exercise_in(incident.place) == WindowKind.COMMISSIONING and one.role is not Role.DUTY_DESK:
        return Whynot.COMMISSIONING
    station = one.role in {Role.MICRO_STATION, Role.FIRE_BRIGADE}
    if one.role not in asked:
        return Whynot.UNCONFIRMED if _is_held_back(one, asked) else Whynot.NOT_ASKED
    if station and (incident.tags & EXERCISE_TAGS or exercise_in(incident.place)):
        return Whynot.EXERCISE
    if not one.ways:
        return Whynot.NO_WAY
    if one.contact_id in reached:
        return Whynot.OTHER_ROLE
    if one.role is Role.FIRE_BRIGADE and not one.takes_unconfirmed:
        return Whynot.UNCONFIRMED
    return Whynot.BEFORE


def _is_held_back(one: Bound, asked: set[Role]) -> bool:
    """A fire's policy that has no line for the brigade yet: only its confirmation brings one."""
    return one.role is Role.FIRE_BRIGADE and Role.MICRO_STATION in asked


def step_label(page: Page) -> str:
    """`chase 2` for the second round of a step that repeats, else its name alone; with `+30 s` of the part
    that comes so much later."""
    name, late, seconds = page.step.partition(":")[0].partition("@")
    repeats = name in {StepName.CHASE, StepName.REPEAT}
    label = f"{name} {page.n + 1}" if repeats else name
    return f"{label} +{seconds} s" if late else label
