"""The list behind a summary's link: one tap answers for every incident that it told of, or for one of them.
None answers for what is a fire by now or grew after the summary: its own page does.

Like every link it is for one contact, and looking changes nothing. What else can be done to an incident is
on its own page, to which the list leads by the contact's own link.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from alerts.acts import record_act
from alerts.case import Act
from alerts.links import link_token, read_summary
from alerts.summary_view import (
    SummaryPage,
    Told,
    answered_by,
    contact_of_summary,
    summary_page,
    told_in_summary,
)
from console.answers.outcome import wait_for_outcome
from console.answers.pages import Listed, Said
from console.answers.settings import AnswersSettings
from console.answers.words import LANGUAGES
from devices.database import reading, writing
from devices.schema import contact


@dataclass(frozen=True, slots=True)
class Tap:
    """What was posted: for one incident, or with number 0 for all of them."""

    act: str
    number: int


class Summaries:
    """Reads the links of summaries and hands in acts."""

    def __init__(self, settings: AnswersSettings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine

    def open(self, token: str, wanted_language: str) -> Listed | None:
        """What a genuine link that is not over shows now; None for every other."""
        number = read_summary(self._settings.link_key, token)
        if number is None:
            return None
        with reading(self._engine) as connection:
            contact_id = contact_of_summary(connection, number)
            if contact_id is None:
                return None
            own = connection.scalar(select(contact.c.language).where(contact.c.id == contact_id))
            known = wanted_language if wanted_language in LANGUAGES else str(own or "")
            language = known if known in LANGUAGES else self._settings.language
            page = summary_page(connection, number, contact_id, language, self._settings.clock())
        return Listed(page, language, self._tokens(page)) if page else None

    def hand_in(self, listed: Listed, tap: Tap, key: str) -> Said:
        """Hands the act in for each that is meant and waits a moment for the last outcome. A form sent twice
        is one act each. `key` names page and button."""
        if tap.act != Act.ACKNOWLEDGE:
            return Said("unknown")
        with writing(self._engine) as connection:
            meant = self._meant(connection, listed.page, tap.number)
            acts = [
                record_act(
                    connection, f"{key}/{one.incident_id}", one.incident_id,
                    f"contact:{listed.page.contact_id}", one.role, Act.ACKNOWLEDGE, "", "link",
                    self._settings.clock(),
                )
                for one in meant
            ]  # fmt: skip
        if not acts:
            return Said("unknown")
        outcome = wait_for_outcome(self._engine, acts[-1], listed.language, self._settings.wait_s)
        return Said(outcome.outcome, tap.act, outcome.reason) if outcome else Said("waiting", tap.act)

    def _meant(self, connection: Connection, page: SummaryPage, number: int) -> list[Told]:
        """Read again behind the write lock, for which a turn that opens a fire may have been waited."""
        now_us = self._settings.clock()
        told = told_in_summary(connection, page.notification_id, page.contact_id, now_us)
        return [one for one in answered_by(told) if number in {0, one.incident_id}]

    def _tokens(self, page: SummaryPage) -> dict[int, str]:
        """The contact's own link of each incident that is shown."""
        key = self._settings.link_key
        return {one.incident_id: link_token(key, one.incident_id, one.contact_id) for one in page.pages}
