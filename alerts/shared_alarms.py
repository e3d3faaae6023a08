"""An alarm of a stair or building that several incidents hold: whoever ends one of them ends it there, and
not in the others. Pure.

The engine knows it as one, of all devices that raised it. So while another incident goes on with it, it is
told which devices have no part in it any more; and that it is over, when the last one ends.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from alerts.case import Alarm, Case, Change, Input
from alerts.joining import US
from alerts.sayings import pack
from devices.model import InputKind

_ENDING: Final = frozenset({InputKind.RESET, InputKind.CLOSE})


def end_here(case: Case, held: Collection[tuple[str, str]], now_us: int) -> Case:
    """`case` after an act, where the alarms in `held` (rule, subject) stand in another open incident too: it
    ends them for itself, and for its own devices."""
    shared = {(a.rule, a.place): a for a in case.alarms if a.place and a.identity in held}
    slots = sorted({a.slot for a in case.alarms if not a.place})
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
