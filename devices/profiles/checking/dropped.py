"""Values that a profile knows and that became no reading of a message, and why, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from devices.profiles.checking.done import shown
from devices.profiles.checking.places import Steps, item_paths, path_text
from devices.profiles.compiling.compiled import MISSING, Column, Items, Start, Way
from devices.profiles.general.item import circumstances
from devices.profiles.general.naming import name_of, unfit_uid
from devices.profiles.general.reaching import finder
from devices.profiles.general.walk import Bound, reach


@dataclass(frozen=True, slots=True)
class Dropped:
    """A place of the payload whose value, `raw`, became no reading, and why; `key` is where the profile names
    it, empty where it is an item as a whole."""

    path: str
    raw: str
    key: str
    why: str


def dropped(groups: Sequence[Items], tree: object, captures: Bound) -> Iterator[Dropped]:
    """Every value of a message that its groups know and drop. What they do not know is not among them."""
    for group in groups:
        for path, names in item_paths(group.each.steps, tree, captures):
            item = reach(Way(Start.PAYLOAD, path), tree, tree)
            yield from _of_item(group, item, tree, path, names)


def _of_item(group: Items, item: object, tree: object, path: Steps, names: Bound) -> Iterator[Dropped]:
    if not circumstances(group, item, tree, ()):
        yield Dropped(
            path_text(path) or "$", shown(item), "", f"the group's `when` {_failed(group, item, tree)}"
        )
        return
    if group.device and (why := unfit_uid(group.device, names, item, tree)):
        yield Dropped(path_text(path) or "$", shown(item), "", why)
    for column in group.values:
        yield from _of_column(column, item, tree, path)
    if group.name is None:
        return
    name = name_of(group.name, names, finder(item, tree))
    if name is None:
        return
    columns = group.exact.get(name)
    if columns is None:
        columns = next((some for pattern, some in group.patterns if pattern.fullmatch(name)), None)
    if columns is None and not group.units:
        yield Dropped(path_text(path) or "$", shown(item), "", f"`names` has no `{name[:80]}`")
    for column in columns or ():
        yield from _of_column(column, item, tree, path)


def _of_column(column: Column, item: object, tree: object, path: Steps) -> Iterator[Dropped]:
    raw = reach(column.way, item, tree)
    if raw is MISSING:
        return
    place = column.way.steps if column.way.start == Start.PAYLOAD else (*path, *column.way.steps)
    if not circumstances(column, item, tree, ()):
        why = f"its `when` {_failed(column, item, tree)}"
    elif raw is None and column.null_is_silence:
        why = 'null says nothing here: `null = "skip"`'
    elif raw == [] and column.list_channel is not None:
        why = "the list is empty"
    else:
        return
    yield Dropped(path_text(place) or "$", shown(raw), column.where, why)


def _failed(one: Column | Items, item: object, tree: object) -> str:
    """Which condition does not hold."""
    missing = [path_text(way.steps) for way in one.has if reach(way, item, tree) is MISSING]
    there = [path_text(way.steps) for way in one.lacks if reach(way, item, tree) is not MISSING]
    if missing:
        return f"does not hold: {', '.join(f'`{path}`' for path in missing)} is missing"
    if there:
        return f"does not hold: {', '.join(f'`{path}`' for path in there)} is there"
    wanted = ", ".join(f"`{path_text(way.steps)}`" for way in one.any)
    return f"does not hold: none of {wanted} is there"
