from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from simulators.phones import Phones, open_phones

WEBHOOK = {
    "key": "7/1/a/0/3/push",
    "medium": "push",
    "text": "1-102 <smoke>",
    "link": "http://a.example/x",
    "urgent": True,
}
APPRISE = {"version": "1.0", "title": "更夫 Gengfu", "message": "烟雾\nhttp://a.example/y", "type": "failure"}


def with_phones(run: Callable[[aiohttp.ClientSession, Phones], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        phones = Phones(clock=lambda: 1_700_000_000_000_000, labels={"grid-1": "网格员"})
        async with open_phones("127.0.0.1", 0, phones), aiohttp.ClientSession(phones.url) as session:
            return await run(session, phones)

    return asyncio.run(main())


async def post(session: aiohttp.ClientSession, path: str, body: object, **headers: str) -> tuple[int, str]:
    async with session.post(path, json=body, headers=headers) as response:
        return response.status, await response.text()


async def everything(session: aiohttp.ClientSession) -> Any:
    async with session.get("/messages") as response:
        return await response.json()


def test_a_webhook_message_is_kept_with_its_count() -> None:
    async def run(session: aiohttp.ClientSession, _phones: Phones) -> Any:
        for _ in range(2):
            assert (await post(session, "/phone/grid-1", WEBHOOK))[0] == 200
        return await everything(session)

    phone = with_phones(run)["grid-1"]
    assert phone["counts"] == {WEBHOOK["key"]: 2}
    assert [message["repeat"] for message in phone["messages"]] == [1, 2]
    assert phone["messages"][0] == WEBHOOK | {"at_us": 1_700_000_000_000_000, "repeat": 1}


def test_an_apprise_message_is_kept_with_the_link_in_its_text() -> None:
    async def run(session: aiohttp.ClientSession, _phones: Phones) -> Any:
        await post(session, "/phone/grid-1", APPRISE)
        return await everything(session)

    [message] = with_phones(run)["grid-1"]["messages"]
    assert (message["medium"], message["link"], message["urgent"]) == ("apprise", "http://a.example/y", True)


def test_the_page_shows_who_received_what_and_the_link_to_tap() -> None:
    async def run(session: aiohttp.ClientSession, _phones: Phones) -> str:
        await post(session, "/phone/grid-1", WEBHOOK)
        async with session.get("/") as response:
            return await response.text()

    page = with_phones(run)
    assert "网格员" in page and 'href="http://a.example/x"' in page and "06:13:20" in page
    assert "1-102 &lt;smoke&gt;" in page
    assert "http-equiv" in page and "<script" not in page


def test_only_web_addresses_become_links() -> None:
    async def run(session: aiohttp.ClientSession, _phones: Phones) -> Any:
        await post(session, "/phone/grid-1", WEBHOOK | {"link": "javascript:alert(1)"})
        return await everything(session)

    assert with_phones(run)["grid-1"]["messages"][0]["link"] == ""


def test_a_provider_told_to_refuse_refuses_so_many_times_and_the_phone_gets_nothing() -> None:
    async def run(session: aiohttp.ClientSession, _phones: Phones) -> Any:
        await post(session, "/phone/p/behave", {"status": 500, "retry_after": "7", "times": 2})
        statuses = [(await post(session, "/phone/p", WEBHOOK))[0] for _ in range(3)]
        return statuses, (await everything(session))["p"]

    statuses, phone = with_phones(run)
    assert statuses == [500, 500, 200]
    assert (phone["refused"], len(phone["messages"])) == (2, 1)


def test_a_provider_told_so_answers_200_with_an_error_code() -> None:
    async def run(session: aiohttp.ClientSession, _phones: Phones) -> Any:
        await post(session, "/phone/p/behave", {"body": {"errcode": 310000}})
        answer = await post(session, "/phone/p", WEBHOOK)
        return answer, (await everything(session))["p"]["messages"]

    assert with_phones(run) == ((200, '{"errcode": 310000}'), [])


def test_a_slow_provider_delivers_even_when_nobody_waits_any_more() -> None:
    async def run(session: aiohttp.ClientSession, phones: Phones) -> int:
        await post(session, "/phone/p/behave", {"delay_s": 0.2})
        with pytest.raises(TimeoutError):
            async with session.post("/phone/p", json=WEBHOOK, timeout=aiohttp.ClientTimeout(total=0.05)):
                pass
        await post(session, "/phone/p", WEBHOOK)
        return len(phones.phones["p"].messages)

    assert with_phones(run) == 2


@pytest.mark.parametrize("behaviour", [{"status": 99}, {"delay_s": -1}, {"nonsense": 1}, {"status": "x"}])
def test_nonsense_behaviour_is_refused(behaviour: dict[str, object]) -> None:
    async def run(session: aiohttp.ClientSession, _phones: Phones) -> Any:
        return (await post(session, "/phone/p/behave", behaviour))[0]

    assert with_phones(run) == 400


def test_a_message_that_is_no_json_object_is_refused() -> None:
    async def run(session: aiohttp.ClientSession, _phones: Phones) -> list[int]:
        async with session.post("/phone/p", data=b"\xff{") as response:
            broken = response.status
        return [broken, (await post(session, "/phone/p", [1]))[0]]

    assert with_phones(run) == [400, 400]


def test_messages_can_be_forgotten() -> None:
    async def run(session: aiohttp.ClientSession, _phones: Phones) -> Any:
        await post(session, "/phone/p", WEBHOOK)
        async with session.delete("/messages") as response:
            assert response.status == 204
        return await everything(session)

    assert with_phones(run) == {"p": {"messages": [], "counts": {}, "refused": 0}}
