"""The console by keyboard alone, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import insert, update

from alerts.schema import incident, incident_change
from devices.database import writing
from gengfu.ports import free_port
from tests.console.block import Block
from tests.console.chromium import chromium, complaints, listen, sign_in, until
from tests.console.served import console_on
from tests.databases import SQLITE


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
def desks(browser: Browser) -> Iterator[list[BrowserContext]]:
    """Two desks, each with a browser of its own."""
    desks = [browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN") for _ in range(2)]
    yield desks
    for desk in desks:
        desk.close()


@pytest.fixture
def page(desks: list[BrowserContext]) -> Page:
    return paged(desks[0])


def paged(desk: BrowserContext) -> Page:
    page = desk.new_page()
    page.set_default_timeout(20_000)
    return page


def keys(page: Page, *pressed: str) -> None:
    for key in pressed:
        page.keyboard.press(key)


def comes(page: Page, selector: str) -> None:
    """Waits for a page that holds this and hears keys."""
    page.wait_for_selector(selector)
    until(page, "document.readyState === 'complete'")


def does(page: Page, key: str, state: str, *answers: str) -> None:
    """Presses the key of an act, answers what is asked, and sees the state that comes of it."""
    expect(page.locator(f"#act-buttons button[aria-keyshortcuts={key}]")).to_be_visible()
    keys(page, key)
    if answers:
        expect(page.locator("#ask")).to_be_visible()
        keys(page, *answers)
    expect(page.locator("dl.facts")).to_contain_text(state)


def writes(page: Page, note: str) -> None:
    keys(page, "m")
    page.keyboard.type(note)
    keys(page, "Escape")


def test_an_incident_goes_from_alarm_to_end_without_a_mouse(
    block: Block, desks: list[BrowserContext]
) -> None:
    page, other = paged(desks[0]), paged(desks[1])
    said, said_to_other = listen(page), listen(other)
    with block.deciding(), console_on(block, free_port()) as address:
        block.smoke("501")
        sign_in(page, address, "night")
        expect(page.locator("#incident-1")).to_be_visible()
        keys(page, "j", "t")
        expect(page.locator("#notice")).to_contain_text("已生效")
        expect(page.locator("#incident-1")).to_contain_text("night")
        keys(page, "Enter")
        comes(page, "#incident")
        does(page, "c", "已", "Enter")
        expect(page.locator("#incident .severity").first).to_contain_text("真火")
        does(page, "a", "已到场")
        does(page, "d", "已处置")
        writes(page, "油锅起火，已扑灭 acdv")
        does(page, "b", "已反馈")

        sign_in(other, address, "second")
        expect(other.locator("#incident-1")).to_be_visible()
        keys(other, "j", "Enter")
        comes(other, "#incident")
        does(other, "v", "已核实")
        keys(other, "s", "ArrowDown", "Escape")
        does(other, "e", "已结束", "Enter")
        keys(other, "g", "b")
        expect(other.locator("#board")).to_contain_text("现在没有未结束的警情")
    done = [(actor, act) for actor, act, outcome in block.acts() if outcome == "done"]
    assert done == [
        *(("user:night", act) for act in ("acknowledge", "confirm", "arrived", "handled", "feedback")),
        ("user:second", "verify"),
        ("user:second", "close"),
    ]
    assert complaints(said) == complaints(said_to_other) == []


def test_no_key_acts_while_somebody_writes_or_holds_another_key(block: Block, page: Page) -> None:
    with block.deciding(), console_on(block, free_port()) as address:
        block.smoke("501")
        sign_in(page, address, "night")
        expect(page.locator("#incident-1")).to_be_visible()
        keys(page, "j", "Control+t", "Alt+t", "Enter")
        comes(page, "#incident")
        writes(page, "t c f e x gb")
        expect(page.locator("#note")).to_have_value("t c f e x gb")
        expect(page.locator("#incident")).to_be_visible()
        keys(page, "Control+a", "Meta+c")
        expect(page.locator("#ask")).to_be_hidden()
        keys(page, "Escape")
        comes(page, "#board")
    assert block.acts() == []


def test_what_ends_something_is_asked_about_and_a_no_hands_nothing_in(block: Block, page: Page) -> None:
    with block.deciding(), console_on(block, free_port()) as address:
        block.smoke("501")
        sign_in(page, address, "night")
        page.click("#open-1")
        comes(page, "#act-false_alarm")
        keys(page, "f")
        expect(page.locator("#ask-what")).to_contain_text("确定为误报")
        block.smoke("502", "b")  # a script still runs while the question stands
        expect(page.locator("#siren-open, #incident .state-active >> nth=1").first).to_be_visible()
        keys(page, "Escape")
        expect(page.locator("#ask")).to_be_hidden()
        assert block.acts() == []
        does(page, "f", "", "Enter")
        expect(page.locator("#notice")).to_contain_text("误报")
    assert [act for _, act, _ in block.acts()] == ["false_alarm"]


def test_the_mark_stays_on_its_line_though_the_board_is_drawn_anew(block: Block, page: Page) -> None:
    with block.deciding(), console_on(block, free_port()) as address:
        block.overload("401")
        sign_in(page, address, "night")
        expect(page.locator("#incident-1")).to_be_visible()
        keys(page, "j")
        assert page.evaluate("document.activeElement.id") == "open-1"
        block.smoke("501")
        expect(page.locator("#incident-2")).to_be_visible()
        until(page, "document.activeElement.id === 'open-1'")
        keys(page, "k")
        assert page.evaluate("document.activeElement.id") == "open-2"
        keys(page, "t", "j")
        expect(page.locator("#incident-2")).to_contain_text("night")
        until(page, "document.activeElement.id === 'open-1'")
        with writing(block.engine) as connection:  # as when somebody else ends it
            connection.execute(update(incident).where(incident.c.id == 1).values(state="cancelled"))
            row = {"incident_id": 1, "at_us": 0, "kind": "note", "by": "gengfu", "via": "", "text": ""}
            connection.execute(insert(incident_change), row)
        expect(page.locator("#incident-1")).to_have_count(0)
        until(page, "document.activeElement.id === 'open-2'")


def test_the_keys_list_themselves_and_lead_everywhere(block: Block, page: Page) -> None:
    said = listen(page)
    with block.deciding(), console_on(block, free_port()) as address:
        sign_in(page, address, "night")
        keys(page, "?")
        expect(page.locator("#keys")).to_contain_text("接手所标记的一条")
        keys(page, "Escape")
        expect(page.locator("#keys")).to_be_hidden()
        keys(page, "/")
        until(page, "document.activeElement.closest('#filters') !== null")
        keys(page, "Escape", "g", "p")
        comes(page, "#places")
        keys(page, "g", "w")
        comes(page, "#wall")
        keys(page, "g", "b")
        comes(page, "#board")
    assert complaints(said) == []


def test_a_filter_is_kept_over_refreshes_and_hides_no_fire_that_nobody_took(block: Block, page: Page) -> None:
    with block.deciding(), console_on(block, free_port()) as address:
        block.overload("401")
        sign_in(page, address, "night")
        expect(page.locator("#incident-1")).to_be_visible()
        page.select_option("#filter-hazard", "fault")
        page.focus("#filter-hazard")
        keys(page, "Enter")
        page.wait_for_url("**/?hazard=fault")
        expect(page.locator("#hidden")).to_contain_text("1")
        expect(page.locator("#incident-1")).to_have_count(0)
        block.smoke("501")
        expect(page.locator("#incident-2")).to_be_visible()
        until(page, "document.title.startsWith('【1】')")
        keys(page, "j", "t")
        expect(page.locator("#incident-2")).to_have_count(0)
        expect(page.locator("#hidden")).to_have_attribute("data-fires", "1")
        expect(page.locator("#incident-1")).to_have_count(0)
        page.goto(f"{address}/incident/2")
        comes(page, "#incident")
        keys(page, "Escape")
        page.wait_for_url("**/?hazard=fault")


def test_the_page_is_as_wide_as_its_screen_in_every_size_of_type(block: Block, page: Page) -> None:
    said = listen(page)
    with block.deciding(), console_on(block, free_port()) as address:
        block.smoke("501")
        sign_in(page, address, "night")
        expect(page.locator("#incident-1")).to_be_visible()
        for size in ("normal", "large", "largest"):
            for path in (f"/?lang=en&theme=dark&hazard=fire&size={size}", f"/incident/1?size={size}"):
                page.goto(f"{address}{path}")
                for width, height in ((1366, 768), (1720, 900), (1920, 1080), (2560, 1440), (3840, 2160)):
                    page.set_viewport_size({"width": width, "height": height})
                    wide = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
                    assert wide[0] <= wide[1], (path, width)
        assert page.evaluate("document.getElementById('alarm-sound').volume") == 1
        page.goto(f"{address}/?volume=30")
        until(page, "Math.abs(document.getElementById('alarm-sound').volume - 0.3) < 0.001")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(15, 21, 27)"
    assert complaints(said) == []


def test_who_was_overtaken_presses_the_same_key_twice_and_sees_who_else_looks(
    block: Block, desks: list[BrowserContext]
) -> None:
    page, other = paged(desks[0]), paged(desks[1])
    with block.deciding(), console_on(block, free_port()) as address:
        block.smoke("501")
        sign_in(page, address, "night")
        sign_in(other, address, "second")
        for one in (page, other):
            expect(one.locator("#incident-1")).to_be_visible()
            one.goto(f"{address}/incident/1")
            comes(one, "#incident")
        expect(page.locator("#presence")).to_contain_text("second", timeout=20_000)
        keys(page, "f")
        expect(page.locator("#ask")).to_be_visible()
        does(other, "a", "已到场")
        expect(page.locator("#incident")).to_contain_text("second")
        keys(page, "Enter")  # what was asked about was the incident as it was
        expect(page.locator("#notice .overtaken")).to_contain_text("second")
        assert [act for actor, act, _ in block.acts() if actor == "user:night"] == []
        keys(page, "f")
        expect(page.locator("#ask")).to_be_visible()
        keys(page, "Enter")
        expect(page.locator("#notice .done")).to_be_visible()
    assert ("user:night", "false_alarm", "done") in block.acts()
