"""What happens when nobody answers: which steps are planned, what a due step does and leads to. Pure.

Whom it tells, `alerts.whom` says.

Every function is one of values and `now_us`, and gives a new case; pages collect in `Case.pages`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from alerts.audience import Caller, first_of
from alerts.case import Case, Change, Incident, State, Step, StepState, Told
from alerts.deadlines import STEPS, is_missed, remind
from alerts.delays import base_of, late_name, lateness_s
from alerts.follow_up import begin_follow_ups, is_follow_up, is_said
from alerts.moved import tell_moved
from alerts.plans import Plans
from alerts.policy import StepName, StepPlan
from alerts.sayings import Words, pack
from alerts.whom import (
    UNTOLD,
    facts_of,
    is_over,
    roles_left,
    tell_all_clear,
    tell_by_plan,
    tell_help,
    tell_news,
    tell_unheard,
)
from devices.bound import Bound
from devices.model import Role


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
        if not roles_left(plan, case, step, ()) or is_over(plan, case, step):
            pointless.append(step)
    return case.stopping(tuple(pointless), now_us)


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
        goes_on = plan is not None and tell_unheard(caller, plan, case, step, bound, plans)
    elif name == StepName.HELP:
        tell_help(caller, case, Role(asker), bound)
    elif name in STEPS:
        case = remind(caller, case, step, bound, now_us)
    elif name == StepName.ALL_CLEAR:
        tell_all_clear(caller, case, bound)
    elif name == StepName.MOVED:
        tell_moved(caller, case, bound)
    elif name in UNTOLD:
        tell_news(caller, case, step, bound, plans)
    elif plan is not None and not (
        plan.ends_on & facts_of(case.incident) or (is_late and case.incident.is_over)
    ):
        goes_on = tell_by_plan(caller, plan, case, step, bound)
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
