from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from devices.database import writing
from devices.registry import log_out_user
from gengfu.ports import free_port
from tests.console.block import Block
from tests.console.chromium import chromium, complaints, listen, sign_in, until
from tests.console.served import console_on
from tests.databases import SQLITE

SOUNDING = "document.getElementById('alarm-sound').dataset.sounding"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def engine_name() -> str:
    """The browser sees the same pages whatever lies below; the pages' own tests run on both engines."""
    return SQLITE


@pytest.fixture
def block(database: str) -> Iterator[Block]:
    """In real time, since a browser's clock cannot be moved."""
    block = Block(database, live=True)
    yield block
    block.engine.dispose()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def test_a_fire_appears_sounds_is_taken_and_survives_a_restart(block: Block, page: Page) -> None:
    said, port = listen(page), free_port()
    with block.deciding():
        with console_on(block, port) as address:
            sign_in(page, address, "night")
            expect(page.locator("#board")).to_contain_text("现在没有未结束的警情")
            assert "火警未接手" not in page.title()

            block.smoke("501")
            expect(page.locator("#incident-1")).to_contain_text("501")
            until(page, "document.title.startsWith('【1】火警未接手')")
            until(page, f"{SOUNDING} === 'yes'")
            until(page, "!document.getElementById('alarm-sound').paused")

            page.focus("#take-1")
            page.keyboard.press("Enter")
            expect(page.locator("#notice")).to_contain_text("已生效")
            expect(page.locator("#incident-1")).to_contain_text("night")
            until(page, f"{SOUNDING} === 'no' && !document.title.includes('火警未接手')")
            assert block.acts() == [("user:night", "acknowledge", "done")]
        expect(page.locator("#live-off")).to_be_visible()
        block.smoke("401")  # while nobody serves the page
        with console_on(block, port):
            expect(page.locator("#incident-2")).to_contain_text("401")
            expect(page.locator("#live-off")).to_be_hidden()
            until(page, f"{SOUNDING} === 'yes'")
    assert complaints(said) == []


def test_the_first_click_counts_though_the_bar_about_the_sound_vanishes_with_it(
    block: Block, page: Page
) -> None:
    with block.deciding(), console_on(block, free_port()) as address:
        block.smoke("501")
        sign_in(page, address, "night")
        page.reload()
        expect(page.locator("#sound-off")).to_be_visible()
        box = page.locator("#take-1").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 3)
        page.mouse.down()
        page.wait_for_timeout(100)  # a finger is not as quick as a program
        page.mouse.up()
        expect(page.locator("#notice")).to_contain_text("已生效")
        expect(page.locator("#sound-off")).to_be_hidden()


def test_a_second_operator_sees_each_step_and_the_first_confirms_a_fire(
    block: Block, page: Page, browser: Browser
) -> None:
    said = listen(page)
    with block.deciding(), console_on(block, free_port()) as address:
        block.smoke("501")
        sign_in(page, address, "night")
        other = browser.new_page()
        said_to_other = listen(other)
        sign_in(other, address, "second")

        page.click("#open-1")
        page.fill("#note", "明火，三楼可见")
        page.click("#act-confirm")
        page.click("#ask-yes")
        expect(page.locator("#notice")).to_contain_text("已生效")
        expect(page.locator("#incident")).to_contain_text("真火")
        expect(page.locator("#messages")).to_contain_text("消防救援站")
        expect(page.locator("#note")).to_have_value("")
        expect(other.locator("#incident-1")).to_contain_text("真火")
        expect(other.locator("#incident-1")).to_contain_text("night")
        other.close()
    assert complaints(said) == complaints(said_to_other) == []


def test_typing_survives_what_comes_in_and_the_page_warns_of_another_fire(block: Block, page: Page) -> None:
    said = listen(page)
    with block.deciding(), console_on(block, free_port()) as address:
        block.overload("401")
        sign_in(page, address, "night")
        page.click("#open-1")
        page.fill("#note", "正在写的")
        block.answers("W1", "acknowledge")
        expect(page.locator("#incident")).to_contain_text("W1")
        expect(page.locator("#note")).to_have_value("正在写的")
        block.smoke("501")
        expect(page.locator("#siren-open")).to_be_visible()
        page.click("#siren-open")
        expect(page.locator("h1")).to_contain_text("501")
    assert complaints(said) == []


def test_a_session_that_ends_says_so_instead_of_standing_still(block: Block, page: Page) -> None:
    with block.deciding(), console_on(block, free_port()) as address:
        sign_in(page, address, "night")
        with writing(block.engine) as connection:
            log_out_user(connection, login="night", by="test", now_us=block.clock())
        expect(page.locator("#live-ended")).to_be_visible(timeout=20_000)


def test_a_session_that_ends_while_the_stream_is_down_says_so_too(block: Block, page: Page) -> None:
    page.route("**/live*", lambda route: route.fulfill(status=401))  # the stream comes too late
    with block.deciding(), console_on(block, free_port()) as address:
        sign_in(page, address, "night")
        page.context.clear_cookies()
        expect(page.locator("#live-ended")).to_be_visible()
        expect(page.locator("#live-off")).to_be_hidden()


def test_the_board_never_scrolls_sideways_on_a_small_desk_screen(block: Block, page: Page) -> None:
    with block.deciding(), console_on(block, free_port()) as address:
        block.smoke("501")
        block.overload("401")
        sign_in(page, f"{address}/?lang=en", "night")
        page.wait_for_selector("#incident-2")
        fits = "document.documentElement.scrollWidth <= window.innerWidth"
        for width in (1366, 1340, 1200, 1100, 1024):
            page.set_viewport_size({"width": width, "height": 768})
            assert page.evaluate(fits), width
        page.click("#open-1")
        page.wait_for_selector("#incident")
        assert page.evaluate(fits)
