"""What a kernel found: transitions, each with where in the batch it belongs."""

from __future__ import annotations

from typing import NamedTuple

from devices.model import EngineInput, Metric, ReadingBatch, SeriesTable, Severity
from rules.rule import BaseRule
from rules.transition import Mark, Subject, To, Transition, Why


class Found(NamedTuple):
    """A transition with its row in the batch and its rule's order in the catalogue: what it is sorted by."""

    row: int
    order: int
    transition: Transition


def by_reading(
    rule: BaseRule,
    to: To,
    batch: ReadingBatch,
    row: int,
    *,
    table: SeriesTable,
    why: Why,
    severity: Severity | None = None,
    age_s: float | None = None,
    marks: tuple[Mark, ...] = (),
) -> Transition:
    """The transition that reading `row` caused; `severity` and `age_s` where they are not the usual ones."""
    slot, observed = int(batch.slot[row]), int(batch.observed_us[row])
    return Transition(
        rule=rule.name,
        to=to,
        severity=severity or rule.severity,
        slot=slot,
        device=int(table.device[slot]),
        dwelling=int(table.dwelling[slot]),
        place=0,
        at_us=observed,
        nudge_ns=int(batch.nudge_ns[row]),
        received_us=batch.received_us,
        why=why,
        age_s=max(0, batch.received_us - observed) / 1e6 if age_s is None else age_s,
        marks=marks,
        metric=which_metric(rule, table, slot),
    )


def cleared_by_input(
    rule: BaseRule,
    given: EngineInput,
    *,
    slot: int,
    place: int,
    table: SeriesTable,
    now_us: int,
    why: Why,
    subject: Subject = Subject.SERIES,
) -> Transition:
    """The clearing that a person's `given` caused on the alarm of `slot`, or of `place` where it is not 0."""
    known = slot < len(table)
    return Transition(
        rule=rule.name,
        to=To.CLEARED,
        severity=rule.severity,
        slot=slot,
        device=int(table.device[slot]) if known else 0,
        dwelling=place
        if subject is Subject.DWELLING
        else (int(table.dwelling[slot]) if known and not place else 0),
        place=place,
        at_us=given.at_us,
        nudge_ns=0,
        received_us=now_us,
        why=why,
        age_s=max(0, now_us - given.at_us) / 1e6,
        subject=subject,
        metric=which_metric(rule, table, slot) if known and subject is Subject.SERIES else "",
    )


def which_metric(rule: BaseRule, table: SeriesTable, slot: int) -> str:
    """Which metric an alarm of this rule is of, where it watches several; else nothing."""
    return Metric(table.metric[slot]).name_on_wire if len(rule.metrics) > 1 else ""
