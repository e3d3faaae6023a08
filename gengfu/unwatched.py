"""Alarms that stand though their rule is off where they are: nothing but a person ends those.

A rule can be switched off by an override, or by what the registry says of the circuit from now on. Its
alarm stays up (docs/decisions/2026-11-22-rule-off.md), and people must be told that it will not end by
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection

from gengfu.rule_explain import series_of, table_of
from gengfu.rulebook import Rulebook, Settled, read_rulebook, settle
from ingest.registered import read_device
from ingest.rule_notes import stored_rules
from rules.engine import Engine
from rules.explained import Explained
from rules.rule import HeldRule
from rules.transition import Why
from rules.why_off import IN_CHINESE, OVERRIDDEN


class Stands(Protocol):
    """An alarm as a page has it. `subject` is `UID/CHANNEL`, or `UID/CHANNEL/METRIC`."""

    @property
    def rule(self) -> str:
        """The rule's name."""

    @property
    def uid(self) -> str:
        """The device."""

    @property
    def subject(self) -> str:
        """What it is about."""


class Unwatched:
    """Says of alarms that stand which ones are of a rule that is off there, by what the running service uses.

    Called by several threads; what it keeps is one rule book, made ready.
    """

    def __init__(self, clock_us: Callable[[], int]) -> None:
        self._clock_us = clock_us
        self._kept: tuple[str, Settled] | None = None

    def __call__(self, connection: Connection, alarms: Sequence[Stands]) -> Mapping[tuple[str, str], Why]:
        """Why the rule is off, by rule and subject; those that are watched are left out.

        Raises OperationalError, CatalogueError, and ValueError for a book of another release.
        """
        if not alarms:
            return {}
        settled = self._settled(connection)
        held = {rule.name for rule in settled.catalogue.rule if isinstance(rule, HeldRule)}
        found = {}
        some = [alarm for alarm in alarms if alarm.rule in held]
        for uid in sorted({alarm.uid for alarm in some}):
            rules = _rules_of(connection, uid, settled, self._clock_us())
            for alarm in some:
                said = rules.get((alarm.rule, alarm.subject)) if alarm.uid == uid else None
                if said is not None and said.why_off:
                    found[alarm.rule, alarm.subject] = _why(said)
        return found

    def _settled(self, connection: Connection) -> Settled:
        text = stored_rules(connection)
        if self._kept is None or self._kept[0] != text:
            self._kept = text, settle(read_rulebook(text) if text else Rulebook())
        return self._kept[1]


def _rules_of(
    connection: Connection, uid: str, settled: Settled, now_us: int
) -> dict[tuple[str, str], Explained]:
    """What each rule is on the series of a device, by rule and subject."""
    known = read_device(connection, uid)
    found = series_of(connection, uid) if known is not None else []
    if known is None or not found:
        return {}
    table = table_of(known, found, heard=True)
    engine = Engine(settled.catalogue, table, settled.calendar)
    engine.override(settled.overrides, now_us)
    told = {}
    for slot, (channel, _) in enumerate(found, start=1):
        for said in engine.explain(slot):
            told[said.rule.name, subject_of(said, uid, channel, table.metric[slot])] = said
    return told


def subject_of(said: Explained, uid: str, channel: str, metric: int) -> str:
    """What alarms of this rule on this series are about (`TransitionRow.subject`)."""
    names = {int(one): one.name_on_wire for one in said.rule.metrics}
    return f"{uid}/{channel}/{names[int(metric)]}" if len(names) > 1 else f"{uid}/{channel}"


def _why(said: Explained) -> Why:
    if said.why_off != OVERRIDDEN:
        return Why(said.why_off, IN_CHINESE[said.why_off])
    by = [one for one in said.by if one.off]
    en = ", ".join(f"override {one.id} ({one.author}: {one.reason})" for one in by)
    zh_cn = "、".join(f"调整 {one.id}（{one.author}：{one.reason}）" for one in by)
    return Why(f"switched off by {en}", f"由{zh_cn}停用")
