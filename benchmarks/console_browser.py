"""One real browser on the board: how soon it paints, when its lines change, and what it holds.

Playwright is asked for only here; where it or Chromium is missing nothing is measured.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.console_seen import Shown
from benchmarks.errors import CannotMeasure
from benchmarks.machine import cpu_s, family, resident_mb

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--mute-audio",
)
PATIENCE_MS: Final = 60_000
_PAINTED: Final = """() => {
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  return paint ? paint.startTime : 0;
}"""
_WATCH: Final = """() => {
  const said = new Map(), seen = [];
  const look = () => {
    const at = Date.now();
    for (const line of document.querySelectorAll('#board li[id^="incident-"]')) {
      const by = (/\\bw\\d+\\b/.exec(line.textContent) || [''])[0];
      if (said.get(line.id) === by) continue;
      said.set(line.id, by);
      seen.push([Number(line.id.slice(9)), by, at]);
    }
  };
  look();
  const watched = seen.splice(0).map((one) => one[0]);
  new MutationObserver(look).observe(
    document.getElementById('board'), { childList: true, subtree: true, characterData: true });
  window.benchSeen = seen;
  return watched;
}"""
_ON_BOARD: Final = """() => Array.from(
  document.querySelectorAll('#board li[id^="incident-"]'), (line) => Number(line.id.slice(9)))"""
_TAKE: Final = "() => window.benchSeen.splice(0)"


@dataclass(frozen=True, slots=True)
class Held:
    """What the page's process holds: resident memory and what JavaScript uses in MB (10⁶ bytes), nodes."""

    resident_mb: float
    heap_mb: float
    nodes: int


class Watched:
    """The page, signed in and on the board."""

    def __init__(self, page: Page, address: str, renderer: int) -> None:
        self._page, self._address, self._renderer = page, address, renderer
        self._inside: CDPSession = page.context.new_cdp_session(page)
        self._inside.send("Performance.enable")

    def paint_ms(self) -> float:
        """Loads the board anew: milliseconds from the start of the navigation to the first content."""
        self._page.goto(self._address, wait_until="load")
        for _ in range(100):
            if painted := float(self._page.evaluate(_PAINTED)):
                return painted
            self._page.wait_for_timeout(50)
        raise CannotMeasure("the browser does not say when it painted")

    def watch(self) -> list[int]:
        """Begins to note which line changes when; gives the incidents that are on the board."""
        found: list[int] = self._page.evaluate(_WATCH)
        return found

    def on_board(self) -> list[int]:
        """The incidents on the board now."""
        found: list[int] = self._page.evaluate(_ON_BOARD)
        return found

    def take(self) -> list[Shown]:
        """What changed since the last call."""
        return [Shown(number, by, at_ms * 1000) for number, by, at_ms in self._page.evaluate(_TAKE)]

    def held(self) -> Held:
        """Now."""
        told = {one["name"]: one["value"] for one in self._inside.send("Performance.getMetrics")["metrics"]}
        return Held(resident_mb(self._renderer), told["JSHeapUsedSize"] / 1e6, int(told["Nodes"]))

    def cpu_s(self) -> float:
        """CPU seconds of the page's process."""
        return cpu_s(self._renderer)

    def is_on_the_board(self) -> bool:
        """False when the page went elsewhere: to the login, for one."""
        return bool(self._page.evaluate("() => Boolean(document.getElementById('board'))"))


@contextmanager
def watching(address: str, login: str, password: str) -> Iterator[Watched]:
    """A browser whose page is signed in. Raises CannotMeasure without Playwright or Chromium."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise CannotMeasure("no Chromium on this machine")
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - no dependency of the service
    except ImportError:
        raise CannotMeasure("playwright is not installed: pip install 'gengfu[test]'") from None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            page = browser.new_page(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
            page.set_default_timeout(PATIENCE_MS)
            page.goto(f"{address}/login")
            page.fill("#login", login)
            page.fill("#password", password)
            page.press("#password", "Enter")
            page.wait_for_selector("#board")
            yield Watched(page, f"{address}/", _renderer())
        finally:
            browser.close()


def _renderer() -> int:
    """The process of the page: the largest renderer below this one."""
    found = [pid for pid in family(os.getpid()) if b"--type=renderer" in _command(pid)]
    if not found:
        raise CannotMeasure("the browser has no process for its page")
    return max(found, key=resident_mb)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
