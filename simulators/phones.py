"""Simulated phones: a small web service that takes what Gengfu sends and shows who received what.

Every `POST /phone/ID` is a message to the phone ID, as a webhook (`key`, `medium`, `text`, `link`) or as
Apprise's `json://` (`title`, `message`, `type`). `POST /phone/ID/behave` makes the provider of that phone
misbehave. `GET /messages` tells tests everything, `DELETE /messages` forgets it. Loopback only, in memory
only.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import jinja2
from aiohttp import web

_MESSAGES_KEPT: Final = 1_000
_KEYS_KEPT: Final = 100_000
_PHONES_KEPT: Final = 10_000
_LONGEST_DELAY_S: Final = 60.0
"""Bounds of memory and of patience (chosen: beyond any test or demo)."""
_LINK: Final = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Received:
    """One message on one phone. `repeat` counts from 1 how often its key has come; 2 is a duplicate."""

    at_us: int
    key: str
    medium: str
    text: str
    link: str
    urgent: bool
    repeat: int


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a phone's provider answers: after `delay_s`, with `status`, `body` and `retry_after`.

    Anything but status 200 with the ordinary body is a refusal: the phone receives nothing. With
    `times` > 0 the provider behaves again after so many requests.
    """

    status: int = 200
    delay_s: float = 0.0
    body: object = None
    retry_after: str = ""
    times: int = 0

    @property
    def refuses(self) -> bool:
        """True where the message does not reach the phone."""
        return self.status != 200 or self.body is not None


@dataclass(slots=True)
class Phone:
    """One phone: its newest messages, how often each key came, and how its provider behaves."""

    messages: deque[Received] = field(default_factory=lambda: deque(maxlen=_MESSAGES_KEPT))
    counts: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    behaviour: Behaviour = Behaviour()

    def receive(self, at_us: int, fields: dict[str, Any]) -> None:
        """Keeps the message in `fields`, of either format."""
        text = str(fields.get("text", fields.get("message", "")))
        key = str(fields.get("key", "")) or f"{fields.get('title', '')}/{text}"
        if len(self.counts) < _KEYS_KEPT or key in self.counts:
            self.counts[key] += 1
        self.messages.append(
            Received(
                at_us=at_us,
                key=key,
                medium=str(fields.get("medium", "apprise")),
                text=text,
                link=_link(str(fields.get("link", "")) or text),
                urgent=bool(fields.get("urgent", fields.get("type") == "failure")),
                repeat=self.counts[key],
            )
        )

    def next_behaviour(self) -> Behaviour:
        """How the provider answers this time; uses up one of a bounded number of `times`."""
        now = self.behaviour
        if now.times == 1:
            self.behaviour = Behaviour()
        elif now.times > 1:
            self.behaviour = Behaviour(now.status, now.delay_s, now.body, now.retry_after, now.times - 1)
        return now


def _link(text: str) -> str:
    """The last web address in `text`; nothing else may become a link on our page."""
    found = _LINK.findall(text)
    return found[-1] if found else ""


class Phones:
    """All phones, made when first written to. `url` is where the service listens."""

    def __init__(
        self,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
        labels: dict[str, str] | None = None,
        timezone: str = "Asia/Shanghai",
    ) -> None:
        self.url = ""
        self.phones: dict[str, Phone] = {}
        self._clock = clock
        self._labels = labels or {}
        self._zone = ZoneInfo(timezone)
        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True
        )
        self._page = templates.get_template("phones.html")

    def address(self, phone: str) -> str:
        """The webhook URL of a phone."""
        return f"{self.url}/phone/{phone}"

    def application(self) -> web.Application:
        """The web application over these phones."""
        application = web.Application(client_max_size=1 << 20)
        application.add_routes(
            [
                web.get("/", self._show),
                web.get("/messages", self._list),
                web.delete("/messages", self._forget),
                web.post("/phone/{phone}", self._take),
                web.post("/phone/{phone}/behave", self._behave),
            ]
        )
        return application

    def _phone(self, request: web.Request) -> Phone:
        name = request.match_info["phone"]
        if name not in self.phones and len(self.phones) >= _PHONES_KEPT:
            raise web.HTTPInsufficientStorage(text="too many phones")
        return self.phones.setdefault(name, Phone())

    async def _take(self, request: web.Request) -> web.Response:
        fields = await _json_object(request)
        phone = self._phone(request)
        fields.setdefault("key", request.headers.get("Idempotency-Key", ""))
        behaviour = phone.next_behaviour()
        if behaviour.delay_s:
            await asyncio.sleep(behaviour.delay_s)
        if behaviour.refuses:
            phone.refused += 1
        else:
            phone.receive(self._clock(), fields)
        headers = {"Retry-After": behaviour.retry_after} if behaviour.retry_after else None
        body = {"ok": True} if behaviour.body is None else behaviour.body
        return web.json_response(body, status=behaviour.status, headers=headers)

    async def _behave(self, request: web.Request) -> web.Response:
        fields = await _json_object(request)
        try:
            self._phone(request).behaviour = _behaviour(fields)
        except (TypeError, ValueError) as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return web.Response(status=204)

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                name: {
                    "messages": [asdict(message) for message in phone.messages],
                    "counts": dict(phone.counts),
                    "refused": phone.refused,
                }
                for name, phone in self.phones.items()
            }
        )

    async def _forget(self, _request: web.Request) -> web.Response:
        for phone in self.phones.values():
            phone.messages.clear()
            phone.counts.clear()
            phone.refused = 0
        return web.Response(status=204)

    async def _show(self, _request: web.Request) -> web.Response:
        rows = [
            (
                self._labels.get(name, name),
                phone,
                [(self._time(m.at_us), m) for m in reversed(phone.messages)],
            )
            for name, phone in sorted(self.phones.items())
        ]
        return web.Response(text=self._page.render(rows=rows), content_type="text/html")

    def _time(self, at_us: int) -> str:
        return datetime.fromtimestamp(at_us / 1e6, UTC).astimezone(self._zone).strftime("%H:%M:%S")


def _behaviour(fields: dict[str, Any]) -> Behaviour:
    behaviour = Behaviour(**fields)
    if not 200 <= int(behaviour.status) <= 599:
        raise ValueError("status: 200 to 599")
    if not 0.0 <= float(behaviour.delay_s) <= _LONGEST_DELAY_S:
        raise ValueError(f"delay_s: 0 to {_LONGEST_DELAY_S}")
    return behaviour


async def _json_object(request: web.Request) -> dict[str, Any]:
    try:
        fields = json.loads(await request.read() or b"{}")
    except ValueError:
        raise web.HTTPBadRequest(text="the body is not JSON") from None
    if not isinstance(fields, dict):
        raise web.HTTPBadRequest(text="the body is not a JSON object")
    return fields


@asynccontextmanager
async def open_phones(host: str, port: int, phones: Phones | None = None) -> AsyncIterator[Phones]:
    """Phones being served while the context is open; port 0 takes a free one (see `Phones.url`)."""
    phones = phones or Phones()
    runner = web.AppRunner(phones.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        phones.url = f"http://{host}:{runner.addresses[0][1]}"
        yield phones
    finally:
        await runner.cleanup()


async def serve_phones(host: str, port: int) -> None:
    """Serves phones until cancelled."""
    async with open_phones(host, port):
        await asyncio.Event().wait()
