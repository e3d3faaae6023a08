"""What stands at a way, and what it says of a message's structure. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from devices.profiles.compiling.compiled import MISSING, Choice, Clock, Start, Way, Word, word_of
from devices.profiles.general.findings import At, Raw, Tree

_TRUE: Final = frozenset({1.0, "true", "yes", "on"})
_WORDS: Final = frozenset({str, int, float, bool})

Bound = Mapping[str, str | int]
"""Names that the topic and the steps of `each` have bound."""
Above = tuple[Tree, ...]
"""What an item stands in, from the payload inwards: a value for each step of `each`."""


def reach(way: Way, item: Tree, payload: Tree, above: Above = ()) -> Raw:
    """What stands at the end of a way, `MISSING` where it ends before."""
    start, steps, up = way
    if start == 0:
        value = item
    elif start == Start.ABOVE:
        value = above[-up] if up <= len(above) else MISSING
    else:
        value = payload
    for step in steps:
        if type(value) is dict:
            value = value.get(step if type(step) is str else str(step), MISSING)
        elif type(value) is list and type(step) is int and step < len(value):
            value = value[step]
        else:
            return MISSING
    return value


def finder(item: Tree, payload: Tree, above: Above = ()) -> Callable[[Way], Any]:
    """`reach` from one item, as templates ask for it."""
    return lambda way: reach(way, item, payload, above)


def holds(choices: Sequence[Choice], payload: Tree) -> bool:
    """Whether all conditions hold."""
    for way, words, there in choices:
        raw = reach(way, payload, payload)
        if safe_word(raw) not in words if there is None else (raw is not MISSING) is not there:
            return False
    return True


def first_time(
    clocks: Sequence[Clock], item: Tree, payload: Tree, above: Above = (), late: At | None = None
) -> At | None:
    """The clocks that have a value, null being none, and their values in order; behind them `late`."""
    found = late
    for clock in reversed(clocks):
        raw = reach(clock.way, item, payload, above)
        if raw is not MISSING and raw is not None:
            found = At(clock, raw, found)
    return found


def is_true(raw: Raw) -> bool:
    """Whether a value that tells of structure (`stale`, `backfill`) says yes."""
    word = safe_word(raw)
    return word in _TRUE or (isinstance(word, float) and word != 0)


def safe_word(raw: Raw) -> Word | None:
    """`word_of` for whatever a payload holds; None for what is no word."""
    return word_of(raw) if type(raw) in _WORDS else None
