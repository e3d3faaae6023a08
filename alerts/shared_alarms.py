"""An alarm of a stair or building that several incidents hold: whoever ends one of them ends it there, and
not in the others. Pure.

The engine knows it as one, of all devices that raised it. So while another incident goes on with it, it is
told which devices have no part in it any more; and that it is over, when the last one ends.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final, NamedTuple

from alerts.case import Alarm, Case, Change, Input
from alerts.joining import US
from alerts.sayings import pack
from devices.model import InputKind

_ENDING: Final = frozenset({InputKind.RESET, InputKind.CLOSE})


class Beside(NamedTuple):
    """What other open incidents have of one: `held` are alarms of places (rule, subject) that stand in both,
    `left` the devices (uid) whose alarms stood here, and go on there since they were registered elsewhere."""

    held: Collection[tuple[str, str]] = frozenset()
    left: Collection[str] = frozenset()


def beside(case: Case, stands_elsewhere: Callable[[Alarm], bool]) -> Beside:
    """Those of an incident, given which alarms stand in another open one."""
    elsewhere = [a for a in case.alarms if stands_elsewhere(a)]
    here = {a.uid for a in case.active() if not a.place}
    held = frozenset(a.identity for a in elsewhere if a.place and a.cleared_us is None)
    return Beside(held, frozenset(a.uid for a in elsewhere if not a.place) - here)


def end_here(case: Case, beside: Beside, now_us: int) -> Case:
    """`case` after an act: the alarms that another open incident holds too it ends for itself, and for its
    own devices. One that has left has its part in the other one."""
    shared = {(a.rule, a.place): a for a in case.alarms if a.place and a.identity in beside.held}
    slots = sorted({a.slot for a in case.alarms if not a.place and a.uid not in beside.left})
    ended: dict[tuple[str, str], Alarm] = {}
    inputs: list[Input] = []
    for one in case.inputs:
        alarm = shared.get((one.rule, one.place)) if one.kind in _ENDING and not one.slot else None
        if alarm is None:
            inputs.append(one)
            continue
        ended[alarm.identity] = alarm
        inputs += [replace(one, slot=slot) for slot in slots]
    for alarm in ended.values():
        text = pack("ended_here", rule=alarm.rule)
        case = case.with_alarm(replace(alarm, cleared_us=now_us))
        case = case.having(Change(now_us, "cleared", US, "rule", text))
    return replace(case, inputs=tuple(inputs))
