"""The text of a policies file to policies. Reading the file is the caller's; what may not be loosened,
`alerts/policy_floor.py` says.

Raises PolicyError (`alerts/toml_table.py`). Nothing is taken from a file that has one error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from alerts.policy import CALL, KINDS, TELL, Fact, Heeds, Policy, StepName, StepPlan
from alerts.toml_table import TomlTable, TomlText
from devices.model import Medium, Role, Severity

SYSTEM: Final = "system"
"""What stands under `severity` for faults of our own."""
SEVERITIES: Final = (*map(str, Severity), SYSTEM)
LEAST_S: Final = 10
"""The least `after` of a step that is not at once (chosen: what is meant sooner is told at once)."""
LEAST_EVERY_S: Final = 30
"""Carriers of calls take one a minute to one callee: faster repetition tells nobody sooner (chosen)."""
AWAITED: Final = ("arrived", "handled", "feedback", "verified", "closed")
"""The states a deadline can be for, in the order of the life cycle."""
LEAST_DEADLINE_S: Final = 60
MOST_DEADLINE_S: Final = 365 * 86_400
"""The longest deadline (chosen: what may wait longer needs none)."""
MOST_S: Final = 30 * 86_400
"""The longest `after` and `every` (chosen: nobody waits longer for an answer)."""


@dataclass(frozen=True, slots=True)
class StatedPolicy:
    """A policy as a file has it: for a severity (or `system`), in an area (its code, empty for everywhere).

    `at` and `lines` are where it and its steps stand in the file, for errors.
    """

    severity: str
    area: str
    policy: Policy
    at: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatedDeadlines:
    """How many seconds an incident of a severity may wait for each state; none where it may wait for good."""

    severity: str
    limits_s: Mapping[str, float]
    source: tuple[tuple[str, str], ...] = ()


class Stated(NamedTuple):
    """What a policies file says, in its order."""

    policies: tuple[StatedPolicy, ...]
    deadlines: tuple[StatedDeadlines, ...]


class _By(StrEnum):
    TELL = "tell"
    CALL = "call"


_BY: Final = {_By.TELL: TELL, _By.CALL: CALL}


class _Kind(NamedTuple):
    """What a line of a kind may say: keys beside `kind`, `tell`, `by` and `source`, whose answers may spare
    whom (the first is the default), and what it ends on and goes by unless it says so."""

    keys: tuple[str, ...]
    heeds: tuple[Heeds, ...]
    ends_on: frozenset[Fact] = frozenset()
    media: tuple[Medium, ...] = TELL
    spares_residents: bool = False


_OVER: Final = frozenset({Fact.FALSE_ALARM, Fact.HANDLED})
_KINDS: Final[Mapping[StepName, _Kind]] = {
    StepName.AT_ONCE: _Kind((), (Heeds.NOBODY,)),
    StepName.CHASE: _Kind(
        ("after", "every", "ends_on", "heeds", "spares_residents"),
        (Heeds.ROLE, Heeds.NOBODY),
        _OVER,
        CALL,
        True,
    ),
    StepName.UNANSWERED: _Kind(
        ("after", "ends_on"), (Heeds.NOBODY,), frozenset({Fact.ARRIVED, Fact.CONFIRMED, Fact.FALSE_ALARM})
    ),
    StepName.REPEAT: _Kind(("after", "every", "ends_on"), (Heeds.CONTACT,), _OVER | {Fact.ARRIVED}, CALL),
    StepName.SECRETARY: _Kind(
        ("after", "ends_on", "heeds", "spares_residents"), (Heeds.ROLE, Heeds.NOBODY), _OVER
    ),
    StepName.SUPERVISOR: _Kind(
        ("after", "ends_on", "heeds", "spares_residents"), (Heeds.ROLE, Heeds.NOBODY), _OVER
    ),
}


def parse_policies(text: str, name: str) -> Stated:
    """What `text` says; `name` is what errors call the file. Raises PolicyError."""
    file = TomlText(name, text)
    top = TomlTable(file, "", file.tree())
    if type(top.take("version")) is not int or top.take("version") != 1:
        raise file.wrong("version", "allowed: 1; write version = 1")
    top.done(("version", "policy", "deadlines"))
    stated = tuple(_policy(one) for one in top.tables("policy")) if top.has("policy") else ()
    _check_each_once(stated, file)
    return Stated(stated, _deadlines(top.table("deadlines")))


def _policy(table: TomlTable) -> StatedPolicy:
    severity = table.word("severity", SEVERITIES)
    if table.has("area") and not table.text("area", 64):
        raise table.wrong("area", "is empty; allowed: the code of an area, or no such key for everywhere")
    steps = table.tables("step")
    table.done(("severity", "area", "step"))
    policy = tuple(_step(one) for one in steps)
    for n, plan in enumerate(policy):
        if any(plan.name == earlier.name for earlier in policy[:n]):
            raise steps[n].wrong("kind", f"`{plan.name}` stands twice; each kind once is allowed")
    return StatedPolicy(severity, table.text("area", 64), policy, table.at, tuple(one.at for one in steps))


def _step(table: TomlTable) -> StepPlan:
    name = StepName(table.word("kind", KINDS))
    kind = _KINDS[name]
    table.done(("kind", "tell", "by", *kind.keys, "source"))
    return StepPlan(
        name=name,
        after_s=table.span_s("after", LEAST_S, MOST_S) if "after" in kind.keys else 0.0,
        roles=tuple(Role(one) for one in table.words("tell", list(map(str, Role)))),
        media=_media(table) if table.has("by") else kind.media,
        every_s=table.span_s("every", LEAST_EVERY_S, MOST_S) if "every" in kind.keys else 0.0,
        ends_on=_facts(table) if table.has("ends_on") else kind.ends_on,
        heeds=Heeds(table.word("heeds", kind.heeds)) if table.has("heeds") else kind.heeds[0],
        spares_residents=table.flag("spares_residents", kind.spares_residents),
        source=_sources(table),
    )


def _media(table: TomlTable) -> tuple[Medium, ...]:
    """`tell`, `call`, or media in the order in which they are tried."""
    said = table.take("by")
    if isinstance(said, str):
        return _BY[_By(table.word("by", tuple(_By)))] if said in set(_By) else _no_way(table, said)
    return tuple(Medium(one) for one in table.words("by", list(map(str, Medium))))


def _no_way(table: TomlTable, said: str) -> tuple[Medium, ...]:
    allowed = f"{', '.join(_By)}, or a list of {', '.join(map(str, Medium))}"
    raise table.wrong("by", f"`{said}` is unknown; allowed: {allowed}")


def _facts(table: TomlTable) -> frozenset[Fact]:
    return frozenset(Fact(one) for one in table.words("ends_on", list(map(str, Fact)), empty=True))


def _sources(table: TomlTable) -> tuple[tuple[str, str], ...]:
    said = table.table("source")
    keys = ("after", "every", "tell", "by", "ends_on", "heeds", "spares_residents")
    said.done(keys)
    return tuple((key, said.text(key, 300)) for key in keys if said.has(key))


def _deadlines(table: TomlTable) -> tuple[StatedDeadlines, ...]:
    table.done(SEVERITIES)
    return tuple(_deadlines_of(one, table.table(one)) for one in SEVERITIES if table.has(one))


def _deadlines_of(severity: str, table: TomlTable) -> StatedDeadlines:
    table.done((*AWAITED, "source"))
    limits = {one: table.span_s(one, LEAST_DEADLINE_S, MOST_DEADLINE_S) for one in AWAITED if table.has(one)}
    said = table.table("source")
    said.done(AWAITED)
    return StatedDeadlines(
        severity, limits, tuple((key, said.text(key, 300)) for key in AWAITED if said.has(key))
    )


def _check_each_once(stated: Sequence[StatedPolicy], file: TomlText) -> None:
    seen: set[tuple[str, str]] = set()
    for one in stated:
        if (one.severity, one.area) in seen:
            where = f" in area {one.area}" if one.area else ""
            raise file.wrong(
                f"{one.at}.severity", f"`{one.severity}` stands twice{where}; one policy of each is allowed"
            )
        seen.add((one.severity, one.area))
