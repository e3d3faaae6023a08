"""Notices of the browser for fires that nobody has taken, shown by a real one."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from gengfu.ports import free_port
from tests.console.block import Block
from tests.console.chromium import chromium, complaints, listen, sign_in, until
from tests.console.served import console_on
from tests.databases import SQLITE

SHOWN = "Number(document.documentElement.dataset.notices || 0)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def engine_name() -> str:
    """The browser sees the same pages whatever lies below."""
    return SQLITE


@pytest.fixture
def block(database: str) -> Iterator[Block]:
    """In real time, since a browser's clock cannot be moved."""
    block = Block(database, live=True)
    yield block
    block.engine.dispose()


@pytest.fixture
def desk(browser: Browser) -> Iterator[BrowserContext]:
    desk = browser.new_context(locale="zh-CN")
    yield desk
    desk.close()


def paged(desk: BrowserContext) -> Page:
    page = desk.new_page()
    page.set_default_timeout(20_000)
    return page


@pytest.mark.slow  # two pages that see a fire in the same instant may both tell of it
def test_a_fire_is_told_once_in_a_browser_and_again_when_it_starts_again(
    block: Block, desk: BrowserContext
) -> None:
    with block.deciding(), console_on(block, free_port()) as address:
        desk.grant_permissions(["notifications"], origin=address)
        one, two = paged(desk), paged(desk)
        said, said_to_two = listen(one), listen(two)
        sign_in(one, address, "night")
        two.goto(address)
        two.wait_for_selector("#board")
        expect(one.locator("#notify-ask")).to_be_hidden()
        expect(one.locator("#notify-off")).to_be_hidden()

        block.smoke("501")
        for page in (one, two):
            expect(page.locator("#incident-1")).to_be_visible()
            until(page, "document.querySelector('[data-fire=\"1\"]') !== null")
        until(one, "Object.keys(localStorage).includes('gengfu.told.1')")
        one.wait_for_timeout(1000)  # for a second notice there should not be
        assert sum(page.evaluate(SHOWN) for page in (one, two)) == 1
        place = one.get_attribute("[data-fire='1']", "data-place")
        assert place == one.inner_text("#open-1")

        one.click("#take-1")
        until(one, "!Object.keys(localStorage).includes('gengfu.told.1')")
        block.smoke("501", "b")  # a second device: from the start, for everybody
        until(one, "Object.keys(localStorage).some((key) => key.startsWith('gengfu.told.'))")
        one.wait_for_timeout(1000)
        assert sum(page.evaluate(SHOWN) for page in (one, two)) == 2
    assert complaints(said) == complaints(said_to_two) == []


@pytest.mark.slow  # half a minute
def test_the_page_that_told_may_go_and_another_tells_again(block: Block, desk: BrowserContext) -> None:
    with block.deciding(), console_on(block, free_port()) as address:
        desk.grant_permissions(["notifications"], origin=address)
        one, two = paged(desk), paged(desk)
        sign_in(one, address, "night")
        block.smoke("501")
        until(one, f"{SHOWN} === 1")
        two.goto(address)
        two.wait_for_selector("#incident-1")
        two.wait_for_timeout(500)
        assert two.evaluate(SHOWN) == 0
        one.goto("about:blank")
        until(two, f"{SHOWN} === 1")


def test_without_leave_the_page_asks_by_a_button_and_says_what_warns_when_refused(
    block: Block, desk: BrowserContext
) -> None:
    with block.deciding(), console_on(block, free_port()) as address:
        page = paged(desk)
        sign_in(page, address, "night")
        assert page.evaluate("Notification.permission") == "default"
        expect(page.locator("#notify-ask")).to_be_visible()
        expect(page.locator("#notify-off")).to_be_hidden()
        block.smoke("501")
        expect(page.locator("#incident-1")).to_be_visible()
        desk.grant_permissions([], origin=address)  # from here on everything that is not granted is denied
        page.reload()
        expect(page.locator("#notify-off")).to_be_visible()
        expect(page.locator("#notify-ask")).to_be_hidden()
        until(page, "document.title.startsWith('【1】')")
        assert page.evaluate(SHOWN) == 0
