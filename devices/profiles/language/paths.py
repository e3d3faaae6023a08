"""Paths as profile files write them, `ENERGY.Power` or `` $.`a.b`.0 ``: text to `Way`.

A step of digits (without leading zeros) is a position in a list, and the key with those digits in an object.
Errors: ValueError with a sentence that says what is allowed.
"""

from __future__ import annotations

import re
from typing import Final

from devices.profiles.compiling.compiled import AnyAt, AnyKey, Start, Step, Way

PATH_MAX: Final = 500
"""Characters of a path (chosen)."""
UP_MAX: Final = 8
"""Levels above the item (chosen)."""
STEPS_MAX: Final = 32
"""Steps of a path (chosen: deeper than any payload seen)."""
NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
"""What captures and bound names may be called."""

_STEP: Final = re.compile(
    rf"`(?P<quoted>(?:[^`]|``)*)`"
    rf"|\{{(?P<key>{NAME})?\}}"
    rf"|\[(?:\{{(?P<position>{NAME})\}})?\]"
    rf"|(?P<bare>[^.`{{}}\[\]]+)"
)
_POSITION: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_WILD: Final = frozenset("{[")


def path_of(text: str, *, wild: bool = False) -> Way:
    """The way that `text` leads. `wild`: steps `{name}` and `[]` are allowed, as in `each`.

    `services[]` is the same as `services.[]`.
    """
    if len(text) > PATH_MAX:
        raise ValueError(f"a path of {len(text)} characters; at most {PATH_MAX} are allowed")
    start, rest, up = _start(text)
    steps: list[Step] = []
    at = 0
    while at < len(rest):
        if steps:
            at = _past_dot(text, rest, at)
        found = _STEP.match(rest, at)
        if found is None:
            raise ValueError(f"`{text}` is no path: {_complaint(rest[at:])}")
        steps.append(_step(text, found, wild=wild))
        at = found.end()
    if len(steps) > STEPS_MAX:
        raise ValueError(f"`{text}` has {len(steps)} steps; at most {STEPS_MAX} are allowed")
    return Way(start, tuple(steps), up)


def names_bound(way: Way) -> tuple[str, ...]:
    """The names that the steps of `way` bind, in order."""
    return tuple(step.name for step in way.steps if isinstance(step, AnyKey | AnyAt) and step.name)


def _start(text: str) -> tuple[Start, str, int]:
    if text == "$":
        return Start.PAYLOAD, "", 0
    if text.startswith("^"):
        return _above(text)
    if text.startswith(("$.", "$[")):
        rest = text[1:].removeprefix(".")
        if not rest:
            raise ValueError(f"`{text}` ends with a dot; `$` alone is the whole payload")
        return Start.PAYLOAD, rest, 0
    return Start.ITEM, text, 0


def _above(text: str) -> tuple[Start, str, int]:
    rest = text.lstrip("^")
    up = len(text) - len(rest)
    if up > UP_MAX:
        raise ValueError(f"`{text}` leads {up} levels up; at most {UP_MAX} are allowed")
    if not rest.startswith(".") or len(rest) == 1:
        raise ValueError(
            f"`{text}` is no path: a dot and a key follow `^`; a key that begins so stands in backquotes"
        )
    return Start.ABOVE, rest[1:], up


def _past_dot(text: str, rest: str, at: int) -> int:
    if rest[at] == "[":
        return at
    if rest[at] != ".":
        raise ValueError(f"`{text}` is no path: {_complaint(rest[at:])}")
    if at + 1 == len(rest):
        raise ValueError(f"`{text}` ends with a dot; a key or a position must follow")
    return at + 1


def _step(text: str, found: re.Match[str], *, wild: bool) -> Step:
    if found[0][0] in _WILD:
        if not wild:
            raise ValueError(
                f"`{text}`: the step `{found[0]}` is allowed in `each` only; "
                "a key with such signs stands in backquotes"
            )
        return AnyKey(found["key"] or "") if found[0][0] == "{" else AnyAt(found["position"] or "")
    if found["quoted"] is not None:
        return found["quoted"].replace("``", "`")
    bare = found["bare"]
    return int(bare) if _POSITION.fullmatch(bare) else bare


def _complaint(rest: str) -> str:
    if rest.startswith("."):
        return "a step between two dots is empty"
    if rest.startswith("`"):
        return "a backquote is not closed, or no dot follows it"
    if rest.startswith(("{", "[")):
        return "`{name}`, `[]` and `[{n}]` are whole steps; a key with such signs stands in backquotes"
    return f"a dot is missing before `{rest[:20]}`"
