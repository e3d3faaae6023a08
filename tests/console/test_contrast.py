import re
from itertools import pairwise
from pathlib import Path

import pytest

CONSOLE = Path(__file__).resolve().parents[2] / "console"
BOARD = CONSOLE / "static" / "console.css"
ANSWERS = CONSOLE / "answers" / "static" / "answers.css"
PAIRS = {
    BOARD: [
        *((text, on) for text in ("text", "soft", "link") for on in ("ground", "panel", "fire-ground")),
        *((text, "panel") for text in ("fire", "warn", "good")),
        ("fire", "fire-ground"), ("warn", "fire-ground"), ("fire", "ground"), ("warn", "ground"),
        ("on-fire", "fire"), ("on-warn", "warn"), ("panel", "link"),
        *(("focus", on) for on in ("ground", "panel", "fire-ground")),
    ],
    ANSWERS: [
        ("text", "ground"), ("soft", "ground"), ("text", "panel"), ("good", "ground"),
        ("on", "fire"), ("on", "warn"), ("on", "calm"), ("on", "soft"),
    ],
}  # fmt: skip
"""Every text colour that our style sheets put on a ground."""
AA = 4.5
"""WCAG 2.2, 1.4.3, for text of normal size."""


def themes(sheet: Path) -> dict[str, dict[str, str]]:
    """The colours of the light and the dark theme; the dark one changes what the light one set."""
    blocks = re.findall(r":root \{(.*?)\}", sheet.read_text(encoding="utf-8"), re.DOTALL)
    light, dark = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks)
    return {"light": light, "dark": light | dark}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    parts = [int(colour[i:j], 16) / 255 for i, j in pairwise((1, 3, 5, 7))]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("sheet", [BOARD, ANSWERS], ids=["board", "answers"])
def test_text_stands_out_from_its_ground(sheet: Path, theme: str) -> None:
    colours = themes(sheet)[theme]
    for text, ground in PAIRS[sheet]:
        darker, lighter = sorted((luminance(colours[text]), luminance(colours[ground])))
        assert (lighter + 0.05) / (darker + 0.05) >= AA, (text, ground)
