"""Which rules a recording can exercise at all, and for how long.

That a rule raised nothing says something only where it could have: where there is a series that it watches,
of a place and with the ratings that it needs, for longer than it takes to learn what is usual.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from benchmarks.household import Meter
from devices.model import Int64
from gengfu.replay.summary import DAY_US
from rules.catalogue import Catalogue
from rules.engine import Engine
from rules.kernels.bound import BoundRule
from rules.kernels.dark_rule import DarkRule
from rules.kernels.excess import ExcessRule
from rules.kernels.gate import GateRule
from rules.kernels.joint import JointRule
from rules.kernels.nights import NightsRule
from rules.kernels.place_rule import PlaceRule
from rules.kernels.silence import SilenceRule
from rules.kernels.usual import UsualRule
from rules.rule import BaseRule

GAP_US: Final = 3_600_000_000
"""A longer gap is not time observed (chosen)."""


class Seen(NamedTuple):
    """What a rule could judge: how many devices, and for how many days in all."""

    devices: int
    days: float

    def and_then(self, other: Seen) -> Seen:
        """Both together."""
        return Seen(self.devices + other.devices, self.days + other.days)


class Exercised(NamedTuple):
    """By rule: what it saw, and of rules that watch a series here but are off there, why."""

    seen: Mapping[str, Seen]
    off: Mapping[str, str]

    def and_then(self, other: Exercised) -> Exercised:
        """Both together."""
        nothing = Seen(0, 0.0)
        names = [*self.seen, *(name for name in other.seen if name not in self.seen)]
        seen = {name: self.seen.get(name, nothing).and_then(other.seen.get(name, nothing)) for name in names}
        return Exercised(seen, {**self.off, **other.off})


NOTHING: Final = Exercised({}, {})


def observed_days(at_us: Int64) -> float:
    """For how many days there are readings, gaps left out."""
    gap = np.diff(at_us)
    return float(gap[gap <= GAP_US].sum()) / DAY_US


def exercised(
    engine: Engine, catalogue: Catalogue, meters: Sequence[Meter], slots: Sequence[Sequence[int]]
) -> Exercised:
    """What rules can judge of these meters, whose series have `slots`."""
    seen: dict[str, Seen] = {}
    off: dict[str, str] = {}
    for meter, its_slots in zip(meters, slots, strict=True):
        explained = [one for slot in its_slots for one in engine.explain(slot)]
        off |= {one.rule.name: one.why_off for one in explained if one.why_off}
        days = {one.rule.name: _judged_days(one.rule, meter.at_us) for one in explained if not one.why_off}
        days |= _of_places(catalogue, days)
        for name, many in days.items():
            if many:
                seen[name] = seen.get(name, Seen(0, 0.0)).and_then(Seen(1, many))
    return Exercised(seen, off)


def not_exercised(catalogue: Catalogue, found: Exercised, metrics: Iterable[str]) -> dict[str, str]:
    """Why each rule that judged nothing could not; `metrics` are those of the recording."""
    here = set(metrics)
    return {rule.name: _why_not(rule, found, here) for rule in catalogue.rule if rule.name not in found.seen}


def _why_not(rule: BaseRule, found: Exercised, here: set[str]) -> str:
    watched = [metric.name_on_wire for metric in rule.metrics]
    match rule:
        case GateRule() | BoundRule():
            return "raises nothing itself"
        case SilenceRule() | DarkRule():
            return "comes by time alone, which is left out: gaps are the recording's"
        case PlaceRule():
            sides = [side for side in (rule.anchor, rule.partner) if not set(side) & found.seen.keys()]
            return " and ".join(f"none of {', '.join(side)} sees anything" for side in sides) or "never both"
        case _ if not here.intersection(watched):
            return f"no series of {', '.join(watched)}"
    return found.off.get(rule.name, f"no device was observed for more than {_learning_days(rule)} days")


def _of_places(catalogue: Catalogue, days: Mapping[str, float]) -> dict[str, float]:
    """Rules on places of which both sides judge something of one device."""
    told = {}
    for rule in catalogue.of(PlaceRule):
        sides = [
            max((days.get(name, 0.0) for name in side), default=0.0) for side in (rule.anchor, rule.partner)
        ]
        if min(sides):
            told[rule.name] = min(sides)
    return told


def _learning_days(rule: BaseRule) -> int:
    """On how many days a rule learns before it can say anything."""
    return rule.least if isinstance(rule, UsualRule | NightsRule | ExcessRule | JointRule) else 0


def _judged_days(rule: BaseRule, at_us: Int64) -> float:
    """The days observed, without the first ones, of which a rule only learns."""
    learning = _learning_days(rule)
    if not learning:
        return observed_days(at_us)
    days = np.unique(at_us // DAY_US)
    return observed_days(at_us[at_us >= days[learning] * DAY_US]) if len(days) > learning else 0.0
