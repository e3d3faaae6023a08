"""A number on a real page: it comes at a press, stays while the page lives on, and goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from gengfu.ports import free_port
from tests.console.chromium import chromium, complaints, listen, sign_in, until
from tests.console.people_house import MASKED, NAME, NUMBER, PeopleHouse
from tests.console.served import console_on
from tests.databases import SQLITE

LISTED = "document.querySelectorAll('[id^=person-]').length === 7"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def engine_name() -> str:
    """The browser sees the same pages whatever lies below; the pages' own tests run on both engines."""
    return SQLITE


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[PeopleHouse]:
    house = PeopleHouse(database, tmp_path, live=True)
    house.smoke("501")
    house.decide()
    yield house
    house.engine.dispose()


@contextmanager
def looking(browser: Browser, scripts: bool = True) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1366, "height": 768}, locale="zh-CN", java_script_enabled=scripts
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def test_a_number_comes_at_a_press_outlives_a_refresh_and_goes_when_its_time_is_over(
    house: PeopleHouse, browser: Browser
) -> None:
    channel = house.ways["F501"]
    with looking(browser) as board, house.deciding(), console_on(house, free_port()) as address:
        sign_in(board, address, "night")
        page = board.context.new_page()  # of its own: a board that is left complains of what it asked for
        said = listen(page)
        page.goto(f"{address}/incident/1?lang=zh-CN")
        until(page, LISTED)
        assert MASKED in page.content() and NAME not in page.content()
        assert NUMBER not in page.content()
        page.click(f"#ask-{channel}")
        number = page.locator(f"#number-{channel} code")
        expect(number).to_have_text(NUMBER)
        expect(page.locator(f"#number-{channel} a")).to_have_attribute("href", "tel:+8613800001234")
        expect(page.locator(".timeline")).to_contain_text("查看了 F501 的号码")
        with page.expect_response(lambda answer: answer.url.endswith("/people")):
            house.answers("W1", "acknowledge")
        until(page, "document.querySelectorAll('#people .state-answered').length > 0")
        expect(number).to_have_text(NUMBER)
        page.evaluate("document.querySelector('[data-gone-s]').dataset.goneS = '1'")
        expect(number).to_have_count(0)
        assert NUMBER not in page.content()
        expect(page.locator(f"#ask-{channel}")).to_be_enabled()
        assert complaints(said) == []  # before the server goes, of which a page complains too
    assert [one.contact for one in house.looks()] == ["F501"]


def test_without_scripts_the_number_is_a_page_of_its_own(house: PeopleHouse, browser: Browser) -> None:
    with looking(browser, scripts=False) as page, house.deciding(), console_on(house, free_port()) as address:
        sign_in(page, address, "night")
        page.goto(f"{address}/incident/1/people?lang=zh-CN")
        page.click(f"#ask-{house.ways['F501']}")
        expect(page.locator("code")).to_have_text(NUMBER)
        page.click("main a[href='/incident/1']")
        assert NUMBER not in page.content()
