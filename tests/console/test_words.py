import re
from pathlib import Path

import pytest

from console.words import LANGUAGES, keys, say

TEMPLATES = Path(__file__).resolve().parents[2] / "console" / "templates"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_key_is_said_in_both_languages() -> None:
    for key in keys():
        assert CHINESE.search(say("zh-CN", key)), key
        assert say("en", key), key
        assert not CHINESE.search(say("en", key)), key


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_templates_ask_only_for_words_that_exist(template: Path) -> None:
    asked = re.findall(r"""\bt\('([^']+)'\)""", template.read_text(encoding="utf-8"))
    assert set(asked) <= set(keys())


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_templates_hold_no_words_of_their_own(template: Path) -> None:
    assert not CHINESE.search(template.read_text(encoding="utf-8"))


def test_a_word_nobody_wrote_is_shown_by_its_last_part() -> None:
    assert say("zh-CN", "role.astronaut") == "astronaut"
    assert set(LANGUAGES) == {"zh-CN", "en"}
