"""Which hazard each rule speaks of: what decides who is told, and with which other alarms it is one matter.

A rule can say it (key `hazard`). Where it does not, its name decides, and for a name that is not known here
(a site's own) its first letter: what may be a fire is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from alerts.case import Alarm, Hazard
from alerts.system import is_system
from devices.model import Severity
from rules.rule import RuleHazard
from rules.transition import Mark

_FAULTS: Final = frozenset({"S4", "S5", "S5L", "S6", "S7", "S7L", "F1"})
"""What is wrong with a detector and not with the flat: never mixed with a fire alarm (design, vocabulary)."""
_BY_LETTER: Final[Mapping[str, Hazard]] = {
    **dict.fromkeys("SXHGM", Hazard.FIRE),
    **dict.fromkeys("OLTAVNE", Hazard.ELECTRICAL),
    **dict.fromkeys("CQF", Hazard.FAULT),
}
SAYABLE: Final = frozenset(map(str, RuleHazard))
"""What a rule can say."""
ISOLATING: Final = frozenset({str(Mark.ELECTRICAL_FIRST), str(Mark.ISOLATE)})
"""Tags of incidents, and marks of alarms, that ask for the power to be cut before anything else."""
ALARMING: Final = frozenset({Severity.P0_PLUS, Severity.P0})
"""A detector that says fire, unlike one whose air only thickens (S8, P1) and unlike old smoke (P2)."""


def detectors(alarms: Iterable[Alarm]) -> frozenset[str]:
    """The devices among the evidence that said fire themselves; correlations and pre-alarms left out."""
    return frozenset(
        alarm.uid
        for alarm in alarms
        if alarm.severity in ALARMING and not alarm.place and alarm.hazard is Hazard.FIRE
    )


def is_long_ago(alarm: Alarm) -> bool:
    """Smoke of long ago: a matter for a visit, and no alarm of the engine (life_safety, smoke 3)."""
    return alarm.hazard is Hazard.FIRE and alarm.severity.rank >= Severity.P2.rank


def leading(alarms: Sequence[Alarm]) -> Alarm | None:
    """The alarm that stands for all of them where there is room for one: of those that still stand the worst,
    of equals the newest; where none stands, of all."""
    standing = [alarm for alarm in alarms if alarm.cleared_us is None] or alarms
    return min(standing, key=lambda alarm: (alarm.severity.rank, -alarm.raised_us), default=None)


def hazard_of(rule: str, said: str = "") -> Hazard:
    """What the rule itself `said`, else by its name: fire is what detectors, buttons and correlations say;
    the circuit's rules are electrical; what is wrong with a device is a fault, with ourselves a fault of the
    system. A word that this release does not know counts as nothing said."""
    if is_system(rule):
        return Hazard.SYSTEM
    if said in SAYABLE:
        return Hazard(said)
    if rule in _FAULTS:
        return Hazard.FAULT
    return _BY_LETTER.get(rule[:1], Hazard.FAULT)
