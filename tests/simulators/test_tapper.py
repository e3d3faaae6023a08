from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from aiohttp import web

from simulators.tapper import TapFailed, Tapper

T = TypeVar("T")

PAGE = """<form action="/search"><input name="q"></form>
<form method="post" action="/a/answer"><input type="hidden" name="once" value="k1">
<button name="act" value="acknowledge">收到</button><button name="act" value="confirm">真火</button></form>"""


class Answers:
    """A one-tap page that remembers what was posted to it."""

    def __init__(self) -> None:
        self.posted: list[dict[str, str]] = []
        self.url = ""

    async def show(self, _request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def take(self, request: web.Request) -> web.Response:
        self.posted.append({name: str(value) for name, value in (await request.post()).items()})
        return web.Response(text="谢谢")


@asynccontextmanager
async def answers() -> AsyncIterator[Answers]:
    served = Answers()
    application = web.Application()
    application.add_routes([web.get("/a/link", served.show), web.post("/a/answer", served.take)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}/a/link"
    try:
        yield served
    finally:
        await runner.cleanup()


def with_page(run: Callable[[Tapper, Answers], Awaitable[T]]) -> T:
    async def main() -> T:
        async with answers() as served, Tapper() as tapper:
            return await run(tapper, served)

    return asyncio.run(main())


def test_a_tap_posts_the_button_and_the_hidden_fields_of_its_form() -> None:
    async def run(tapper: Tapper, served: Answers) -> tuple[str, list[dict[str, str]]]:
        return await tapper.tap(served.url, "confirm", note="明火"), served.posted

    assert with_page(run) == ("谢谢", [{"once": "k1", "act": "confirm", "note": "明火"}])


def test_looking_at_a_link_posts_nothing() -> None:
    async def run(tapper: Tapper, served: Answers) -> tuple[str, list[dict[str, str]]]:
        return await tapper.look(served.url), served.posted

    assert with_page(run) == (PAGE, [])


def test_an_act_the_page_does_not_offer_is_an_error() -> None:
    async def run(tapper: Tapper, served: Answers) -> None:
        with pytest.raises(TapFailed, match="offers no 'close'"):
            await tapper.tap(served.url, "close")

    with_page(run)


def test_a_refused_page_is_an_error() -> None:
    async def run(tapper: Tapper, served: Answers) -> None:
        with pytest.raises(TapFailed, match="HTTP 404"):
            await tapper.look(served.url + "/gone")

    with_page(run)
