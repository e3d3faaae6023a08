"""Who is told some time after the others of a step, because their binding says so. Pure.

A binding's delay holds for the steps of an incident's own policy. What it puts off is a step of its own in
the database, `at_once@30` for those who are told 30 s after the others, so that a crash loses nobody. Help
that is asked for, news and the all-clear wait for nobody's delay.

In a fire no delay counts for more than 60 s, and of those who are told together somebody always is at once:
where all of them would wait, whoever would wait least does not. The fire brigade never waits (life_safety,
who is told, outranks a binding).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from alerts.policy import KINDS
from devices.bound import Bound
from devices.model import Role, Severity

MOST_IN_FIRE_S: Final = 60
"""The longest delay that counts in a fire (chosen: by then every role has been told and is called)."""
_URGENT: Final = frozenset({Severity.P0, Severity.P0_PLUS})


def base_of(name: str) -> str:
    """The step that a late one belongs to; any other name as it is."""
    return name.partition("@")[0]


def lateness_s(name: str) -> int:
    """How long after its step a late one is; 0 for any other."""
    seconds = name.partition("@")[2]
    return int(seconds) if seconds.isdecimal() else 0


def late_name(name: str, seconds: int) -> str:
    """What the part of a step is called that comes so much later."""
    return f"{base_of(name)}@{seconds}"


def waits(name: str) -> bool:
    """Whether delays count for a step of this name."""
    return base_of(name) in KINDS


def delays_of(people: Sequence[Bound], severity: Severity) -> list[int]:
    """How many seconds each of `people`, who are told together, waits after the others of a step."""
    if severity not in _URGENT:
        return [max(0, one.delay_s) for one in people]
    delays = [
        0 if one.role is Role.FIRE_BRIGADE else min(max(0, one.delay_s), MOST_IN_FIRE_S) for one in people
    ]
    least = min(delays, default=0)
    return [0 if delay == least else delay for delay in delays]
