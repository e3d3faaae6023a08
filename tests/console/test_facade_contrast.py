"""WCAG 2.2, 1.4.11: signs and edges of pictures stand out from what they are on; 1.4.3: text too."""

import re

import pytest

from tests.console.test_contrast import AA, BOARD, CONSOLE, luminance, themes

SHEET = CONSOLE / "static" / "facade.css"
GRAPHIC = 3.0
SIGNS = ("fire", "warn", "hush", "trial", "lone", "none")
GROUNDS = ("pane", "house", "panel", "ground", "fire-ground")
PAIRS = [
    *((sign, ground, GRAPHIC) for sign in SIGNS for ground in GROUNDS),
    *(("edge", ground, GRAPHIC) for ground in ("pane", "house", "panel", "ground")),
    *((f"on-{sign}", sign, AA) for sign in ("fire", "warn")),
    ("text", "pane", AA), ("text", "house", AA), ("soft", "house", AA), ("soft", "ground", AA),
    ("soft", "cellar", AA),
    ("fire", "panel", AA), ("warn", "panel", AA), ("fire", "ground", AA), ("warn", "ground", AA),
]  # fmt: skip


def colours(theme: str) -> dict[str, str]:
    return themes(BOARD)[theme] | themes(SHEET)[theme]


def ratio(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_signs_edges_and_text_stand_out(theme: str) -> None:
    known = colours(theme)
    weak = {
        (a, b): round(ratio(known[a], known[b]), 2)
        for a, b, least in PAIRS
        if ratio(known[a], known[b]) < least
    }
    assert weak == {}


def test_every_colour_that_is_used_is_defined_in_both_themes() -> None:
    used = set[str]()
    for name in ("facade.css", "wall.css"):
        used |= set(re.findall(r"var\(--([\w-]+)\)", (CONSOLE / "static" / name).read_text(encoding="utf-8")))
    for theme in ("light", "dark"):
        assert used - {"sign"} <= colours(theme).keys()
