"""What helpers must know of those who live in a dwelling: flags of a fixed vocabulary, and free words.

The text is personal: it is sealed at rest, and shown only where somebody goes to help. Its canonical form is
`lives_alone, over_75; dog in the hall`: the flags in the order of `Flag`, then the free words as they were
typed. Flags may be typed by name or by their words in either language; from the first part that is no flag
on, all is free words.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple

from devices.places import CHINESE
from devices.registry.errors import NotAllowed, check_note

ATTENTION_MAX: Final = 200
"""Characters of the canonical form (chosen: read at a glance on the way)."""


class Flag(StrEnum):
    """What changes how somebody is helped (chosen). The names are stored: never rename one."""

    LIVES_ALONE = "lives_alone"
    OVER_75 = "over_75"
    REDUCED_MOBILITY = "reduced_mobility"
    HARD_OF_HEARING = "hard_of_hearing"
    OXYGEN = "oxygen"
    CHILD_ALONE = "child_alone"


WORDS: Final[dict[Flag, tuple[str, str]]] = {
    Flag.LIVES_ALONE: ("独居", "lives alone"),
    Flag.OVER_75: ("75岁以上", "over 75"),
    Flag.REDUCED_MOBILITY: ("行动不便", "reduced mobility"),
    Flag.HARD_OF_HEARING: ("听力障碍", "hard of hearing"),
    Flag.OXYGEN: ("家中用氧", "oxygen in use"),
    Flag.CHILD_ALONE: ("儿童独自在家", "child alone at home"),
}
"""Each flag in zh-CN and in English."""

_BY_WORD: Final = {word: flag for flag, words in WORDS.items() for word in (flag.value, *words)}
_FIRST: Final = re.compile(r"\s*([^,，、;；]*?)\s*(?:[,，、;；]|$)")
"""The first part of a text, with the separator behind it."""
_LIKE_A_FLAG: Final = re.compile(r"(?<![\w])[a-z0-9]+(?:_[a-z0-9]+)+(?![\w])")
"""Written as flags are: nobody writes free words so, and a flag mistyped must not pass for words."""


class Attention(NamedTuple):
    """What a text says: `flags` in the order of `Flag`, each once, and the free words."""

    flags: tuple[Flag, ...]
    words: str


def read_attention(text: str) -> Attention:
    """The flags that begin `text`, and the rest as free words. Takes any text."""
    found: set[Flag] = set()
    rest = text.strip()
    while rest:
        first = _FIRST.match(rest)
        flag = _BY_WORD.get(first[1].lower()) if first is not None else None
        if first is None or flag is None:
            break
        found.add(flag)
        rest = rest[first.end() :].strip()
    return Attention(tuple(flag for flag in Flag if flag in found), rest)


def check_attention(text: str) -> str:
    """`text` in its canonical form; empty where it says nothing. Raises NotAllowed, which quotes none of it.

    Canonical text comes back as it is.
    """
    said = read_attention(text)
    if _LIKE_A_FLAG.search(said.words):
        raise NotAllowed(
            "attention: something written like a flag is none, or stands behind free words: allowed are "
            f"{', '.join(Flag)}, then free words"
        )
    canonical = "; ".join(part for part in (", ".join(said.flags), said.words) if part)
    try:
        return check_note(canonical, ATTENTION_MAX, "attention")
    except NotAllowed:
        raise NotAllowed(f"attention: at most {ATTENTION_MAX} printable characters are allowed") from None


def attention_text(text: str, language: str) -> str:
    """A stored text in words: the flags in zh-CN or else English, the free words as they are."""
    said = read_attention(text)
    chinese = language == CHINESE
    flags = ("、" if chinese else ", ").join(WORDS[flag][0 if chinese else 1] for flag in said.flags)
    return ("；" if chinese else "; ").join(part for part in (flags, said.words) if part)
