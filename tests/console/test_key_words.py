"""Every button of an incident has a key of its own, and what ends something has its question."""

from console.act import BUTTONS
from console.key_words import ACT_KEYS, ENDING, KEYS
from console.words import keys, say

PAGES_OWN = {"g", "j", "k", "m", "s", "/", "?"}


def test_every_button_has_one_key_and_no_two_have_the_same() -> None:
    assert ACT_KEYS.keys() == set(BUTTONS)
    assert len(set(ACT_KEYS.values())) == len(ACT_KEYS)
    assert not PAGES_OWN & set(ACT_KEYS.values())
    assert all(len(key) == 1 and key.islower() for key in ACT_KEYS.values())


def test_what_ends_something_has_a_question_in_words() -> None:
    for act in ENDING:
        assert say("en", f"ask.{act}").endswith(("?", "."))
        assert f"ask.{act}" in keys()


def test_every_line_of_the_list_of_keys_has_words() -> None:
    assert {line for part, lines in KEYS for line in (part, *lines)} <= set(keys())
