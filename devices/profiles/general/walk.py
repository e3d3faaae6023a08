"""From a payload's tree to findings: which values it has, whose they are and what belongs to them. Pure.

The walk judges no value. It looks at what the structure of a message consists of (keys, positions, names,
units in band, what templates need, whether something is there) and hands on the rest as it stands. Its work
grows with what
is in the message, not with what the profile knows; findings come in the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from devices.profiles.compiling.compiled import AnyKey, Items, Step
from devices.profiles.general.findings import At, Found, TooMuch, Tree
from devices.profiles.general.item import read_item
from devices.profiles.general.reaching import Above, Bound, first_time, holds, reach

__all__ = ["Bound", "Found", "TooMuch", "first_time", "holds", "items_at", "reach", "walk"]


def walk(groups: Sequence[Items], payload: Tree, bound: Bound, late: At | None, found: Found) -> None:
    """Adds to `found` what the groups find in a payload.

    `late` is the message's time, for values that have none of their own. Raises TooMuch beyond the limits;
    what was found until then stays in `found`.
    """
    for group in groups:
        steps = group.each.steps
        if not steps:
            found.item()
            read_item(group, payload, payload, (), bound, late, found)
            continue
        for item, names, above in _items(steps, payload, bound, (), found):
            found.item()
            read_item(group, item, payload, above, names, late, found)


def items_at(steps: Sequence[Step], value: Tree, bound: Bound) -> Iterator[tuple[Any, Bound]]:
    """The items that the steps of `each` lead to, with the names they bind. Empty steps: the value itself."""
    for item, names, _ in _items(tuple(steps), value, bound, (), None):
        yield item, names


def _items(
    steps: tuple[Step, ...], value: Tree, bound: Bound, above: Above, found: Found | None
) -> Iterator[tuple[Any, Bound, Above]]:
    """The same, with what each item stands in, a value for each step. What is looked into is counted by
    `found`."""
    for n, step in enumerate(steps):
        if type(step) is str or type(step) is int:
            above = (*above, value)
            if type(value) is dict and (key := str(step)) in value:
                value = value[key]
            elif type(value) is list and type(step) is int and step < len(value):
                value = value[step]
            else:
                return
            continue
        rest, above = steps[n + 1 :], (*above, value)
        if isinstance(step, AnyKey):
            below: Iterator[tuple[str | int, Any]] = iter(value.items() if type(value) is dict else ())
        else:
            below = enumerate(value, 1) if type(value) is list else iter(())
        name = step.name  # type: ignore[union-attr]
        for place, one in below:
            if found is not None:
                found.work()
            yield from _items(rest, one, {**bound, name: place} if name else bound, above, found)
        return
    yield value, bound, above
