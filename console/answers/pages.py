"""From values to the HTML of the one-tap page. No script; every word and number is in the page itself."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from alerts.case import Act
from alerts.links import Link
from alerts.sayings import word
from alerts.summary_view import SummaryPage
from alerts.views import AnswerPage
from console.answers.settings import AnswersSettings
from console.answers.words import LANGUAGES, say

TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
BUTTONS: Final = (
    Act.ACKNOWLEDGE, Act.ARRIVED, Act.FALSE_ALARM, Act.CONFIRM, Act.NEED_HELP, Act.HANDLED, Act.FEEDBACK,
    Act.VERIFY,
)  # fmt: skip
"""The order of the buttons, and all that one tap can do: ending an incident is the desk's."""
FOLLOWING: Final[Mapping[str, Act]] = {
    Act.ACKNOWLEDGE: Act.ARRIVED,
    Act.ARRIVED: Act.HANDLED,
    Act.HANDLED: Act.FEEDBACK,
    Act.FALSE_ALARM: Act.FEEDBACK,
}
"""What somebody who answered so will most likely say next: it is the button that stands out."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A genuine link that is not over: the page behind it and the language to show it in.

    `answered` is the contact's own latest act that counted since this incident (re)started, or empty.
    """

    link: Link
    page: AnswerPage
    language: str
    answered: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A genuine link of a summary: what it told of, the language to show it in, and the contact's own token
    for each incident that is shown."""

    page: SummaryPage
    language: str
    tokens: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Said:
    """What became of the reader's tap: done, noted, refused, waiting, needs_note or unknown."""

    kind: str
    act: str = ""
    reason: str = ""


def _standing_out(following: Sequence[Act], acts: Sequence[Act], answered: str) -> str:
    """The button that stands out; none rather than one that would nudge the reader into a false alarm."""
    if following:
        return following[0]
    return Act.ACKNOWLEDGE if Act.ACKNOWLEDGE in acts and not answered else ""


class Pages:
    """Renders `console/answers/templates`. A word or value a template lacks is an error, not a blank."""

    def __init__(self, settings: AnswersSettings) -> None:
        self._settings = settings
        self._zone = ZoneInfo(settings.timezone)
        self._jinja = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def answer(self, opened: Opened, token: str, said: Said | None) -> HTMLResponse:
        """The page behind a link, with what became of the tap that asked for it."""
        page, language, now_us = opened.page, opened.language, self._settings.clock()
        acts = [act for act in BUTTONS if act in page.acts]
        following = [act for act in acts if act == FOLLOWING.get(opened.answered)]
        return self._render(
            "answer.html",
            language=language,
            t=partial(say, language),
            word=lambda key: word(key, language),
            page=page,
            token=token,
            said=said,
            acts=acts,
            first=_standing_out(following, acts, opened.answered),
            answered=opened.answered,
            once=secrets.token_hex(16),
            since=self._clock(page.since_us, now_us),
            newest=self._clock(page.newest_us, now_us) if page.newest_us is not None else "",
            minutes=max(0, (now_us - page.since_us) // 60_000_000),
        )

    def listed(self, listed: Listed, token: str, said: Said | None) -> HTMLResponse:
        """The list behind a summary's link, with what became of the tap that asked for it."""
        now_us = self._settings.clock()
        return self._render(
            "summary.html",
            language=listed.language,
            t=partial(say, listed.language),
            page=listed.page,
            tokens=listed.tokens,
            token=token,
            said=said,
            once=secrets.token_hex(16),
            clock=lambda at_us: self._clock(at_us, now_us),
        )

    def missing(self) -> HTMLResponse:
        """The one answer to every link that is not good, whatever is wrong with it."""
        return self._render("missing.html", 404, language=self._settings.language, say=say)

    def failed(self) -> HTMLResponse:
        """Something broke on our side."""
        return self._render("failed.html", 500, language=self._settings.language, say=say)

    def _render(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        html = self._jinja.get_template(template).render(
            values, site=self._settings.site_name, languages=LANGUAGES
        )
        return HTMLResponse(html, status)

    def _clock(self, at_us: int, now_us: int) -> str:
        at, now = (datetime.fromtimestamp(us / 1e6, UTC).astimezone(self._zone) for us in (at_us, now_us))
        return at.strftime("%H:%M" if at.date() == now.date() else "%Y-%m-%d %H:%M")
