"""What happens when nobody answers: which steps to plan and, for a due step, whom to tell by which way. Pure.

Every function is one of values and `now_us`, and gives a new case; pages collect in `Case.pages`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from alerts.answered import answered_roles, answered_since, holds, is_taken_since
from alerts.audience import Caller, chain, first_of
from alerts.case import Case, Change, Incident, State, Step, StepState, Told
from alerts.deadlines import STEPS, is_missed, remind
from alerts.delays import base_of, late_name, lateness_s
from alerts.follow_up import begin_follow_ups, is_follow_up, is_said, word_us
from alerts.moved import tell_moved
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
from alerts.sayings import Words, pack
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


def first_steps(incident: Incident, now_us: int, plans: Plans) -> tuple[Step, ...]:
    """The first of each line of the policy that holds for the incident, due from now."""
    facts = facts_of(incident)
    return tuple(
        Step(incident.epoch, plan.name, 0, now_us + plans.us(plan.after_s))
        for plan in plans.policy_of(incident)
        if not plan.ends_on & facts
    )


def ask_for_help(case: Case, role: Role, now_us: int) -> Case:
    """With a step, due now, that tells the next in the chain of `role` and the next role."""
    name = f"{StepName.HELP}:{role}"
    n = sum(1 for s in case.steps if s.epoch == case.incident.epoch and s.name == name)
    return case.with_step(Step(case.incident.epoch, name, n, now_us))


def settle(case: Case, now_us: int, plans: Plans) -> Case:
    """With the pending steps stopped that facts and answers have made pointless."""
    pointless = []
    for step in case.pending():
        plan = plans.plan_of(case.incident, step.name)
        if plan is None:
            continue
        if not _roles_left(plan, case, step, ()) or _is_over(plan, case, step):
            pointless.append(step)
    return case.stopping(tuple(pointless), now_us)


def _is_over(plan: StepPlan, case: Case, step: Step) -> bool:
    """What was known before the news ends no step that follows it."""
    if is_follow_up(step.name):
        return is_taken_since(case, word_us(case, step.name))
    return bool(plan.ends_on & facts_of(case.incident))


def carry_out(case: Case, step: Step, bound: Sequence[Bound], now_us: int, plans: Plans) -> Case:
    """`case` after this due step: pages made, the step done or stopped, its repetition planned.

    A step whose line is gone from the policy since it was planned tells nobody and stops.
    """
    caller = Caller(case.incident, step, _told_by(case, step))
    name, _, asker = base_of(step.name).partition(":")
    is_late = lateness_s(step.name) > 0
    plan = plans.plan_of(case.incident, step.name)
    goes_on = False
    if is_follow_up(step.name):
        goes_on = plan is not None and _press(caller, plan, case, step, bound, plans)
    elif name == StepName.HELP:
        _help(caller, case, Role(asker), bound)
    elif name in STEPS:
        case = remind(caller, case, step, bound, now_us)
    elif name == StepName.ALL_CLEAR:
        _all_clear(caller, case, bound)
    elif name == StepName.MOVED:
        tell_moved(caller, case, bound)
    elif name in UNTOLD:
        _news(caller, case, step, bound, plans)
    elif plan is not None and not (
        plan.ends_on & facts_of(case.incident) or (is_late and case.incident.is_over)
    ):
        goes_on = _follow(caller, plan, case, step, bound)
    case = _record(case, step, caller, now_us, plans)
    if plan is not None and name == StepName.AT_ONCE:
        case = case if is_late else _left_out(case, plan, caller, bound, now_us)
        case = _dispatched(case) if caller.pages else case
    if name in UNTOLD and caller.pages:
        case = begin_follow_ups(case, now_us, plans)
    if plan is not None and goes_on and not is_late:
        case = case.with_step(_next(step, plan, now_us, plans))
    return _put_off(case, step, caller, now_us, plans)


def _told_by(case: Case, step: Step) -> frozenset[int]:
    """Who was told in this epoch by this step, whichever part and round of it."""
    of_step = (t for t in case.told if t.epoch == step.epoch and base_of(t.step) == base_of(step.name))
    return frozenset(told.contact_id for told in of_step)


def _put_off(case: Case, step: Step, caller: Caller, now_us: int, plans: Plans) -> Case:
    """With the later parts of this step, for those who are told after the others."""
    planned = {one.identity for one in case.steps}
    for seconds in sorted(caller.later):
        due_us = now_us + plans.us(seconds - lateness_s(step.name))
        late = Step(step.epoch, late_name(step.name, seconds), step.n, due_us)
        if late.identity not in planned:
            case = case.with_step(late)
    return case


def _follow(caller: Caller, plan: StepPlan, case: Case, step: Step, bound: Sequence[Bound]) -> bool:
    """Makes the pages of a policy's step; returns whether it is to be repeated."""
    roles = _roles_left(plan, case, step, bound)
    if plan.name is StepName.CHASE:
        return _chase(caller, case, step, roles, bound)
    if plan.name is StepName.REPEAT:
        return _repeat(caller, plan, case, bound)
    if plan.name is StepName.UNANSWERED:
        _unanswered(caller, plan, bound)
        return False
    _once(caller, plan, roles, bound, "alarm" if plan.name is StepName.AT_ONCE else "escalated")
    return False


def _press(
    caller: Caller, plan: StepPlan, case: Case, step: Step, bound: Sequence[Bound], plans: Plans
) -> bool:
    """Makes the pages of a step that follows news; returns whether it is to be repeated."""
    if _is_over(plan, case, step) or is_said(case, plans):
        return False
    roles = _roles_left(plan, case, step, bound)
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


def _roles_left(plan: StepPlan, case: Case, step: Step, bound: Sequence[Bound]) -> tuple[Role, ...]:
    done: frozenset[Role] = frozenset()
    if plan.heeds is Heeds.ROLE and is_follow_up(step.name):
        done = answered_since(case, bound, word_us(case, step.name)) | UNTOLD[StepName.MORE]
    elif plan.heeds is Heeds.ROLE:
        done = answered_roles(case, bound)
    if plan.spares_residents and case.incident.arrived_us is not None:
        done = done | set(RESIDENTS)
    return tuple(role for role in plan.roles if role not in done)


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


def _help(caller: Caller, case: Case, asker: Role, bound: Sequence[Bound]) -> None:
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


def _news(caller: Caller, case: Case, step: Step, bound: Sequence[Bound], plans: Plans) -> None:
    """Whoever this severity tells at once or who was told in this epoch, whatever they answered: they act by
    it. Nobody in the roles of `UNTOLD`."""
    untold = UNTOLD[StepName(step.name)]
    plan = plans.plan_of(case.incident, StepName.AT_ONCE)
    for role in plan.roles if plan else ():
        if role not in untold:
            caller.tell(first_of(bound, role), TELL, step.name)
    told = {t.contact_id for t in case.told if t.epoch == step.epoch}
    caller.tell((b for b in bound if b.contact_id in told and b.role not in untold), TELL, step.name)


def _all_clear(caller: Caller, case: Case, bound: Sequence[Bound]) -> None:
    """Whoever was told of the fire, except the stations: the duty desk speaks to those."""
    told = {t.contact_id for t in case.told if t.role not in STATIONS}
    people = (b for b in bound if b.contact_id in told and b.role not in STATIONS)
    caller.tell(people, QUIETLY, "all_clear")


def _record(case: Case, step: Step, caller: Caller, now_us: int, plans: Plans) -> Case:
    state = StepState.DONE if caller.pages else StepState.STOPPED
    case = case.with_step(replace(step, state=state, ended_us=now_us))
    if not caller.pages:
        line = "step_said" if is_follow_up(step.name) and is_said(case, plans) else "step_stopped"
        line = "step_later" if caller.later else "step_nobody" if is_missed(case, step) else line
        text = pack(line, step=step_words(step.name))
        return case.having(Change(now_us, "step", "gengfu", "clock", text))
    told = tuple(Told(step.epoch, step.name, p.to.contact_id, p.to.role) for p in caller.pages)
    line = "told_unheard" if is_follow_up(step.name) else "told"
    text = pack(line, step=step_words(step.name), roles=_counts(p.to.role for p in caller.pages))
    case = case.having(Change(now_us, "told", "gengfu", "clock", text))
    return replace(case, told=(*case.told, *told), pages=(*case.pages, *caller.pages))


def _left_out(case: Case, plan: StepPlan, caller: Caller, bound: Sequence[Bound], now_us: int) -> Case:
    """Names the roles of the table that nobody could be told in, and why."""
    nobody = [role for role in plan.roles if not first_of(bound, role)]
    exempt = [role for role in plan.roles if role not in nobody and not caller.may_tell(role)]
    for line, roles in (("left_out", nobody), ("left_out_drill", exempt)):
        if roles:
            text = pack(line, step=step_words(plan.name), roles=Words(roles))
            case = case.having(Change(now_us, "left_out", "gengfu", "clock", text))
    return case


def _dispatched(case: Case) -> Case:
    if case.incident.state.progress >= State.DISPATCHED.progress:
        return case
    return replace(case, incident=replace(case.incident, state=State.DISPATCHED))


def _next(step: Step, plan: StepPlan, now_us: int, plans: Plans) -> Step:
    """The repetition keeps to the plan's clock; after a pause of ours it starts again from now."""
    every = plans.us(plan.every_s)
    due = step.due_us + every
    return Step(step.epoch, step.name, step.n + 1, due if due > now_us else now_us + every)


def _counts(roles: Iterable[Role]) -> Words:
    listed = list(roles)
    return Words(f"{role}*{listed.count(role)}" for role in dict.fromkeys(listed))


def step_words(step: str) -> Words:
    """What a step is called, as a word for a saying."""
    name = base_of(step).partition(":")[0]
    return Words(["step.supervisor" if name == StepName.SUPERVISOR else name])
