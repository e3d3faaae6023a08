"""Templates as profile files write them, `zigbee:{name|hex}`: text to `Pattern`, and filled to text.

`{name}` is a bound name, `{.path}` leads from the item, `{$.path}` from the payload; `{.}` is the item, `{$}`
the payload itself. Behind it stand `+1` or `-1`, then filters. A brace that is meant stands twice, `{{`. In
braces a key that holds `|`, `}` or ends in `+1` or `-1` stands in backquotes.

Errors: ValueError with a sentence that says what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final

from devices.profiles.compiling.compiled import Blank, Pattern, Way
from devices.profiles.language.paths import NAME, path_of

TEMPLATE_MAX: Final = 2000
"""Characters of a template (chosen)."""
LONGEST: Final = 4_097
"""Characters of a value that a template takes, so that a thousand items cannot each repeat a long one
(chosen: one more
than the longest reply; everything else that a template makes is shorter)."""
FILTERS: Final = ("lower", "hex")
_TOKEN: Final = re.compile(r"(\{\{|\}\})|\{((?:`(?:[^`]|``)*`|[^`{}])*)\}|([{}])")
_INSIDE: Final = re.compile(
    r"(?P<what>(?:`(?:[^`]|``)*`|[^`|])*?)(?P<plus>[+-]1)?(?P<filters>(?:\|[a-z]*)*)", re.DOTALL
)
_NAME: Final = re.compile(NAME)
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_NO_HEX: Final = str.maketrans("", "", "-: \t")
Find = Callable[[Way], Any]
"""What stands at a way; None where nothing does."""


class Varies(Enum):
    """What stands for a text that is not the same in all messages."""

    VARIES = 0


VARIES: Final = Varies.VARIES


class Cuttings(dict[str, str]):
    """What a pattern cut out of a topic, and the templates that say the same in all messages on it, each
    filled once. `filled`: by the template's identity, so only templates that live as long as these may be
    filled from it: those of a compiled profile."""

    __slots__ = ("filled",)

    def __init__(self, cut: Mapping[str, str]) -> None:
        super().__init__(cut)
        self.filled: dict[int, str | Varies | None] | None = None


def template_of(text: str) -> Pattern:
    """The pattern that `text` writes. Empty text is a pattern that fills to empty text."""
    if len(text) > TEMPLATE_MAX:
        raise ValueError(f"a template of {len(text)} characters; at most {TEMPLATE_MAX} are allowed")
    parts: list[str | Blank] = []
    for part in _parts(text):
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        elif part != "":
            parts.append(part)
    return Pattern(tuple(parts))


def fill(pattern: Pattern, bound: Mapping[str, str | int], find: Find) -> str | None:
    """The text of a pattern; None where one of its blanks has no value.

    Numbers are written as JSON does, whole ones without a point; null, text that is empty or blank, lists and
    objects are no values.
    """
    if type(bound) is not Cuttings:
        return _filled(pattern, bound, find)
    known = bound.filled
    if known is None:
        known = bound.filled = {}
    if id(pattern) not in known:
        known[id(pattern)] = VARIES if _varies(pattern) else _filled(pattern, bound, find)
    text = known[id(pattern)]
    return _filled(pattern, bound, find) if text is VARIES else text


def _varies(pattern: Pattern) -> bool:
    """Whether a template looks into the payload."""
    return bool([part for part in pattern.parts if not isinstance(part, str) and part.way is not None])


def _filled(pattern: Pattern, bound: Mapping[str, str | int], find: Find) -> str | None:
    filled = []
    for part in pattern.parts:
        if isinstance(part, str):
            filled.append(part)
            continue
        _, way, filters, plus = part
        value = bound.get(part.name) if way is None else find(way)
        text = value if type(value) is str else text_of(value)
        if text and len(text) > LONGEST:
            text = text[:LONGEST]
        if text and (plus or filters):
            text = _changed(text, plus, filters)
        if not text or text.isspace():
            return None
        filled.append(text)
    return filled[0] if len(filled) == 1 else "".join(filled)


def blanks(pattern: Pattern) -> Iterator[Blank]:
    """The blanks of a pattern, in order."""
    return (part for part in pattern.parts if isinstance(part, Blank))


def text_of(value: object) -> str | None:
    """A value of a payload as text; None where it is none."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, int) and -(10**30) < value < 10**30:
        return str(value)
    return None


def _changed(text: str, plus: int, filters: Sequence[str]) -> str | None:
    """What the blank asks to be done to a value."""
    if plus:
        if not _WHOLE.fullmatch(text):
            return None
        text = str(int(text) + plus)
    for name in filters:
        text = text.lower() if name == "lower" else _hex(text)
    return text


def _hex(text: str) -> str:
    return text.strip().lower().removeprefix("0x").translate(_NO_HEX)


def _parts(text: str) -> Iterator[str | Blank]:
    at = 0
    for found in _TOKEN.finditer(text):
        yield text[at : found.start()]
        at = found.end()
        if found[1]:
            yield found[1][0]
        elif found[3]:
            raise ValueError(
                f"`{text}`: a brace without its counterpart; `{{name}}` is a blank, "
                "`{{` and `}}` are braces"
            )
        else:
            yield _blank(text, found[2])
    yield text[at:]


def _blank(text: str, inside: str) -> Blank:
    found = _INSIDE.fullmatch(inside)
    if found is None:
        raise ValueError(
            f"`{text}`: `{{{inside}}}` is no blank; `{{name}}`, `{{.path}}` and `{{$.path}}` are"
        )
    filters = tuple(found["filters"].split("|")[1:])
    for name in filters:
        if name not in FILTERS:
            raise ValueError(f"`{text}`: no filter `{name}`; allowed: {', '.join(FILTERS)}")
    plus = int(found["plus"] or 0)
    what = found["what"]
    if _NAME.fullmatch(what):
        return Blank(what, None, filters, plus)
    if what.startswith("."):
        return Blank("", path_of(what[1:]), filters, plus)
    if what == "$" or what.startswith(("$.", "^")):
        return Blank("", path_of(what), filters, plus)
    if what.startswith("$"):
        raise ValueError(f"`{text}`: the parameter `{{{what}}}` is not among the file's `parameters`")
    raise ValueError(
        f"`{text}`: `{{{inside}}}` is no blank; `{{name}}`, `{{.path}}` and `{{$.path}}` are, "
        "a brace is written twice"
    )
