"""Texts that a provider has approved, with places that we fill: what may stand there, and how it reads. Pure.

Aliyun writes its places `${name}`, Tencent `{1}`. The fixed part cannot be changed without the provider; a
value that breaks its rules makes the provider refuse the whole message. So values are made to fit:

* a line of its own without control characters; 【】, which marks the signature, becomes （）;
* no web or IP address, unless the template was approved for them: both vendors refuse links in variables
  (Aliyun isv.PARAM_NOT_SUPPORT_URL, Tencent error 1048), so that a place for `link` gets `code` instead;
* not longer than the place, and all together not longer than the template may be in all, cut at a whole
  character with …; `code` and `link` are whole or not there;
* never empty: a place with nothing to say gets `-` (whether the vendors take empty values is not verified).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import mul
from typing import Final

from alerts.channels.channel import PARTS

NOTHING: Final = "-"
_PLACE: Final = re.compile(r"\$\{([A-Za-z0-9_]{1,64})\}|\{([0-9]{1,3})\}")
_WEB: Final = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,15}://|www\.)[^\s，。；、（）]+|(?<![0-9])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9])",
    re.IGNORECASE,
)
_WHOLE: Final = frozenset({"code", "link"})
_BRACKETS: Final = str.maketrans("【】", "（）")
_LONGEST: Final = 4_000
"""Characters of a part that are looked at: no message is longer, so that any part takes bounded time."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One place: its name in the provider's text, which of `PARTS` fills it, how many characters it takes.

    Aliyun's place for other content takes 1 to 35 characters; Tencent shows the number in its console when
    a template is made (6 or 12 are usual). Both count every character as one.
    """

    name: str
    part: str
    most: int


@dataclass(frozen=True, slots=True)
class Template:
    """What the provider approved: its `code`, its `text`, and the places in the order of the provider.

    `carries_links`: the provider lets values hold web addresses. `in_all`: characters of the filled text
    (500 for SMS of both vendors, their signature included; 350 for calls of Tencent).
    """

    code: str
    text: str
    variables: tuple[Variable, ...]
    carries_links: bool = False
    in_all: int = 500


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of what the person reads. `variable` is empty for what is fixed; `cut`: not all of it fits."""

    text: str
    variable: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a person will read, whole and in pieces. `exceeding`: variables that lost something."""

    text: str
    pieces: tuple[Piece, ...]
    exceeding: tuple[str, ...]


def values_of(template: Template, parts: Mapping[str, str]) -> tuple[str, ...]:
    """What goes to the provider, in the order of the variables."""
    return tuple(piece.text for piece in _pieces(template, parts))


def reading_of(template: Template, parts: Mapping[str, str]) -> Reading:
    """The message as the person reads it, for the preview and for the timeline.

    A place that no variable fills stays as it is written, as a variable of its own name.
    """
    by_name = {piece.variable: piece for piece in _pieces(template, parts)}
    pieces: list[Piece] = []
    end = 0
    for match in _PLACE.finditer(template.text):
        if match.start() > end:
            pieces.append(Piece(template.text[end : match.start()]))
        name = match[1] or match[2]
        pieces.append(by_name.get(name, Piece(match[0], name)))
        end = match.end()
    if end < len(template.text):
        pieces.append(Piece(template.text[end:]))
    exceeding = tuple(one.name for one in template.variables if by_name[one.name].cut)
    return Reading("".join(piece.text for piece in pieces), tuple(pieces), exceeding)


def for_reader(template: Template, english: Template | None, language: str) -> Template:
    """The one for a reader of `language`: `english` for those who read English, where there is one."""
    return english if language == "en" and english else template


def signed(template: Template, sign_name: str) -> Template:
    """The template less the room that the provider takes for 【sign_name】 before it."""
    return replace(template, in_all=template.in_all - len(sign_name) - 2)


def faults_of(template: Template) -> tuple[str, ...]:
    """What keeps the template from being filled, in words; empty when all is well."""
    places = [match[1] or match[2] for match in _PLACE.finditer(template.text)]
    names = [one.name for one in template.variables]
    faults = [f"the place {name} has no variable" for name in dict.fromkeys(places) if name not in names]
    faults += [f"the variable {name} has no place in the text" for name in names if name not in places]
    faults += [
        f"the variable {name} is given twice" for name in dict.fromkeys(names) if names.count(name) > 1
    ]
    faults += [
        f"the variable {one.name} is filled from {one.part}, which is none of {', '.join(PARTS)}"
        for one in template.variables
        if one.part not in PARTS
    ]
    faults += [f"the variable {one.name} takes no character" for one in template.variables if one.most < 1]
    if len(_PLACE.sub("", template.text)) + len(places) > template.in_all:
        faults.append(f"the text alone is longer than {template.in_all} characters")
    return tuple(faults)


def cut(text: str, most: int) -> str:
    """Not more than `most` characters (at least 1), whole ones, the last … where something is left out."""
    if len(text) <= most:
        return text
    end = max(most - 1, 0)
    while end > 0 and unicodedata.combining(text[end]):
        end -= 1
    return text[:end] + "…"


def _pieces(template: Template, parts: Mapping[str, str]) -> list[Piece]:
    """One for each variable; where the filled text would be too long, the longest are shortened to one
    length, so that none is lost for another."""
    pieces = [_value(one, template, parts) for one in template.variables]
    names = [match[1] or match[2] for match in _PLACE.finditer(template.text)]
    times = [max(names.count(one.name), 1) for one in template.variables]
    room = template.in_all - len(_PLACE.sub("", template.text))
    most = max((len(piece.text) for piece in pieces), default=1)
    while most > 1 and sum(map(mul, _lengths(template, pieces, most), times)) > room:
        most -= 1
    return [
        Piece(cut(piece.text, length), piece.variable, cut=True) if length < len(piece.text) else piece
        for piece, length in zip(pieces, _lengths(template, pieces, most), strict=True)
    ]


def _lengths(template: Template, pieces: Sequence[Piece], most: int) -> list[int]:
    """How long each is with at most `most` characters; codes and links stay whole."""
    return [
        len(piece.text) if one.part in _WHOLE else min(len(piece.text), most)
        for one, piece in zip(template.variables, pieces, strict=True)
    ]


def _value(variable: Variable, template: Template, parts: Mapping[str, str]) -> Piece:
    part = variable.part
    if part == "link" and not template.carries_links:
        part = "code"
    raw = parts.get(part, "")
    said = _line(raw[:_LONGEST])
    text = said if template.carries_links else _line(_WEB.sub(" ", said))
    lost = text != said or len(raw) > _LONGEST
    if not text:
        return Piece(NOTHING, variable.name, cut=lost)
    if len(text) <= variable.most:
        return Piece(text, variable.name, cut=lost)
    return Piece(NOTHING if part in _WHOLE else cut(text, variable.most), variable.name, cut=True)


def _line(text: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.translate(_BRACKETS).split())
