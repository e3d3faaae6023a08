"""What is told of a dark building."""

from __future__ import annotations

from typing import NamedTuple

from devices.model import EngineInput, SeriesTable
from rules import why
from rules.found import cleared_by_input
from rules.quantity import Level, Span
from rules.rule import BaseRule
from rules.transition import Subject, To, Transition, Why


class Dark(NamedTuple):
    """An alarm's building, and the series and device that stand for it."""

    building: int
    slot: int
    device: int


def fell_silent(fresh: int, members: int, raise_at: Level, within: Span, hold: Span) -> Why:
    """Why it was raised: `fresh` of so many devices."""
    part = f"{fresh * 100 // members} % ≥ {raise_at}"
    return Why(
        en=f"{fresh} of {members} devices ({part}) fell silent within {why.duration(within)}, "
        f"for {why.duration(hold)}",
        zh_cn=f"{members} 台设备中有 {fresh} 台（{part}）在 {why.duration_zh(within)}内失联，"
        f"持续 {why.duration_zh(hold)}",
    )


def few_silent(silent: int, members: int, clear_below: Level) -> Why:
    """Why it was cleared."""
    return Why(
        en=f"{silent} of {members} devices silent, less than {clear_below}",
        zh_cn=f"{members} 台设备中仅 {silent} 台失联，低于 {clear_below}",
    )


def told(rule: BaseRule, to: To, dark: Dark, at_us: int, now_us: int, said: Why) -> Transition:
    """That it was raised or cleared."""
    return Transition(
        rule=rule.name,
        to=to,
        severity=rule.severity,
        slot=dark.slot,
        device=dark.device,
        dwelling=0,
        place=dark.building,
        at_us=at_us,
        nudge_ns=0,
        received_us=now_us,
        why=said,
        age_s=0.0,
        subject=Subject.BUILDING,
    )


def ended_by(rule: BaseRule, given: EngineInput, dark: Dark, now_us: int, table: SeriesTable) -> Transition:
    """That a person's reset or close cleared it."""
    return cleared_by_input(
        rule, given, slot=dark.slot, place=dark.building, table=table,
        now_us=now_us, why=why.by_person(given.kind), subject=Subject.BUILDING,
    )  # fmt: skip
