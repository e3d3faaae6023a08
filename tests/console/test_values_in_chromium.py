"""The values and charts of an incident as a browser shows them, with the history there, slow and gone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from devices.model import Int64, Metric, Quality, ReadingBatch
from gengfu.histories_here import OF_A_PAGE
from gengfu.ports import free_port
from ingest.journal import Journal
from ingest.record import Messages, Record
from ingest.store.embedded_history import EmbeddedHistory
from ingest.store.histories import Histories
from ingest.store.history import Series, SeriesUnread
from ingest.store.influx.reading import ServerReader
from ingest.store.points import Points
from ingest.store.recent import RecentWriter
from ingest.store.recent_history import RecentHistory
from tests.console.chromium import chromium, complaints, listen, sign_in, until
from tests.console.served import console_on
from tests.console.values_house import METER, House
from tests.databases import SQLITE
from tests.ingest.influx.house import account_at
from tests.ingest.influx.house_reading import put
from tests.ingest.journalled import SIZE, record
from tests.series_servers import INFLUX16, SeriesServer

CURRENT, RESIDUAL, WARMTH = 1, 2, 3
TRIP = 6
DRAWN = "document.querySelectorAll('#chart-1 canvas').length === 1"
INK = """
([slot, names]) => {
  const chart = document.querySelector('#chart-' + slot + ' canvas');
  const copy = document.createElement('canvas');
  copy.width = chart.width;
  copy.height = chart.height;
  const ink = copy.getContext('2d', { willReadFrequently: true });
  const wanted = names.map((name) => {
    ink.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
    ink.fillRect(0, 0, 1, 1);
    return ink.getImageData(0, 0, 1, 1).data;
  });
  ink.clearRect(0, 0, 1, 1);
  ink.drawImage(chart, 0, 0);
  const { data } = ink.getImageData(0, 0, chart.width, chart.height);
  const found = names.map(() => 0);
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 200) continue;
    wanted.forEach(([r, g, b], n) => {
      if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12) found[n] += 1;
    });
  }
  return found;
}
"""
"""How many pixels of a chart are of each of these colours of the page. Read from a copy, so that the chart
stays as it was drawn."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def engine_name() -> str:
    """The browser sees the same pages whatever lies below; the pages' own tests run on both engines."""
    return SQLITE


@pytest.fixture
def series_kind() -> str:
    """The oldest that we write to: what others answer is the reader's own tests'."""
    return INFLUX16


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[House]:
    house = House(database, tmp_path, live=True)
    house.overload("501")
    house.decide()
    yield house
    house.close()


@contextmanager
def looking(browser: Browser, scheme: str = "light") -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1366, "height": 768},
        locale="zh-CN",
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def open_incident(page: Page, address: str, language: str = "zh-CN") -> None:
    sign_in(page, address, "night")
    page.goto(f"{address}/incident/1?lang={language}")


def ink(page: Page, slot: int, *colours: str) -> dict[str, int]:
    return dict(zip(colours, page.evaluate(INK, [slot, colours]), strict=True))


def of_load(ago: float) -> float:
    return 44.0 if ago < 1200 else 8.0 + math.sin(ago / 300)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chart_is_drawn_in_the_colours_of_the_page_with_limit_and_event(
    house: House, browser: Browser, scheme: str
) -> None:
    house.draws(CURRENT, 7000, 20, of_load)
    house.draws(RESIDUAL, 7000, 20, lambda ago: 0.002)
    with looking(browser, scheme) as page, house.deciding(), console_on(house, free_port()) as address:
        said = listen(page)
        open_incident(page, address)
        until(page, DRAWN)
        found = ink(page, CURRENT, "link", "fire", "warn", "soft")
        least = {"link": 500, "fire": 150, "warn": 20, "soft": 50}
        assert all(found[colour] > number for colour, number in least.items()), found
        canvas = page.locator("#chart-1 canvas")
        expect(canvas).to_have_attribute("aria-label", "电流 L1 相: 最低 7 A, 最高 44 A")
        expect(page.locator("#chart-1")).to_contain_text("O3 ≥ 46.4 A 过载")
        expect(page.locator("#value-of-1")).to_contain_text("44 A")
        page.click(f"#value-of-{RESIDUAL}")
        until(page, f"document.querySelectorAll('#chart-{RESIDUAL} canvas').length === 1")
        assert ink(page, RESIDUAL, "fire")["fire"] > 50, "no mark where the incident was opened"
    assert complaints(said) == []


def test_a_chart_follows_the_theme_and_the_width_of_the_page(house: House, browser: Browser) -> None:
    house.draws(CURRENT, 7000, 20, of_load)
    with looking(browser) as page, house.deciding(), console_on(house, free_port()) as address:
        said = listen(page)
        open_incident(page, address)
        until(page, DRAWN)
        page.emulate_media(color_scheme="dark")
        until(page, "getComputedStyle(document.body).color === 'rgb(230, 235, 240)'")
        page.wait_for_timeout(200)
        assert ink(page, CURRENT, "link")["link"] > 500
        for width, height in ((3840, 2160), (1024, 768)):
            page.set_viewport_size({"width": width, "height": height})
            fits = "document.querySelector('#chart-1 .uplot').clientWidth"
            until(page, f"{fits} === document.getElementById('chart-1').clientWidth")
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
    assert complaints(said) == []


def test_silence_stays_a_gap_and_a_flag_is_drawn_only_when_it_is_opened(
    house: House, browser: Browser
) -> None:
    for begin, end in ((7000, 5000), (2000, 0)):
        for ago in range(begin, end, -200):
            house.says(CURRENT, 20.0, ago)
    house.says(TRIP, 0.0, 3000)
    with looking(browser) as page, house.deciding(), console_on(house, free_port()) as address:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        open_incident(page, address)
        until(page, DRAWN)
        row = """
        (() => {
          const canvas = document.querySelector('#chart-1 canvas');
          const { data, width } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          const inked = new Set();
          for (let i = 0; i < data.length; i += 4)
            if (data[i + 3] > 200 && data[i + 2] > 120 && data[i] < 40) inked.add((i / 4) % width);
          const at = [...inked].sort((a, b) => a - b);
          return Math.max(...at.slice(1).map((x, n) => x - at[n])) / width;
        })()
        """
        assert 0.25 < page.evaluate(row) < 0.6, "the line goes over the silence"
        assert not any(f"/series/{TRIP}" in url for url in asked)
        page.click(f"#value-of-{TRIP}")
        until(page, f"document.querySelectorAll('#chart-{TRIP} canvas').length === 1")


def test_charts_and_what_was_opened_stay_when_the_values_are_read_again(
    house: House, browser: Browser
) -> None:
    house.draws(CURRENT, 7000, 20, of_load)
    house.says(RESIDUAL, 0.012)
    with looking(browser) as page, house.deciding(), console_on(house, free_port()) as address:
        open_incident(page, address)
        until(page, DRAWN)
        page.click(f"#value-of-{RESIDUAL}")
        until(page, f"document.querySelectorAll('#chart-{RESIDUAL} canvas').length === 1")
        page.evaluate("document.querySelector('#chart-1 canvas').dataset.same = 'yes'")
        house.says(RESIDUAL, 0.345)
        page.evaluate("window.htmx.trigger('#values', 'again')")
        expect(page.locator(f"#value-of-{RESIDUAL}")).to_contain_text("345 mA")
        assert page.evaluate("document.querySelector('#chart-1 canvas').dataset.same") == "yes"
        assert page.evaluate(f"document.getElementById('value-{RESIDUAL}').open")
        page.click("[data-hours='24']")
        until(page, "document.querySelector('#chart-1 canvas').dataset.same !== 'yes'")


def names() -> dict[int, Series]:
    metrics = {CURRENT: Metric.CURRENT, RESIDUAL: Metric.CURRENT_RESIDUAL, WARMTH: Metric.TEMPERATURE}
    return {slot: Series(slot, METER, "l1", metric) for slot, metric in metrics.items()}


class Site:
    """A real server with two hours of points, and beside it the newest half hour of the current."""

    def __init__(self, house: House, server: SeriesServer, folder: Path) -> None:
        self.house, self.server = house, server
        put(server, names(), house.points(CURRENT, [(ago, of_load(ago)) for ago in range(7000, 0, -20)]))
        put(server, names(), house.points(RESIDUAL, [(60.0, 0.031)]))
        self._journal = Journal(
            folder / "journal", segment_bytes=2 * SIZE, max_bytes=10_000 * SIZE, readers=()
        )
        self._write_recent(folder)
        house.histories = Histories(
            lambda: ServerReader.open(account_at(server), OF_A_PAGE),
            lambda: RecentHistory.open(folder / "recent.db"),
        )

    def _write_recent(self, folder: Path) -> None:
        """What came before the half hour has left the journal: it may be missing."""
        journal = self._journal
        for _ in range(6):
            journal.append(record(journal.next_seq))
        newest = self.house.points(CURRENT, [(ago, of_load(ago)) for ago in range(1800, 0, -20)])
        for place in range(len(newest)):
            journal.append(_record(journal.next_seq, newest[place : place + 1]))
        journal.keep_after(6)
        writer = RecentWriter(folder / "journal", folder / "recent.db", keep_days=2, keep_bytes=0)
        while writer.run_once():
            pass
        writer.close()

    def close(self) -> None:
        self._journal.close()


def _record(seq: int, points: Points) -> Record:
    observed_us: Int64 = points.ts_ns // 1000
    batch = ReadingBatch(
        int(observed_us[0]), points.slot, observed_us, np.zeros(1, np.uint16), points.value, points.quality
    )
    return Record(seq, batch, Messages.empty(), [], [], [], {}, 0, 0)


@pytest.fixture
def site(house: House, series_server: SeriesServer, tmp_path: Path) -> Iterator[Site]:
    site = Site(house, series_server, tmp_path)
    yield site
    site.close()


def test_when_the_server_stops_the_newest_values_stay_and_the_page_says_what_is_missing(
    site: Site, browser: Browser
) -> None:
    with looking(browser) as page, site.house.deciding(), console_on(site.house, free_port()) as address:
        said = listen(page)
        open_incident(page, address)
        until(page, DRAWN)
        expect(page.locator(f"#value-of-{RESIDUAL}")).to_contain_text("31 mA")
        expect(page.locator("#values")).not_to_contain_text("历史数据服务器无响应")

        site.server.kill()
        page.evaluate("window.htmx.trigger('#values', 'again')")
        expect(page.locator("#values")).to_contain_text("历史数据服务器无响应：只显示本机保存的最近数据")
        expect(page.locator(".technical")).to_contain_text(site.server.url)
        expect(page.locator(f"#value-of-{CURRENT}")).to_contain_text("44 A")
        expect(page.locator(f"#value-of-{RESIDUAL}")).to_contain_text("现在读不到")
        page.click("[data-hours='6']")
        expect(page.locator("#chart-1")).to_contain_text("历史数据服务器无响应：此前的数据可能不全：")
        assert ink(page, CURRENT, "link")["link"] > 50
        expect(page.locator("#live-off")).to_be_hidden()
    assert complaints(said) == []


def test_a_server_that_hangs_leaves_the_rest_of_the_page_alone(site: Site, browser: Browser) -> None:
    with looking(browser) as page, site.house.deciding(), console_on(site.house, free_port()) as address:
        said = listen(page)
        sign_in(page, address, "night")
        site.server.pause()
        page.goto(f"{address}/incident/1?lang=zh-CN")
        page.click("#act-acknowledge")
        expect(page.locator("#notice")).to_contain_text("已生效")
        expect(page.locator("#values")).to_contain_text("正在读取")
        expect(page.locator("#values")).to_contain_text("历史数据服务器无响应", timeout=40_000)
        expect(page.locator("#value-of-1")).to_contain_text("44 A")
        expect(page.locator("#live-off")).to_be_hidden()
    assert complaints(said) == []


def test_values_that_are_refused_as_busy_are_asked_again_and_the_page_does_not_call_itself_cut_off(
    house: House, browser: Browser
) -> None:
    house.says(CURRENT, 44.0)
    refusals = iter([True])
    with looking(browser) as page, house.deciding(), console_on(house, free_port()) as address:
        open_incident(page, address)
        expect(page.locator("#value-of-1")).to_contain_text("44 A")
        page.route(
            "**/incident/1/values",
            lambda route: (
                route.fulfill(status=503, headers={"Retry-After": "5"}, body="busy")
                if next(refusals, False)
                else route.continue_()
            ),
        )
        page.wait_for_timeout(1000)  # the stream has said hello, which would heal what is to be seen
        house.says(CURRENT, 45.0)
        page.evaluate("window.htmx.trigger('#values', 'again')")
        expect(page.locator("#values-busy")).to_be_visible()
        expect(page.locator("#value-of-1")).to_contain_text("44 A")
        page.wait_for_timeout(4000)  # an interruption of three seconds is said to be one
        expect(page.locator("#live-off")).to_be_hidden()
        expect(page.locator("#value-of-1")).to_contain_text("45 A", timeout=20_000)
        expect(page.locator("#values-busy")).to_be_hidden()


def test_a_value_in_doubt_says_so_beside_it(house: House, browser: Browser) -> None:
    house.says(CURRENT, math.nan, quality=Quality.FAULT)
    with looking(browser) as page, house.deciding(), console_on(house, free_port()) as address:
        open_incident(page, address, "en")
        expect(page.locator("#value-of-1")).to_contain_text("no usable value")
        expect(page.locator("#value-of-1 .doubt")).to_have_text("sensor fault")
        expect(page.locator("#chart-1")).to_contain_text("Readings in doubt: 1")


def test_a_chart_of_which_nothing_can_be_read_says_so_and_not_that_nothing_was_stored(
    house: House, browser: Browser
) -> None:
    def away() -> EmbeddedHistory:
        raise SeriesUnread("points.db: torn")

    house.histories = Histories(away)
    with looking(browser) as page, house.deciding(), console_on(house, free_port()) as address:
        open_incident(page, address)
        chart = page.locator("#chart-1")
        expect(chart).to_contain_text("历史数据现在读不到，曲线可能不全；报警不受影响")
        expect(chart).not_to_contain_text("没有保存的值")
        expect(chart).not_to_contain_text("图外")
        expect(page.locator("#values")).to_contain_text("历史数据现在读不到；报警不受影响")
