"""Somebody who answers: opens the link of a message and presses one of the page's buttons.

Errors:
* TapFailed: the page or the answer was refused, or the page has no such button; the text says which.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Final, Self
from urllib.parse import urljoin

import aiohttp

_TIMEOUT_S: Final = 10.0


class TapFailed(Exception):
    """The answer did not get through."""


@dataclass(slots=True)
class _Form:
    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    acts: set[str] = field(default_factory=set)


class _Forms(HTMLParser):
    """The forms of a page: where each posts, its hidden fields, and the acts it offers."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes forms, inputs and buttons."""
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(_Form(named.get("action", "")))
            self._inside = True
        elif self._inside and tag in ("input", "button"):
            self._note(named)

    def handle_endtag(self, tag: str) -> None:
        """Leaves the form."""
        if tag == "form":
            self._inside = False

    def _note(self, named: dict[str, str]) -> None:
        form, name, value = self.forms[-1], named.get("name", ""), named.get("value", "")
        if name == "act":
            form.acts.add(value)
        elif name and named.get("type") == "hidden":
            form.hidden[name] = value


class Tapper:
    """A browser as small as this needs: opens links, keeps cookies, runs no scripts."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S), cookie_jar=aiohttp.CookieJar(unsafe=True)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def look(self, link: str) -> str:
        """Opens the page and presses nothing, as a previewer does; returns the page."""
        return (await self._open(link))[1]

    async def tap(self, link: str, act: str, note: str = "") -> str:
        """Opens `link` and presses the button that posts `act`; returns the page that follows."""
        at, page = await self._open(link)
        parser = _Forms()
        parser.feed(page)
        form = next((form for form in parser.forms if act in form.acts), None)
        if form is None:
            raise TapFailed(f"the page offers no {act!r}")
        fields = {**form.hidden, "act": act, **({"note": note} if note else {})}
        try:
            async with self._session.post(urljoin(at, form.action), data=fields) as response:
                return await _page_of(response, "the answer")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TapFailed(f"the answer did not arrive: {type(error).__name__}") from None

    async def _open(self, link: str) -> tuple[str, str]:
        try:
            async with self._session.get(link) as response:
                return str(response.url), await _page_of(response, "the page")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TapFailed(f"the page did not open: {type(error).__name__}") from None


async def _page_of(response: aiohttp.ClientResponse, what: str) -> str:
    text = await response.text()
    if response.status >= 400:
        raise TapFailed(f"{what} was refused: HTTP {response.status}")
    return text
