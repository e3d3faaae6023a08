"""How policies read: lines for people, objects for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from alerts.plans import Policies
from alerts.policy import CALL, TELL, StepName, StepPlan
from alerts.policy_file import StatedDeadlines, StatedPolicy
from devices.model import Medium

_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60))


def json_lines(policies: Policies, severities: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """An object for each policy that holds somewhere: the site's for everywhere, then those of areas; then
    one for the deadlines of each severity."""
    for one in _held(policies, severities):
        yield json_of(one, _file_of(policies, one))
    for severity in severities:
        if (limits := policies.deadlines_of(severity)) is not None:
            file = policies.name if severity in policies.own_deadlines else ""
            yield deadlines_json(limits, file)


def text_lines(policies: Policies, severities: Sequence[str]) -> Iterator[str]:
    """The same for people."""
    for one in _held(policies, severities):
        yield from text_of(one, _file_of(policies, one))
    for severity in severities:
        if (limits := policies.deadlines_of(severity)) is not None:
            yield from deadlines_text(limits, policies.name if severity in policies.own_deadlines else "")


def json_of(stated: StatedPolicy, file: str) -> dict[str, Any]:
    """A policy with its lines; times in seconds. `file` is the site's, empty for a shipped policy."""
    return {
        "severity": stated.severity,
        "area": stated.area,
        "file": file,
        "steps": [_facts(plan) for plan in stated.policy],
    }


def text_of(stated: StatedPolicy, file: str) -> list[str]:
    """The same for people: a head, and for each line what it does and where its numbers are from."""
    where = f" in area {stated.area}" if stated.area else ""
    lines = [f"{stated.severity}{where} ({f'by {file}' if file else 'as shipped'})"]
    if not stated.policy:
        lines.append("  nobody is paged")
    for plan in stated.policy:
        lines.append(f"  {_when(plan):<28} {plan.name:<11} {', '.join(plan.roles)}")
        lines.append(f"  {'':<28} {_how(plan)}")
        lines += [f"  {'':<28} {key}: {said}" for key, said in plan.source]
    return lines


def deadlines_json(stated: StatedDeadlines, file: str) -> dict[str, Any]:
    """How long an incident of a severity may wait for each state, in seconds."""
    return {
        "severity": stated.severity,
        "file": file,
        "deadlines_s": dict(stated.limits_s),
        "source": dict(stated.source),
    }


def deadlines_text(stated: StatedDeadlines, file: str) -> list[str]:
    """The same for people."""
    said = dict(stated.source)
    head = f"deadlines of {stated.severity} ({f'by {file}' if file else 'as shipped'})"
    return [
        head,
        *(
            f"  {state:<11} {_span(limit):<8} {said.get(state, '')}".rstrip()
            for state, limit in stated.limits_s.items()
        ),
    ]


def _held(policies: Policies, severities: Sequence[str]) -> Iterator[StatedPolicy]:
    for severity in severities:
        yield policies.find(severity, ())
        yield from (one for (of, area), one in sorted(policies.own.items()) if of == severity and area)


def _file_of(policies: Policies, one: StatedPolicy) -> str:
    return policies.name if (one.severity, one.area) in policies.own else ""


def _facts(plan: StepPlan) -> dict[str, Any]:
    return {
        "kind": str(plan.name),
        "after_s": plan.after_s,
        "every_s": plan.every_s,
        "tell": [str(role) for role in plan.roles],
        "by": [str(medium) for medium in plan.media],
        "ends_on": sorted(map(str, plan.ends_on)),
        "heeds": str(plan.heeds),
        "spares_residents": plan.spares_residents,
        "source": dict(plan.source),
    }


def _when(plan: StepPlan) -> str:
    if plan.name is StepName.AT_ONCE:
        return "at once"
    again = f", again every {_span(plan.every_s)}" if plan.every_s else ""
    return f"after {_span(plan.after_s)}{again}"


def _how(plan: StepPlan) -> str:
    ends = f"; ends on {', '.join(sorted(plan.ends_on))}" if plan.ends_on else ""
    spared = {"nobody": "", "role": "; spares the roles that answered", "contact": "; spares who answered"}
    arrived = "; residents no more once somebody has arrived" if plan.spares_residents else ""
    return f"by {_media(plan.media)}{ends}{spared[plan.heeds]}{arrived}"


def _media(media: Sequence[Medium]) -> str:
    name = "tell: " if media == TELL else "call: " if media == CALL else ""
    return name + " else ".join(media)


def _span(seconds: float) -> str:
    """With the largest unit that fits: `90 s`, `2 min`, `2 h`."""
    fitting = ((unit, length) for unit, length in _UNITS if seconds % length == 0 and seconds >= length)
    unit, length = next(fitting, ("s", 1))
    return f"{seconds / length:g} {unit}"
