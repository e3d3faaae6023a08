"""What holds of policies: the shipped ones, the site's own in their place, and the clock they run by.

`Policies` is what files say; `Plans` is that with what a turn knows: the clock ratio, and in which areas the
buildings of its incidents are. Decisions ask it, and nothing else, whom to tell when. Values only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Final

from alerts.case import Hazard, Incident, State
from alerts.delays import base_of
from alerts.gate import exercise_in
from alerts.policy import Heeds, Policy, StepName, StepPlan, line_of
from alerts.policy_file import SYSTEM, StatedDeadlines, StatedPolicy, parse_policies
from alerts.policy_floor import check_floor
from alerts.toml_table import PolicyError, TomlText
from devices.model import Role, Severity

COMMISSIONING: Final = "commissioning"
DESK_ALONE: Final[Policy] = (
    StepPlan(StepName.AT_ONCE, 0, (Role.DUTY_DESK,), ends_on=frozenset(), heeds=Heeds.NOBODY),
)
"""Of a device that is being commissioned the duty desk alone is told, once (life_safety, who is told), and
nobody of what no policy tells of."""
SHIPPED: Final = "policies.toml"
"""The name of the shipped file, which lies beside this one."""


@dataclass(frozen=True, slots=True)
class Policies:
    """`shipped` by severity (or `system`), `own` by that and the code of an area, empty for everywhere.

    `deadlines` are the shipped ones by severity, `own_deadlines` take their place. `name` is what the site's
    own file is called, empty for none.
    """

    shipped: Mapping[str, StatedPolicy]
    own: Mapping[tuple[str, str], StatedPolicy] = field(default_factory=dict)
    deadlines: Mapping[str, StatedDeadlines] = field(default_factory=dict)
    own_deadlines: Mapping[str, StatedDeadlines] = field(default_factory=dict)
    name: str = ""

    def find(self, severity: str, areas: Sequence[str]) -> StatedPolicy:
        """The policy of a severity (or `system`) in the narrowest of `areas` (nearest first) that has one of
        its own; else the site's; else the shipped one."""
        for area in (*areas, ""):
            if (severity, area) in self.own:
                return self.own[severity, area]
        return self.shipped[severity]

    def deadlines_of(self, severity: str) -> StatedDeadlines | None:
        """The deadlines of a severity (or `system`): the site's, else the shipped ones, else none."""
        return self.own_deadlines.get(severity) or self.deadlines.get(severity)

    @property
    def areas(self) -> frozenset[str]:
        """The codes of the areas with policies of their own."""
        return frozenset(area for _, area in self.own if area)


@cache
def shipped_policies() -> Policies:
    """The policies of this release, read once from the package."""
    text = files("alerts").joinpath(SHIPPED).read_text(encoding="utf-8")
    stated = parse_policies(text, SHIPPED)
    return Policies(
        {one.severity: one for one in stated.policies},
        deadlines={one.severity: one for one in stated.deadlines},
    )


def own_policies(text: str, name: str) -> Policies:
    """The shipped policies with those of a site's file in their place. Raises PolicyError for the first thing
    that is wrong with it, or that is looser than it may be (`alerts/policy_floor.py`)."""
    shipped, file = shipped_policies(), TomlText(name, text)
    stated = parse_policies(text, name)
    for one in stated.policies:
        check_floor(one, shipped.shipped[one.severity].policy, file)
    return replace(
        shipped,
        own={(one.severity, one.area): one for one in stated.policies},
        own_deadlines={one.severity: one for one in stated.deadlines},
        name=name,
    )


@dataclass(frozen=True, slots=True)
class Plans:
    """Whom to tell when. `ratio` divides every delay; `areas` are the codes of the areas of buildings, by
    building id, nearest first: who is in none of them has the site's policies."""

    policies: Policies = field(default_factory=shipped_policies)
    ratio: float = 1.0
    areas: Mapping[int, Sequence[str]] = field(default_factory=dict)

    def policy_of(self, incident: Incident, severity: Severity | None = None) -> Policy:
        """Who is told, when and how, of an incident; with `severity`, as if it were that severe."""
        key = SYSTEM if incident.hazard is Hazard.SYSTEM else str(severity or incident.severity)
        policy = self.policies.find(key, self.areas.get(incident.building_id, ())).policy
        return DESK_ALONE if policy and exercise_in(incident.place) == COMMISSIONING else policy

    def plan_of(self, incident: Incident, name: str) -> StepPlan | None:
        """The line of the policy that a step of this name carries out; None for steps outside policies, and
        for one whose line is gone since it was planned. A step that follows news names the severity of the
        news (`alerts.follow_up`)."""
        kind, _, of = base_of(name).partition(":")
        of = of.partition(":")[0]
        worse = Severity(of) if of in set(Severity) else None
        return line_of(self.policy_of(incident, worse), kind)

    def deadline_s(self, incident: Incident, state: State) -> float | None:
        """How many seconds an incident may wait for a state; None for as long as it takes."""
        key = SYSTEM if incident.hazard is Hazard.SYSTEM else str(incident.severity)
        stated = self.policies.deadlines_of(key)
        return stated.limits_s.get(state) if stated else None

    def patience_us(self, incident: Incident) -> int:
        """How long an incident waits for its first answer before the next step."""
        waits = (plan.after_s for plan in self.policy_of(incident) if plan.after_s)
        return self.us(min(waits, default=0.0))

    def us(self, seconds: float) -> int:
        """A delay by our clock in µs."""
        return round(seconds / self.ratio * 1_000_000)


__all__ = ["SHIPPED", "Plans", "Policies", "PolicyError", "own_policies", "shipped_policies"]
