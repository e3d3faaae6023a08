"""What an incident stands on, in a few words: for messages, the board and the one-tap page. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from alerts.case import Alarm, Hazard
from alerts.hazards import detectors, leading
from devices.model import Severity
from rules.transition import Why

Both = tuple[str, str]
"""The same in zh-CN and English."""

_PAIR: Final[Both] = ("两个探测器烟雾报警", "smoke at two detectors")
_VISIT: Final[Both] = ("较早的烟雾报警，请查看", "smoke reported long ago")
_TOGETHER: Final[Both] = ("烟雾报警且用电异常", "smoke with an electrical alarm")
_WORDS: Final[tuple[tuple[str, Both], ...]] = (
    ("S1", ("烟雾报警", "smoke alarm")),
    ("H1", ("感温火灾报警", "heat alarm")),
    ("G1", ("燃气泄漏报警", "gas alarm")),
    ("M1", ("手动报警", "manual alarm")),
    ("S8", ("烟雾浓度异常升高", "smoke is rising")),
    ("T3X", ("线缆过热且有电弧", "cable critical, with an arc")),
    ("V1", ("零线可能断开", "neutral may be lost")),
    ("V2", ("电压严重偏高", "voltage far too high")),
    ("A", ("故障电弧", "arc on the circuit")),
    ("O5", ("断路器反复跳闸", "breaker trips again and again")),
    ("O", ("电路过载", "circuit overloaded")),
    ("L", ("剩余电流超限", "leakage current")),
    ("T", ("线路温度过高", "cable too hot")),
    ("N2", ("疑似电动自行车充电，待人工核实", "an e-bike may be charging, to be checked")),
    ("N", ("夜间用电偏高", "high load at night")),
    ("C3", ("多台设备同时失联", "many devices silent at once")),
    ("C", ("设备失联", "device silent")),
    ("S4", ("同一探测器反复误报", "false alarms again and again")),
    ("S5", ("电池电量低", "battery low")),
    ("S6", ("设备被拆除或打开", "device removed or opened")),
    ("S7", ("烟感已消音", "detector silenced")),
    ("F1", ("设备自检故障", "the device says it is at fault")),
    ("Q", ("数据异常", "readings cannot be trusted")),
    ("S", ("烟雾报警", "smoke alarm")),
)
"""Names of rules and beginnings of names, the first that fits counts."""
_OTHER: Final = {
    Hazard.FIRE: ("火灾报警", "fire alarm"),
    Hazard.ELECTRICAL: ("电气异常", "electrical alarm"),
    Hazard.FAULT: ("设备故障", "device fault"),
    Hazard.SYSTEM: ("系统故障", "fault of the system"),
}
CHINESE: Final = "zh-CN"
_SEEN_OUTSIDE: Final = ("S1", "S2", "S8", "H1", "G1", "M1")
"""Rules that tell neighbours what threatens them too."""


class Grounds(NamedTuple):
    """What counts of the evidence: names of rules as shipped, how many detectors said fire, and what the
    worst alarm is called where a rule of the site's own says so."""

    rules: frozenset[str]
    detectors: int = 0
    title: Why | None = None


def grounds_of(alarms: Sequence[Alarm]) -> Grounds:
    """The grounds that an incident stands on, from its alarms."""
    worst = leading(alarms)
    rules = frozenset(alarm.rule for alarm in alarms if alarm.title is None)
    return Grounds(rules, len(detectors(alarms)), worst.title if worst else None)


def evidence_words(
    rules: Collection[str],
    detectors: int,
    hazard: Hazard,
    severity: Severity,
    language: str,
    title: Why | None = None,
) -> str:
    """The evidence: the worst of it, where there is much. The rest as in `Grounds`."""
    both = _evidence(rules, detectors, hazard, severity, title)
    return both[0] if language == CHINESE else both[1]


def alarm_words(alarm: Alarm) -> Both:
    """One alarm, whatever else stands."""
    rules = (alarm.rule,) if alarm.title is None else ()
    return _evidence(rules, 0, alarm.hazard, alarm.severity, alarm.title)


def evidence_words_outside(
    rules: Collection[str],
    detectors: int,
    hazard: Hazard,
    severity: Severity,
    language: str,
    title: Why | None = None,
) -> str:
    """The same for neighbours, who learn of what threatens them and not of what goes on in the flat: no rule
    of the site's own, nothing of circuits and of what is charged there."""
    both = _outside(rules, detectors, hazard, severity)
    return both[0] if language == CHINESE else both[1]


def alarm_words_outside(alarm: Alarm) -> Both:
    """One alarm as neighbours learn of it."""
    rules = (alarm.rule,) if alarm.title is None else ()
    return _outside(rules, 0, alarm.hazard, alarm.severity)


def _outside(rules: Collection[str], detectors: int, hazard: Hazard, severity: Severity) -> Both:
    if hazard is not Hazard.FIRE:
        return _OTHER[hazard]
    seen = frozenset(rule for rule in rules if rule.startswith(_SEEN_OUTSIDE))
    smoke = frozenset({"S1"}) if any(rule[:1] == "X" for rule in rules) else frozenset()
    return _evidence(seen | smoke, detectors, hazard, severity, None)


def _evidence(
    rules: Collection[str], detectors: int, hazard: Hazard, severity: Severity, title: Why | None
) -> Both:
    own = (title.zh_cn, title.en) if title else None
    if severity.rank >= Severity.P2.rank and hazard is Hazard.FIRE:
        return own or _VISIT
    if any(rule[:1] == "X" for rule in rules):
        return _TOGETHER
    if detectors > 1:
        return _PAIR
    fitting = (both for start, both in _WORDS if any(rule.startswith(start) for rule in rules))
    return own or next(fitting, _OTHER[hazard])
