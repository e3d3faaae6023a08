"""A real headless Chromium, and everything it complained about."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.console.block import PASSWORD

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
PATIENCE_S: Final = 30
"""How long a page may take for what it is waited for."""
NETWORK: Final = ("net::ERR_", "Failed to load resource", "[object Event]")
"""Complaints of a page whose server went away, the last one htmx's: expected at a restart."""


def chromium_or_skip() -> str:
    """Where Chromium is. Without one the test is skipped, in continuous integration it fails."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail("no Chromium on this machine, and CI=true")
    pytest.skip("no Chromium on this machine: the browser tests did not run")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, for as long as the block lasts."""
    path = chromium_or_skip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def listen(page: Page) -> list[str]:
    """Collects what the page's console says (content security violations among it) and what it throws."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def until(page: Page, holds: str) -> None:
    """Waits until an expression of the page is true. Asked from outside: what Playwright puts into a page to
    wait there is refused by our content security policy."""
    ends = time.monotonic() + PATIENCE_S
    while not page.evaluate(holds):
        assert time.monotonic() < ends, f"never true: {holds}"
        page.wait_for_timeout(50)


def complaints(said: list[str]) -> list[str]:
    """Everything but the network's."""
    return [text for text in said if not any(mark in text for mark in NETWORK)]


def sign_in(page: Page, address: str, login: str) -> None:
    """Logs in as a person would, and ends on the board."""
    page.goto(address)
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_selector("#board")
