"""A transition as a dict."""

from __future__ import annotations

from devices.model import EngineInput, Severity
from rules.transition import Mark, Subject, To
from tests.rules.reference.entries import Entry
from tests.rules.reference.reading import One, Told
from tests.rules.reference.world import World


def told_of(
    entry: Entry,
    to: To,
    one: One,
    world: World,
    *,
    marks: list[Mark] | None = None,
    severity: Severity | None = None,
) -> Told:
    """What one reading changed."""
    return {
        "rule": entry.name,
        "to": to,
        "severity": severity or entry.severity,
        "slot": one.slot,
        "device": int(world.table.device[one.slot]),
        "dwelling": int(world.table.dwelling[one.slot]),
        "place": 0,
        "at": one.observed,
        "nudge": one.nudge,
        "received": one.received,
        "age_s": max(0, one.received - one.observed) / 1e6,
        "marks": list(marks or ()),
        "subject": Subject.SERIES,
    }


def ended_by(entry: Entry, given: EngineInput, slot: int, now: int, world: World) -> Told:
    """What a person's act cleared."""
    return {
        "rule": entry.name,
        "to": To.CLEARED,
        "severity": entry.severity,
        "slot": slot,
        "device": int(world.table.device[slot]),
        "dwelling": int(world.table.dwelling[slot]),
        "place": 0,
        "at": given.at_us,
        "nudge": 0,
        "received": now,
        "age_s": max(0, now - given.at_us) / 1e6,
        "marks": [],
        "subject": Subject.SERIES,
    }
