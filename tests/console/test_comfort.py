"""What a reader chose of theme, type and loudness is written into the page by the server."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.comfort import COOKIE, SIZES, THEMES, VOLUMES, Comfort, chosen, comfort_in
from tests.console.block import Block
from tests.console.test_contrast import BOARD, CONSOLE, themes

SHEET = (CONSOLE / "static" / "comfort.css").read_text(encoding="utf-8")
EVERY = [Comfort(*one) for one in product(THEMES, SIZES, VOLUMES)]


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.text)
def test_a_cookie_gives_back_what_was_chosen(one: Comfort) -> None:
    assert comfort_in(one.text) == one


@given(st.text())
def test_a_cookie_of_whatever_text_is_something_that_can_be_chosen(text: str) -> None:
    assert comfort_in(text) in EVERY


def test_what_is_not_offered_changes_nothing() -> None:
    before = Comfort("dark", "large", "30")
    assert chosen(before, {"theme": '"><script>', "size": "", "volume": "0"}) == before
    assert "0" not in VOLUMES


def test_the_choice_is_in_the_page_that_makes_it_and_in_all_that_follow(block: Block) -> None:
    with block.console() as reader:
        assert '<html lang="zh-CN" data-theme="auto" data-size="normal" data-volume="100"' in html(
            reader, "/"
        )
        first = html(reader, "/?theme=dark&size=largest&volume=30")
        assert 'data-theme="dark" data-size="largest" data-volume="30"' in first
        assert 'data-theme="dark" data-size="largest" data-volume="30"' in html(reader, "/places")
        assert 'data-theme="light" data-size="largest"' in html(reader, "/?theme=light")
        assert 'data-theme="light"' in html(reader, "/?theme=%22%3E")
        assert reader.client.cookies[COOKIE] == "light.largest.30"


def html(reader: object, path: str) -> str:
    return str(reader.client.get(path).text)  # type: ignore[attr-defined]


def test_nobody_who_chose_nothing_is_given_a_cookie(block: Block) -> None:
    with block.console() as reader:
        reader.client.get("/?lang=en")
        assert COOKIE not in reader.client.cookies


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chosen_theme_has_the_colours_of_the_systems(theme: str) -> None:
    (block,) = re.findall(rf':root\[data-theme="{theme}"\] \{{(.*?)\}}', SHEET, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    assert colours == themes(BOARD)[theme] | themes(CONSOLE / "static" / "facade.css")[theme]
    assert f"color-scheme: {theme};" in block


def test_all_colours_of_the_sheet_are_defined() -> None:
    used = set(re.findall(r"var\(--([\w-]+)\)", SHEET)) - {"step"}
    assert used <= themes(BOARD)["light"].keys()


def test_whoever_asks_for_less_motion_gets_none() -> None:
    assert "@media (prefers-reduced-motion: reduce)" in SHEET
