"""Whom a due step tells by which way, and whom of them facts and answers have spared. Pure.

The functions that make pages put them in a `Caller`, with the leave its incident gives, and say whether the
step is to be repeated where it can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from alerts.answered import answered_roles, answered_since, holds, is_taken_since
from alerts.audience import Caller, chain, first_of
from alerts.case import Case, Incident, State, Step
from alerts.follow_up import is_follow_up, is_said, word_us
from alerts.plans import Plans
from alerts.policy import (
    CALL,
    CALLS_MAX,
    HELP_ORDER,
    RESIDENTS,
    TELL,
    Fact,
    Heeds,
    StepName,
    StepPlan,
)
from devices.bound import Bound
from devices.model import Medium, Role

QUIETLY: Final = (Medium.PUSH, Medium.SMS, Medium.EMAIL)
"""An all-clear wakes nobody with a call (chosen)."""
UNTOLD: Final = {StepName.ISOLATE: frozenset(RESIDENTS), StepName.MORE: frozenset({Role.NEIGHBOUR})}
"""Whom news of an incident spares: residents must touch no breaker; to neighbours it is what they were told
before, get ready or leave, until it gets worse, and that is told to all again (chosen)."""
UNHEARD: Final = "more_unanswered"
"""What a step says that follows news which nobody has answered."""
STATIONS: Final = frozenset({Role.MICRO_STATION, Role.FIRE_BRIGADE})


def facts_of(incident: Incident) -> frozenset[Fact]:
    """What is known of this epoch that makes steps pointless."""
    known = {
        Fact.ARRIVED: incident.arrived_us is not None,
        Fact.CONFIRMED: incident.confirmed_us is not None,
        Fact.FALSE_ALARM: incident.false_alarm_us is not None,
        Fact.HANDLED: incident.state.progress >= State.HANDLED.progress,
    }
    return frozenset(fact for fact, holds in known.items() if holds)


def is_over(plan: StepPlan, case: Case, step: Step) -> bool:
    """Whether what is known ends a step for everybody. What was known before the news ends no step that
    follows it."""
    if is_follow_up(step.name):
        return is_taken_since(case, word_us(case, step.name))
    return bool(plan.ends_on & facts_of(case.incident))


def roles_left(plan: StepPlan, case: Case, step: Step, bound: Sequence[Bound]) -> tuple[Role, ...]:
    """The roles of the line that no answer, and nobody on site, has spared."""
    done: frozenset[Role] = frozenset()
    if plan.heeds is Heeds.ROLE and is_follow_up(step.name):
        done = answered_since(case, bound, word_us(case, step.name)) | UNTOLD[StepName.MORE]
    elif plan.heeds is Heeds.ROLE:
        done = answered_roles(case, bound)
    if plan.spares_residents and case.incident.arrived_us is not None:
        done = done | set(RESIDENTS)
    return tuple(role for role in plan.roles if role not in done)


def tell_by_plan(caller: Caller, plan: StepPlan, case: Case, step: Step, bound: Sequence[Bound]) -> bool:
    """Makes the pages of a policy's step; returns whether it is to be repeated."""
    roles = roles_left(plan, case, step, bound)
    if plan.name is StepName.CHASE:
        return _chase(caller, case, step, roles, bound)
    if plan.name is StepName.REPEAT:
        return _repeat(caller, plan, case, bound)
    if plan.name is StepName.UNANSWERED:
        _unanswered(caller, plan, bound)
        return False
    _once(caller, plan, roles, bound, "alarm" if plan.name is StepName.AT_ONCE else "escalated")
    return False


def tell_unheard(
    caller: Caller, plan: StepPlan, case: Case, step: Step, bound: Sequence[Bound], plans: Plans
) -> bool:
    """Makes the pages of a step that follows news; returns whether it is to be repeated."""
    if is_over(plan, case, step) or is_said(case, plans):
        return False
    roles = roles_left(plan, case, step, bound)
    if plan.name is StepName.CHASE:
        return _chase(caller, case, step, roles, bound, UNHEARD, UNHEARD)
    if plan.name is StepName.UNANSWERED:
        _unanswered(caller, plan, bound, UNHEARD)
    else:
        _once(caller, plan, roles, bound, UNHEARD)
    return False


def _once(caller: Caller, plan: StepPlan, roles: Sequence[Role], bound: Sequence[Bound], saying: str) -> None:
    """The first of each role; where nobody can be reached, rather the duty desk than nobody."""
    for role in roles:
        caller.tell(first_of(bound, role), plan.media, saying)
    if roles and not (caller.pages or caller.is_late or caller.later):
        caller.tell(first_of(bound, Role.DUTY_DESK), plan.media, saying)


def _chase(
    caller: Caller,
    case: Case,
    step: Step,
    roles: Sequence[Role],
    bound: Sequence[Bound],
    called: str = "call",
    pushed: str = "next",
) -> bool:
    """Round n calls ranks 0 to n of each silent role and pushes to rank n + 1.

    It goes on until each chain is used up and everyone in it was called; CALLS_MAX bounds the calls to one
    contact, so a long chain drops its first ranks from the calls before it reaches its last.
    """
    chains = [chain(bound, role) for role in roles]
    for ranks in chains:
        for group in ranks[max(0, step.n + 1 - CALLS_MAX) : step.n + 1] if step.n < len(ranks) else ():
            caller.tell(group, CALL, called)
    told = {t.contact_id for t in case.told if t.epoch == step.epoch}
    for ranks in chains:
        for group in ranks[step.n + 1 : step.n + 2]:
            caller.tell((b for b in group if b.contact_id not in told), TELL, pushed)
    return any(len(ranks) > step.n + 1 for ranks in chains)


def _unanswered(caller: Caller, plan: StepPlan, bound: Sequence[Bound], saying: str = "unanswered") -> None:
    """S3. A brigade that agreed is told by this, unless it was told already because the fire is confirmed."""
    for role in plan.roles:
        if role is not Role.FIRE_BRIGADE:
            caller.tell(first_of(bound, role), plan.media, saying)
    if not caller.may_tell(Role.FIRE_BRIGADE):
        agreeing = [b for b in bound if b.takes_unconfirmed]
        caller.tell_agreed(first_of(agreeing, Role.FIRE_BRIGADE), plan.media, saying)


def _repeat(caller: Caller, plan: StepPlan, case: Case, bound: Sequence[Bound]) -> bool:
    """Residents who were told in this epoch and have not answered themselves, again and again."""
    told = {t.contact_id for t in case.told if t.epoch == case.incident.epoch}
    answered = {a.actor for a in case.answers if holds(a, case.incident)}
    residents = [b for b in bound if b.role in plan.roles and b.contact_id in told]
    rung = {p.to.contact_id for p in case.pages}  # a call of this very turn rings already
    silent = [b for b in residents if f"contact:{b.contact_id}" not in answered and b.contact_id not in rung]
    caller.tell(silent, plan.media, "repeat")
    return bool(residents)


def tell_help(caller: Caller, case: Case, asker: Role, bound: Sequence[Bound]) -> None:
    """The next untold rank of the asker's own role, the next role that can be reached, and the duty desk."""
    told = {t.contact_id for t in case.told if t.epoch == case.incident.epoch}
    for group in chain(bound, asker):
        fresh = [b for b in group if b.contact_id not in told]
        if fresh:
            caller.tell(fresh, TELL, "help")
            break
    at = HELP_ORDER.index(asker) + 1 if asker in HELP_ORDER else 0
    for role in HELP_ORDER[at:]:
        if first_of(bound, role) and caller.may_tell(role):
            caller.tell(first_of(bound, role), CALL, "help")
            break
    if asker is not Role.DUTY_DESK:
        caller.tell(first_of(bound, Role.DUTY_DESK), TELL, "help")


def tell_news(caller: Caller, case: Case, step: Step, bound: Sequence[Bound], plans: Plans) -> None:
    """Whoever this severity tells at once or who was told in this epoch, whatever they answered: they act by
    it. Nobody in the roles of `UNTOLD`."""
    untold = UNTOLD[StepName(step.name)]
    plan = plans.plan_of(case.incident, StepName.AT_ONCE)
    for role in plan.roles if plan else ():
        if role not in untold:
            caller.tell(first_of(bound, role), TELL, step.name)
    told = {t.contact_id for t in case.told if t.epoch == step.epoch}
    caller.tell((b for b in bound if b.contact_id in told and b.role not in untold), TELL, step.name)


def tell_all_clear(caller: Caller, case: Case, bound: Sequence[Bound]) -> None:
    """Whoever was told of the fire, except the stations: the duty desk speaks to those."""
    told = {t.contact_id for t in case.told if t.role not in STATIONS}
    people = (b for b in bound if b.contact_id in told and b.role not in STATIONS)
    caller.tell(people, QUIETLY, "all_clear")
