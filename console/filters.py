"""What of the board a reader wants to see: values from the address, a condition for the query over incidents.

A filter takes away from the view and from nothing else: sound and title count what is in scope, and the board
says how much is hidden. What nobody at the desk has taken (P0, P0+, and a severity that this release does not
know) and what asks for help passes every filter. The address holds the whole filter, so that it can be
bookmarked, and a word in it that nobody knows filters nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy import Column, ColumnElement, exists, false, true
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from alerts.case import Hazard, State
from alerts.effects import HELP_TAG
from alerts.schema import act, incident
from alerts.views import seen_at_the_desk
from alerts.whole_view import TAKING
from devices.model import Severity
from devices.scope import Scope

HAZARDS: Final = tuple(str(one) for one in Hazard)
STATES: Final = tuple(str(one) for one in State if one.is_open)
LEAST: Final = tuple(str(one) for one in sorted(Severity, key=lambda one: one.rank))
CHOICES: Final = {"hazard": HAZARDS, "state": STATES, "least": LEAST}
"""What can be chosen, in the order in which it is offered."""
_LESSER: Final = tuple(str(one) for one in Severity if one.rank > Severity.P0.rank)

Columns = ReadOnlyColumnCollection[str, Column[Any]]


@dataclass(frozen=True, slots=True)
class Filter:
    """What the reader chose; empty values choose nothing. `area` is the id of an area, which stands for all
    below it; `least` is a severity: as bad as that or worse; `mine`: what the reader has in hand."""

    area: int = 0
    hazard: str = ""
    state: str = ""
    least: str = ""
    mine: bool = False

    @property
    def is_on(self) -> bool:
        """Whether anything at all is chosen."""
        return self != EVERYTHING

    @property
    def query(self) -> str:
        """As the part of an address behind `?`; empty when nothing is chosen."""
        chosen = {"area": self.area, "hazard": self.hazard, "state": self.state, "least": self.least}
        named = {name: value for name, value in chosen.items() if value}
        return urlencode(named | ({"mine": 1} if self.mine else {}))

    def passes(self, actor: str) -> ColumnElement[bool] | None:
        """Of a row of `incident`: whether the board of `actor` shows it; None where nothing is chosen.

        A whole is shown when it or any open part of it is.
        """
        if not self.is_on:
            return None
        part = incident.alias("chosen").c
        of_whole = exists().where(
            part.merged_into == incident.c.id, part.closed_us.is_(None), self._shows(part, actor)
        )
        return self._shows(incident.c, actor) | of_whole

    def _shows(self, i: Columns, actor: str) -> ColumnElement[bool]:
        return never_hidden(i) | self._is_chosen(i, actor)

    def _is_chosen(self, i: Columns, actor: str) -> ColumnElement[bool]:
        chosen: ColumnElement[bool] = true()
        if self.area:
            chosen &= Scope(areas=frozenset({self.area})).holds(i.building_id)
        if self.hazard:
            chosen &= i.hazard == self.hazard
        if self.state:
            chosen &= i.state == self.state
        if self.least:
            chosen &= i.severity.not_in(_below(self.least))
        return chosen & _in_hand_of(actor, i) if self.mine else chosen


EVERYTHING: Final = Filter()


def never_hidden(i: Columns) -> ColumnElement[bool]:
    """Of a row of `incident`: no filter takes it off the board. At least what the siren sounds for."""
    untaken = i.severity.not_in(_LESSER) & ~seen_at_the_desk(i)
    return untaken | i.tags.contains(HELP_TAG)


def filter_of(query: Mapping[str, str]) -> Filter:
    """The filter that an address asks for. Nothing in it is refused: what is not known is left out."""
    area = query.get("area", "")
    number = int(area) if area.isascii() and area.isdecimal() and len(area) < 10 else 0
    return Filter(
        area=number,
        hazard=_one_of(HAZARDS, query.get("hazard")),
        state=_one_of(STATES, query.get("state")),
        least=_one_of(LEAST, query.get("least")),
        mine=query.get("mine") == "1",
    )


def _one_of(known: tuple[str, ...], wanted: str | None) -> str:
    return wanted if wanted in known else ""


def _below(least: str) -> tuple[str, ...]:
    """Severities less bad than this; one that nobody knows is never among them."""
    rank = Severity(least).rank
    return tuple(str(one) for one in Severity if one.rank > rank)


def _in_hand_of(actor: str, i: Columns) -> ColumnElement[bool]:
    """Of a row of `incident`: this actor has taken it, or the whole that it is a part of, in hand, since it
    (re)started or in a way that stands from before."""
    if not actor:
        return false()
    stands = (act.c.at_us > i.started_us) | i.arrived_us.is_not(None) | i.confirmed_us.is_not(None)
    taking = [str(one) for one in TAKING]
    return exists().where(
        act.c.incident_id.in_((i.id, i.merged_into)),
        act.c.actor == actor,
        act.c.outcome == "done",
        act.c.act.in_(taking),
        stands,
    )
