"""Pictures of buildings in a real browser: they turn by themselves, and lead to a window in three clicks."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import insert, select

from alerts import schema
from devices import schema as registry
from devices.database import reading, writing
from gengfu.ports import free_port
from tests.console.block import Block
from tests.console.chromium import chromium, complaints, listen, sign_in, until
from tests.console.estates import LONG, ODD, TOWER, Plan, build, even, hang
from tests.console.served import console_on
from tests.databases import SQLITE

FITS = "document.documentElement.scrollWidth <= window.innerWidth"
UNANSWERED = ("htmx:afterRequest", "htmx:sendError")
"""What htmx says of a request that nobody answered: expected at a restart."""
VISIBLE = "Array.from(document.querySelectorAll('#wall-rest .tile')).filter((t) => !t.hidden)"
SIZES = ((1366, 768), (1920, 1080), (3840, 2160))


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
    """In real time, with a detector in every flat."""
    block = Block(database, live=True)
    with writing(block.engine) as connection:
        hang(connection, block.dwellings.values())
    yield block
    block.engine.dispose()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def number(block: Block, table: str, code: str) -> int:
    one = registry.metadata.tables[table]
    with reading(block.engine) as connection:
        return int(connection.execute(select(one.c.id).where(one.c.code == code)).scalar_one())


def test_three_clicks_lead_from_the_district_to_a_window_that_smoke_turns_without_a_reload(
    block: Block, page: Page
) -> None:
    said = listen(page)
    flat = block.dwellings["501"]
    with block.deciding(), console_on(block, free_port()) as address:
        sign_in(page, address, "night")
        page.click("#to-places")
        page.click(f"#area-{number(block, 'area', 'city')}")

        page.click(f"#area-{number(block, 'area', 'district')}")
        page.click(f"#house-{number(block, 'building', 'b7')}")
        window = page.locator(f"#window-{flat}")
        expect(window).to_have_class("w is-quiet")
        page.evaluate("window.isTheSamePage = true")
        block.smoke("501")
        expect(window).to_have_class("w is-alarm")
        expect(page.locator("#unquiet")).to_contain_text("烟雾报警")
        assert page.evaluate("window.isTheSamePage")
        window.click()
        expect(page.locator("#incident")).to_contain_text("501")

        page.go_back()
        page.locator(f"#window-{block.dwellings['401']}").click()
        expect(page.locator("#dwelling-state")).to_contain_text("正常")
        expect(page.locator("#devices")).to_contain_text(f"smoke:{block.dwellings['401']}")
        block.smoke("401")
        expect(page.locator("#dwelling-state")).to_contain_text("报警")
        expect(page.locator("#open-here")).to_contain_text("烟雾报警")
    assert complaints(said) == []


def test_the_wall_shows_a_fire_by_itself_sounds_and_says_when_the_connection_is_lost(
    block: Block, page: Page
) -> None:
    build(block, [TOWER, LONG, ODD])
    said, port = listen(page), free_port()
    with block.deciding():
        with console_on(block, port) as address:
            sign_in(page, address, "night")
            page.goto(f"{address}/wall")
            expect(page.locator("#wall")).to_contain_text("现在没有警情")
            expect(page.locator("#site-clock")).to_be_visible()
            expect(page.locator("#logout")).to_be_hidden()
            block.smoke("501")
            card = page.locator("#wall-open .card")
            expect(card).to_contain_text("槐树里社区 7号楼")
            expect(card).to_contain_text("2单元 5层 501")
            until(page, "document.getElementById('alarm-sound').dataset.sounding === 'yes'")
            until(page, "document.title.startsWith('【1】')")
        expect(page.locator("#live-off")).to_be_visible()
        with console_on(block, port):
            expect(page.locator("#live-off")).to_be_hidden()
    assert [one for one in complaints(said) if not one.startswith(UNANSWERED)] == []


def test_a_wall_that_cannot_show_all_turns_its_pages_and_every_building_has_its_turn(
    block: Block, page: Page
) -> None:
    plans = [
        Plan(f"c{n}", f"{n}栋", 6, {f"{m}单元": even(range(1, 7), 3) for m in (1, 2, 3)}) for n in range(60)
    ]
    build(block, plans)
    page.clock.install()
    with console_on(block, free_port()) as address:
        sign_in(page, address, "night")
        page.goto(f"{address}/wall")
        until(page, "!document.querySelector('#wall-rest .turn').hidden")
        shown = f"{VISIBLE}.map((t) => t.id)"
        every = page.locator("#wall-rest .tile").count()
        seen: list[str] = []
        pages = int(page.locator("#wall-rest .turn").inner_text().split("/")[1])
        assert pages > 1
        for _ in range(pages):
            here = page.evaluate(shown)
            assert here
            inside = ".every((t) => t.getBoundingClientRect().bottom <= window.innerHeight)"
            assert page.evaluate(f"{VISIBLE}{inside}")
            seen += here
            page.clock.run_for(8_000)
        assert len(seen) == len(set(seen)) == every == 61
        assert page.evaluate(shown)[0] == seen[0]


def test_a_storm_makes_a_page_ask_once_a_second_and_it_ends_true(block: Block, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    house = number(block, "building", "b7")
    with block.deciding(), console_on(block, free_port()) as address:
        block.overload("401")
        sign_in(page, address, "night")
        page.goto(f"{address}/building/{house}")
        expect(page.locator(f"#window-{block.dwellings['401']}")).to_have_class("w is-pre_alarm")
        del asked[:]
        ending = threading.Event()

        def storm() -> None:
            row = {"incident_id": 1, "at_us": 0, "kind": "note", "by": "gengfu", "via": "", "text": ""}
            while not ending.wait(0.02):
                with writing(block.engine) as connection:
                    connection.execute(insert(schema.incident_change), row)

        blowing = threading.Thread(target=storm)
        blowing.start()
        page.wait_for_timeout(4_000)
        block.smoke("501")
        expect(page.locator(f"#window-{block.dwellings['501']}")).to_have_class("w is-alarm")
        page.wait_for_timeout(1_000)
        fragments = [url for url in asked if "/fragment" in url]
        ending.set()
        blowing.join()
        block.smoke("502")  # a second detector of the stair: the fire is confirmed
        expect(page.locator(f"#window-{block.dwellings['502']}")).to_have_class("w is-alarm strong")
    assert 2 <= len(fragments) <= 14


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_scrolls_sideways_on_any_screen_in_either_theme(
    block: Block, browser: Browser, theme: str
) -> None:
    build(block, [TOWER, LONG, ODD])
    block.smoke("501")
    block.overload("401")
    block.decide()
    context = browser.new_context(color_scheme=theme)  # type: ignore[arg-type]
    page = context.new_page()
    said = listen(page)
    paths = ["/places", f"/places/{number(block, 'area', 'district')}", "/wall"]
    paths += [f"/building/{number(block, 'building', code)}" for code in ("b33", "b12", "b3")]
    paths.append(f"/dwelling/{block.dwellings['501']}")
    with console_on(block, free_port()) as address:
        sign_in(page, f"{address}/?lang=en", "night")
        for path in paths:
            page.goto(f"{address}{path}")
            for width, height in SIZES:
                page.set_viewport_size({"width": width, "height": height})
                assert page.evaluate(FITS), (path, width)
                if path == "/wall":
                    assert page.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
    context.close()
    assert complaints(said) == []
