"""One look: what people's acts and a batch of readings change, in the order in which it is told."""

from __future__ import annotations

from operator import itemgetter
from typing import Final

import numpy as np

from devices.model import EngineInput, InputKind, ReadingBatch
from rules.heeding import COMPARED, ONLINE
from rules.kernels.meeting import Moment
from rules.look import Look
from rules.parts import Parts
from rules.transition import Transition

_ENDING: Final = (InputKind.RESET, InputKind.CLOSE)


def take_act(parts: Parts, given: EngineInput, now_us: int) -> list[Transition]:
    """What one input clears. It raises nothing, not even on a place."""
    if given.kind is InputKind.UNFOUNDED:
        for one in parts.judged.values():
            one.heed(given)
        return []
    if given.kind not in _ENDING:
        parts.presence.note(given)
        return []
    if given.rule in parts.presence.names:
        return parts.presence.apply(given, now_us)
    if parts.whereabouts.is_newer(given, now_us):
        return []
    kernel = parts.kernel_of.get(given.rule)
    cleared = kernel.apply(given, now_us) if kernel else None
    if cleared is None:
        return []
    if kernel is not parts.place:
        parts.place.feed(cleared, Moment(given.at_us, given.at_us))  # it ended then, for people
        parts.whereabouts.note(cleared)
    return [cleared]


def take_readings(parts: Parts, batch: ReadingBatch, source: str) -> list[Transition]:
    """What the readings of a batch, at least one, change; each followed by what that raises on its place."""
    transitions: list[Transition] = []
    for transition in _judged(parts, batch, source):
        transitions += (transition, *parts.place.feed(transition))
        parts.whereabouts.note(transition)
    return transitions


def take_moves(parts: Parts, now_us: int) -> list[Transition]:
    """The alarms that go on where their devices are registered now, and what each raises there."""
    transitions: list[Transition] = []
    for one in parts.flag.tell_moved(now_us):
        known = one.raised if one.stands else one.cleared  # a visit meets nothing
        transitions += (one.cleared, one.raised, *parts.place.feed(known, one.moment))
    for other in parts.whereabouts.tell(now_us):
        raised = () if other.raised is None else (other.raised,)
        met = parts.place.feed(other.raised or other.cleared, other.moment)
        transitions += (other.cleared, *raised, *met)
    return transitions


def _judged(parts: Parts, batch: ReadingBatch, source: str) -> list[Transition]:
    look = Look(batch, parts.table, parts.ground)
    heeded = int(np.bitwise_or.reduce(parts.heeds.take(look.metric)))
    found = parts.flag.evaluate(look) if heeded & 1 else []
    found += parts.presence.hear(look, bool(heeded & ONLINE), source)
    compared, latest = bool(heeded & COMPARED), parts.ground.latest
    if compared:
        latest.begin(batch, look.heard(latest.metrics) if look.whole else None)
    for bit, kernel in enumerate(parts.judged.values(), start=1):
        if heeded >> bit & 1:
            found += kernel.evaluate(look)
    if compared:
        latest.end(batch)
    return [transition for *_, transition in sorted(found, key=itemgetter(0, 1))]
