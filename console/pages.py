"""From values to HTML: one Jinja environment, the reader's words, times in the site's time zone."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from console.access import Right, has
from console.comfort import CHOICES, comfort_of
from console.key_words import ACT_KEYS, KEYS
from console.session import SignedIn, language_of
from console.settings import ConsoleSettings
from console.words import LANGUAGES, say

HERE: Final = Path(__file__).resolve().parent


def instant(at_us: int) -> datetime:
    """Microseconds since 1970 as an aware UTC datetime."""
    return datetime.fromtimestamp(at_us / 1_000_000, UTC)


def clock_text(at_us: int, now_us: int, zone: ZoneInfo) -> str:
    """`02:14:07`, with the date in front when it is not today there."""
    at, now = instant(at_us).astimezone(zone), instant(now_us).astimezone(zone)
    return at.strftime("%H:%M:%S" if at.date() == now.date() else "%Y-%m-%d %H:%M:%S")


def span_text(seconds: float) -> str:
    """`0:42`, `12:07`, `3:05:00`, `2 d 3 h`: short enough for a column; console.js does the same."""
    whole = max(0, int(seconds))
    days, hours, minutes = whole // 86_400, whole // 3_600, whole // 60
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours}:{minutes % 60:02}:{whole % 60:02}"
    return f"{minutes}:{whole % 60:02}"


class Pages:
    """Renders templates of `console/templates`. A word or value a template lacks is an error, not a blank."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._settings = settings
        self._zone = ZoneInfo(settings.timezone)
        self._jinja = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def now_us(self) -> int:
        """The console's clock."""
        return self._settings.clock()

    def render(
        self, request: Request, template: str, user: SignedIn | None, status: int = 200, **values: object
    ) -> HTMLResponse:
        """The page `template` for this reader. `once` in templates gives a fresh token for a form."""
        language = language_of(request)
        html = self.text(
            template,
            language,
            values,
            user=user,
            may=lambda right: user is not None and has(user, Right(right)),
            path=request.url.path,
            comfort=comfort_of(request),
            comforts=CHOICES,
            key_lists=KEYS,
            act_keys=ACT_KEYS,
        )
        return HTMLResponse(html, status, headers={"Content-Language": language})

    def text(self, template: str, language: str, values: Mapping[str, object], **more: object) -> str:
        """The same as text, for no reader in particular: what needs one is given in `more`."""
        now_us = self.now_us()
        return self._jinja.get_template(template).render(
            values,
            t=partial(say, language),
            clock=lambda at_us: clock_text(at_us, now_us, self._zone),
            iso=lambda at_us: instant(at_us).isoformat(timespec="seconds"),
            span=lambda at_us: span_text(abs(now_us - at_us) / 1e6),
            person=lambda by: by.partition(":")[2] or by,
            once=lambda: secrets.token_hex(16),
            now_us=now_us,
            language=language,
            languages=LANGUAGES,
            timezone=self._settings.timezone,
            site=self._settings.site_name,
            **more,
        )

    def day(self) -> int:
        """Which day it is at the site: what is drawn on one says the time of another with its date."""
        return instant(self.now_us()).astimezone(self._zone).toordinal()
