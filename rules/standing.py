"""Which alarms are active, and the clearings of those that nothing watches any more.

An alarm is told by its rule and by what it is about, so that a list of before and one of after a change can
be compared, whatever kernels, and whichever release, made them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.model import Metric, SeriesTable, Severity
from rules import why
from rules.kernel import ACTIVE, PairKernel
from rules.pairs import State
from rules.rule import BaseRule
from rules.transition import Subject, To, Transition, Why


class Standing(NamedTuple):
    """An active alarm. `about` is the registry id of its device or place, or its series' slot again; `slot`
    is the series that stands for it."""

    rule: str
    subject: Subject
    about: int
    slot: int

    @property
    def key(self) -> tuple[str, Subject, int]:
        """What makes it this alarm."""
        return self.rule, self.subject, self.about


class Cause(StrEnum):
    """Why nothing watches an alarm any more."""

    REMOVED = "removed"
    """Its rule is gone."""
    CHANGED = "changed"
    """Its rule watches something else."""
    DEVICE = "device"
    """Its device is registered as another, or not any more."""


class Lost(NamedTuple):
    """An alarm that nothing watches any more and that has not been told to be cleared."""

    rule: str
    subject: Subject
    about: int
    slot: int
    severity: str
    metric: str
    cause: Cause


class Facts(NamedTuple):
    """What must be known of a rule when it is gone. `several`: its alarms are told apart by their metric."""

    severity: str
    several: bool
    measure: str


_ORDER: Final = {one: n for n, one in enumerate(Subject)}
_UNKNOWN: Final = Facts(str(Severity.P2), False, "")
"""Of a rule of which a snapshot says nothing: it cannot have been written by us."""


def facts_of(rules: Iterable[BaseRule], measures: Mapping[str, str]) -> dict[str, Facts]:
    """The facts of these rules, by name; `measures` is what `rules.succession.measures` says."""
    return {
        rule.name: Facts(str(rule.severity), len(rule.metrics) > 1, measures[rule.name]) for rule in rules
    }


def lost_of(
    before: Iterable[Standing],
    after: Iterable[Standing],
    facts: Mapping[str, Facts],
    table: SeriesTable,
    names: Iterable[str] = (),
    cause: Cause | None = None,
) -> list[Lost]:
    """What is active in `before` and not in `after`: series first, then places, devices and buildings.

    `facts` are those of the rules of `before`, `names` the rules there are now; `cause` where it is known.
    """
    there, now = {one.key for one in after}, set(names)
    lost = []
    for one in before:
        if one.key in there:
            continue
        known = facts.get(one.rule, _UNKNOWN)
        several = known.several and one.subject is Subject.SERIES and one.slot < len(table)
        metric = Metric(table.metric[one.slot]).name_on_wire if several else ""
        why_not = cause or (Cause.CHANGED if one.rule in now else Cause.REMOVED)
        lost.append(Lost(one.rule, one.subject, one.about, one.slot, known.severity, metric, why_not))
    return sorted(lost, key=lambda one: (_ORDER[one.subject], one.about, one.rule))


def cleared(lost: Sequence[Lost], table: SeriesTable, now_us: int) -> list[Transition]:
    """Their clearings, at `now_us`."""
    return [_cleared(one, table, now_us) for one in lost]


def _cleared(lost: Lost, table: SeriesTable, now_us: int) -> Transition:
    known, slot = lost.slot < len(table), lost.slot
    dwelling = int(table.dwelling[slot]) if known else 0
    is_place = lost.subject not in (Subject.SERIES, Subject.DEVICE)
    device = lost.about if lost.subject is Subject.DEVICE else int(table.device[slot]) if known else 0
    return Transition(
        rule=lost.rule,
        to=To.CLEARED,
        severity=Severity(lost.severity),
        slot=slot,
        device=device,
        dwelling=lost.about if lost.subject is Subject.DWELLING else dwelling,
        place=lost.about if is_place else 0,
        at_us=now_us,
        nudge_ns=0,
        received_us=now_us,
        why=_why(lost),
        age_s=0.0,
        subject=lost.subject,
        metric=lost.metric,
    )


def _why(lost: Lost) -> Why:
    if lost.cause is Cause.DEVICE:
        return why.device_gone()
    return why.rule_gone(lost.rule, changed=lost.cause is Cause.CHANGED)


def standing_columns(kernels: Iterable[PairKernel[Any]], others: Sequence[Standing]) -> State:
    """What is active in these kernels, and the `others`, as arrays of a snapshot."""
    parts = [as_columns("standing", others, Standing)]
    for kernel in kernels:
        pairs = kernel.pairs
        active = np.flatnonzero(pairs.state["status"][: pairs.n] & ACTIVE)
        names = np.array([rule.name for rule in kernel.rules], np.str_)
        slot = pairs.slot[active].astype(np.int64)
        columns = (names[pairs.rule[active]], np.full(len(active), str(Subject.SERIES)), slot, slot)
        parts.append(dict(zip(parts[0], columns, strict=True)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def as_columns(name: str, rows: Sequence[NamedTuple], kind: type[NamedTuple]) -> State:
    """Rows as arrays of a snapshot, without objects in them."""
    return {
        f"{name}.{field}": np.array([row[n] for row in rows], _TYPES.get(field, np.str_))
        for n, field in enumerate(kind._fields)
    }


def standing_in(state: Mapping[str, NDArray[Any]]) -> list[Standing] | None:
    """What was active at a snapshot; None of one that does not say."""
    rows = _rows("standing", Standing, state)
    return None if rows is None else [Standing(str(a), Subject(b), int(c), int(d)) for a, b, c, d in rows]


def lost_in(state: Mapping[str, NDArray[Any]]) -> list[Lost]:
    """What was to be cleared at a snapshot."""
    return [
        Lost(str(a), Subject(b), int(c), int(d), str(e), str(f), Cause(g))
        for a, b, c, d, e, f, g in _rows("lost", Lost, state) or ()
    ]


def facts_in(state: Mapping[str, NDArray[Any]]) -> dict[str, Facts]:
    """The facts of the rules that held at a snapshot, by name."""
    names = state.get("facts.rule", ())
    rows = zip(names, _rows("facts", Facts, state) or (), strict=True)
    return {str(name): Facts(str(a), bool(b), str(c)) for name, (a, b, c) in rows}


def facts_columns(facts: Mapping[str, Facts]) -> State:
    """Facts as arrays of a snapshot."""
    names = {"facts.rule": np.array(list(facts), np.str_)}
    return {**names, **as_columns("facts", list(facts.values()), Facts)}


_TYPES: Final[Mapping[str, type]] = {"about": np.int64, "slot": np.int64, "several": np.bool_}


def _rows(
    name: str, kind: type[NamedTuple], state: Mapping[str, NDArray[Any]]
) -> list[tuple[Any, ...]] | None:
    columns = [state.get(f"{name}.{field}") for field in kind._fields]
    if any(column is None for column in columns):
        return None
    return list(zip(*(column.tolist() for column in columns if column is not None), strict=True))
