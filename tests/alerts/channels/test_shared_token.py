from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from alerts.channels.channel import Failed
from alerts.channels.shared_token import SharedToken, Token


class Vendor:
    """Gives `t1`, `t2`, … when let; counts how often it was asked."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.asked = 0
        self.lives_s = 7200.0
        self.failing: Failed | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.token = SharedToken(self.fetch, lambda: self.now_s)

    async def fetch(self) -> Token | Failed:
        self.asked += 1
        number = self.asked
        await self.may_answer.wait()
        return self.failing or Token(f"t{number}", self.lives_s)


def story(tell: Callable[[Vendor], Awaitable[None]]) -> None:
    async def run() -> None:
        vendor = Vendor()
        await tell(vendor)
        await vendor.token.close()

    asyncio.run(run())


def waiting(vendor: Vendor, count: int) -> list[asyncio.Task[str | Failed]]:
    get: Callable[[], Coroutine[Any, Any, str | Failed]] = vendor.token.get
    return [asyncio.create_task(get()) for _ in range(count)]


def test_a_token_is_fetched_once_and_kept() -> None:
    async def tell(vendor: Vendor) -> None:
        assert [await vendor.token.get() for _ in range(3)] == ["t1"] * 3
        vendor.now_s = 6899.0
        assert await vendor.token.get() == "t1"
        assert vendor.asked == 1

    story(tell)


async def let_run() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_token_is_renewed_five_minutes_before_its_end_and_nobody_waits() -> None:
    async def tell(vendor: Vendor) -> None:
        await vendor.token.get()
        vendor.now_s = 6900.0
        vendor.may_answer.clear()
        assert [await vendor.token.get() for _ in range(3)] == ["t1"] * 3
        vendor.may_answer.set()
        await let_run()
        assert await vendor.token.get() == "t2"
        assert vendor.asked == 2

    story(tell)


def test_a_token_of_short_life_is_renewed_after_half_of_it() -> None:
    async def tell(vendor: Vendor) -> None:
        vendor.lives_s = 100.0
        await vendor.token.get()
        vendor.now_s = 49.0
        await vendor.token.get()
        await let_run()
        assert vendor.asked == 1
        vendor.now_s = 50.0
        await vendor.token.get()
        await let_run()
        assert await vendor.token.get() == "t2"

    story(tell)


def test_a_vendor_that_does_not_renew_costs_nothing_until_the_token_ends() -> None:
    async def tell(vendor: Vendor) -> None:
        await vendor.token.get()
        vendor.failing = Failed("no answer in time")
        for now_s in (6900.0, 6900.5, 6902.0, 7199.0):
            vendor.now_s = now_s
            assert await vendor.token.get() == "t1"
            await let_run()
        assert vendor.asked == 4
        vendor.now_s = 7200.0
        assert await vendor.token.get() == vendor.failing

    story(tell)


def test_a_refused_token_is_not_handed_out_while_it_is_renewed() -> None:
    async def tell(vendor: Vendor) -> None:
        await vendor.token.get()
        vendor.now_s = 6900.0
        assert await vendor.token.get(instead_of="t1") == "t2"

    story(tell)


def test_all_who_wait_share_one_fetch() -> None:
    async def tell(vendor: Vendor) -> None:
        vendor.may_answer.clear()
        tasks = waiting(vendor, 50)
        await asyncio.sleep(0)
        vendor.may_answer.set()
        assert set(await asyncio.gather(*tasks)) == {"t1"}
        assert vendor.asked == 1

    story(tell)


def test_one_who_gives_up_does_not_take_the_token_from_the_others() -> None:
    async def tell(vendor: Vendor) -> None:
        vendor.may_answer.clear()
        first, second = waiting(vendor, 2)
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        vendor.may_answer.set()
        assert await second == "t1"
        assert first.cancelled()
        assert vendor.asked == 1

    story(tell)


def test_a_token_that_was_refused_is_replaced_once_for_all() -> None:
    async def tell(vendor: Vendor) -> None:
        await vendor.token.get()
        vendor.now_s = 10.0
        assert [await vendor.token.get(instead_of="t1") for _ in range(3)] == ["t2"] * 3
        assert vendor.asked == 2

    story(tell)


def test_a_failure_is_shared_and_the_vendor_left_alone_for_a_second() -> None:
    async def tell(vendor: Vendor) -> None:
        vendor.failing = Failed("no answer in time")
        assert await asyncio.gather(*waiting(vendor, 20)) == [vendor.failing] * 20
        assert await vendor.token.get() == vendor.failing
        assert vendor.asked == 1
        vendor.failing = None
        vendor.now_s = 1.0
        assert await vendor.token.get() == "t2"
        assert await vendor.token.get(instead_of="t2") == "t2"

    story(tell)


def test_a_refused_token_is_not_handed_out_after_its_renewal_failed() -> None:
    async def tell(vendor: Vendor) -> None:
        await vendor.token.get()
        vendor.now_s = 10.0
        vendor.failing = Failed("no answer in time")
        assert [await vendor.token.get(instead_of="t1") for _ in range(2)] == [vendor.failing] * 2
        assert vendor.asked == 2

    story(tell)


def test_a_vendor_that_refuses_its_newest_token_is_left_alone_for_a_second() -> None:
    async def tell(vendor: Vendor) -> None:
        await vendor.token.get()
        vendor.now_s = 0.9
        assert await vendor.token.get(instead_of="t1") == "t1"
        vendor.now_s = 1.0
        assert await vendor.token.get(instead_of="t1") == "t2"

    story(tell)


def test_closing_gives_up_a_fetch_under_way() -> None:
    async def run() -> None:
        vendor = Vendor()
        vendor.may_answer.clear()
        (task,) = waiting(vendor, 1)
        await asyncio.sleep(0)
        await vendor.token.close()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    asyncio.run(run())
