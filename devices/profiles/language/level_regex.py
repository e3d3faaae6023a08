"""Regular expressions for one level of a topic, in the subset whose matching time is bounded.

Allowed are letters and signs, `.`, classes such as `[0-9a-f]`, `\\d` `\\w` `\\s`, groups with `|`, and behind
a single sign or class `?`, `*`, `+`, `{n}`, `{n,m}`; behind a group only `?`. So no repetition stands within
another. Nothing matches `/`.

Errors: ValueError with a sentence that says what is allowed.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

REGEX_MAX: Final = 200
"""Characters of an expression (chosen)."""
OPEN_MAX: Final = 3
"""Repetitions without a fixed count in one level (chosen): their work multiplies."""
SHORT: Final = 64
"""What each of several may take at most, so that 64^3 steps are the worst."""
OPTIONAL_MAX: Final = 8
"""Optional parts in one expression (chosen): each may double the work."""
GROUPS_MAX: Final = 3
"""Groups in one expression (chosen): the work of their alternatives multiplies."""
CHOICES_BESIDE_MAX: Final = 2
"""Optional parts and groups in a level of several repetitions (chosen)."""
_ATOM: Final = re.compile(
    r"(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<escape>\\.)|(?P<open>\((?:\?:)?(?!\?))|(?P<sign>[)|.])"
    r"|(?P<plain>[^\\\[\](){}*+?.|^$/])"
)
_TIMES: Final = re.compile(r"[*+?]|\{(?P<least>[0-9]{1,3})(?P<more>,(?P<most>[0-9]{1,3})?)?\}")
_ESCAPES: Final = {"d": r"[0-9]", "D": r"[^0-9/]", "w": r"\w", "W": r"[^\w/]", "s": r"\s", "S": r"[^\s/]"}


class Fitting(NamedTuple):
    """An expression in Python's spelling, cut where the bound of each open repetition belongs.

    `varying` is how many repetitions have no fixed count, open or not; `choices` how many optional parts and
    groups there are.
    """

    parts: tuple[str, ...]
    varying: int
    choices: int = 0

    def bounded(self, most: str) -> str:
        """The expression, with each open repetition taking at most `most` ("" for any number)."""
        return f",{most}}}".join(self.parts)


ONE_LEVEL: Final = Fitting((r"[^/]{1", ""), 1)
"""A level, or a part of one, of whatever signs."""


def fitting_of(text: str) -> Fitting:
    """The expression that `text` writes."""
    if not text or len(text) > REGEX_MAX:
        raise ValueError(f"a regex of {len(text)} characters; 1 to {REGEX_MAX} are allowed")
    parts = [""]
    depth = optional = groups = varying = at = 0
    while at < len(text):
        found = _ATOM.match(text, at)
        if found is None:
            raise ValueError(f"regex `{text}`: `{text[at]}` is not allowed there; {_ALLOWED}")
        at = found.end()
        depth += {"(": 1, ")": -1}.get(found[0][0], 0) if not found["class"] else 0
        if depth < 0:
            break
        groups += found["open"] is not None
        parts[-1] += _python(text, found)
        times = _TIMES.match(text, at)
        if times is None:
            continue
        at = times.end()
        if found["open"] or found[0] == "|" or (found[0] == ")" and times[0] != "?"):
            raise ValueError(f"regex `{text}`: `{times[0]}` is not allowed behind `{found[0]}`; {_ALLOWED}")
        optional += times[0] == "?"
        varying += times[0] != "?" and (not times["least"] or bool(times["more"]))
        _repeat(text, parts, times)
    if depth != 0:
        raise ValueError(f"regex `{text}`: a bracket has no counterpart")
    if varying > OPEN_MAX or optional > OPTIONAL_MAX or groups > GROUPS_MAX:
        raise ValueError(
            f"regex `{text}`: at most {OPEN_MAX} repetitions and {OPTIONAL_MAX} optional parts "
            f"and {GROUPS_MAX} groups are allowed"
        )
    fitting = Fitting(tuple(parts), varying, optional + groups)
    try:
        re.compile(fitting.bounded(""))
    except (re.error, OverflowError) as error:
        raise ValueError(f"regex `{text}`: {error}") from None
    return fitting


_ALLOWED: Final = "allowed are signs, classes, groups with `|`, and repetitions of a single sign or class"


def _repeat(text: str, parts: list[str], times: re.Match[str]) -> None:
    """Writes a repetition behind the last atom; an open one begins a new part."""
    if int(times["most"] or 0) > SHORT:
        raise ValueError(f"regex `{text}`: `{times[0]}` goes beyond {SHORT}; `+` and `*` have no bound")
    if times[0] == "?" or times["most"] or (times["least"] and not times["more"]):
        parts[-1] += times[0]
    else:
        parts[-1] += "{" + (times["least"] or ("1" if times[0] == "+" else "0"))
        parts.append("")


def _python(text: str, found: re.Match[str]) -> str:
    """An atom in Python's spelling, never matching `/`."""
    atom = found[0]
    if found["open"]:
        return "(?:"
    if atom == ".":
        return "[^/]"
    if found["escape"]:
        if atom[1].isalnum() and atom[1] not in _ESCAPES:
            raise ValueError(f"regex `{text}`: `{atom}` is not allowed; {_ALLOWED}")
        return _ESCAPES.get(atom[1], re.escape(atom[1]))
    if found["class"]:
        return _class(text, atom)
    return atom if found["sign"] else re.escape(atom)


def _class(text: str, atom: str) -> str:
    strange = re.search(r"\\[^dws\W]|(.)\1(?<=[&|~-]{2})|\[", atom[1:])
    python = f"[^/{atom[2:]}" if atom.startswith("[^") else atom
    if strange or (python == atom and _takes_slash(text, atom)):
        raise ValueError(
            f"regex `{text}`: the class `{atom}` is not allowed; ranges, signs and \\d \\w \\s are"
        )
    return python


def _takes_slash(text: str, atom: str) -> bool:
    try:
        return re.fullmatch(atom, "/") is not None
    except re.error as error:
        raise ValueError(f"regex `{text}`: the class `{atom}`: {error}") from None
