"""Places of a payload, as an explanation names them: paths of items, and what nothing looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from devices.profiles.compiling.compiled import Start, Step, Way
from devices.profiles.fast.interest import Interest, Uses
from devices.profiles.general.walk import Bound, items_at, reach

Steps = tuple[Step, ...]
_LOOKED_AT: Final = Uses.VALUE | Uses.OPERAND | Uses.TIME | Uses.SEQ | Uses.STRUCTURE | Uses.NAMING


def item_paths(steps: Steps, tree: object, captures: Bound) -> Iterator[tuple[Steps, Bound]]:
    """The paths of the items that `each` leads to, in the order of `items_at`, and the names bound there."""
    if not steps:
        yield (), captures
        return
    last = steps[-1]
    for path, names in item_paths(steps[:-1], tree, captures):
        item = reach(Way(Start.PAYLOAD, path), tree, tree)
        keys: Iterator[Step] = iter(())
        if isinstance(item, dict):
            keys = iter(item)
        elif isinstance(item, list):
            keys = iter(range(len(item)))
        for _, below in items_at((last,), item, names):
            yield (*path, last if isinstance(last, str | int) else next(keys)), below


def not_looked_at(tree: object, looks: Sequence[Interest], path: Steps) -> Iterator[Steps]:
    """The topmost places that nothing looks at; `looks` are all that look at this one."""
    if not looks:
        yield path
    elif any(one.uses & _LOOKED_AT for one in looks):
        return
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from not_looked_at(value, _looks_at_key(looks, key), (*path, key))
    elif isinstance(tree, list):
        for n, value in enumerate(tree):
            below = [place for one in looks for place in (one.positions.get(n), one.any_position) if place]
            yield from not_looked_at(value, below, (*path, n))
    elif not any(one.uses & Uses.VISITED for one in looks):
        yield path


def _looks_at_key(looks: Sequence[Interest], key: str) -> list[Interest]:
    """A position of a path is a key where an object stands."""
    position = int(key) if key.isdecimal() and len(key) < 10 else -1
    places = ((one.keys.get(key), one.any_key, one.positions.get(position)) for one in looks)
    return [place for some in places for place in some if place]


def path_text(steps: Sequence[Step]) -> str:
    """A path as profile files write it."""
    return ".".join(_step_text(step) for step in steps)


def _step_text(step: Step) -> str:
    text = str(step)
    plain = isinstance(step, int) or (text and not set(text) & set(".`{}[]"))
    return text if plain else "`" + text.replace("`", "``") + "`"
