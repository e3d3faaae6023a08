"""What a profile file says of the items of a payload → `Items`."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from devices.profiles.compiling.clocks import Zones
from devices.profiles.compiling.columns import Columns
from devices.profiles.compiling.compiled import Column, Items, Start, Way
from devices.profiles.compiling.faulty import Place
from devices.profiles.language.meaning import Group, Meaning
from devices.profiles.language.paths import names_bound

_PAYLOAD: Final = Way(Start.PAYLOAD, ())
NAME_PATTERN_MAX: Final = 200
"""Characters of a name with `*` or `?` (chosen)."""


def items_of(
    place: Place, values: Mapping[str, Meaning], groups: list[Group], columns: Columns, zones: Zones
) -> tuple[Items, ...]:
    """The values of a message (or object) as a whole, where there are any, and its groups in order."""
    found = [_whole(place.at("values"), values, columns)] if values else []
    for n, group in enumerate(groups):
        found += _group(place.at("group", n), group, columns, zones)
    return tuple(found)


def _whole(place: Place, values: Mapping[str, Meaning], columns: Columns) -> Items:
    return Items(
        each=_PAYLOAD,
        name=None,
        unit=None,
        values=_values(place, values, columns),
        exact=MappingProxyType({}),
        patterns=(),
        units=MappingProxyType({}),
        has=(),
        any=(),
        lacks=(),
        clocks=(),
        backfill=None,
        stale=None,
        device=(),
        label=None,
    )


def _group(place: Place, group: Group, columns: Columns, zones: Zones) -> list[Items]:
    """The items of a group, once for each path that leads to some; the columns are the same."""
    paths = group.each if isinstance(group.each, list) else [group.each]
    ways = [place.at("each").way(path, wild=True) if path else _PAYLOAD for path in paths]
    if not ways:
        raise place.at("each").fault("an empty list; one or more paths are allowed")
    _check(place, group)
    place = place.with_names([name for way in ways for name in names_bound(way)])
    has, any_, lacks = place.at("when").when(group.when)
    values = _values(place.at("values"), group.values, columns)
    exact, patterns = _names(place.at("names"), group, columns)
    items = Items(
        each=_PAYLOAD,
        name=place.at("name").pattern_if(group.name),
        unit=place.at("unit").way_if(group.unit),
        values=values,
        exact=exact,
        patterns=patterns,
        units=_units(place.at("units"), group, columns),
        has=has,
        any=any_,
        lacks=lacks,
        clocks=zones.clocks(place.at("time"), group.time),
        backfill=place.at("backfill").way_if(group.backfill),
        stale=place.at("stale").way_if(group.stale),
        device=place.at("device").patterns(group.device),
        label=place.at("label").pattern_if(group.label),
    )
    return [replace(items, each=Way(Start.PAYLOAD, way.steps)) for way in ways]


def _check(place: Place, group: Group) -> None:
    if not (group.values or group.names or group.units or group.label):
        raise place.fault("means nothing; values, names or units are allowed")
    if group.names and not group.name:
        raise place.at("name").fault(
            "is missing: what an item of `names` calls itself, such as `{key}` or `{.n}`"
        )
    if group.name and not group.names:
        raise place.at("name").fault("has no meaning without `names`")
    if group.units and not group.unit:
        raise place.at("unit").fault("is missing: the path at which an item says its unit")
    if group.unit and not (group.units or group.names):
        raise place.at("unit").fault("has no meaning without `units` or `names`")
    if group.value and not (group.units or group.names):
        raise place.at("value").fault("has no meaning without `names` or `units`")


def _values(place: Place, values: Mapping[str, Meaning], columns: Columns) -> tuple[Column, ...]:
    return tuple(
        column for path, meaning in values.items() for column in columns.of(place.at(path), meaning, path)
    )


def _names(
    place: Place, group: Group, columns: Columns
) -> tuple[Mapping[str, tuple[Column, ...]], tuple[tuple[re.Pattern[str], tuple[Column, ...]], ...]]:
    exact: dict[str, tuple[Column, ...]] = {}
    patterns = []
    for name, meaning in group.names.items():
        found = columns.of(place.at(name), meaning, group.value, in_band=group.unit)
        if "*" in name or "?" in name:
            patterns.append((_glob(place.at(name), name), found))
        else:
            exact[name] = found
    return MappingProxyType(exact), tuple(patterns)


def _glob(place: Place, name: str) -> re.Pattern[str]:
    if len(name) > NAME_PATTERN_MAX:
        raise place.fault(f"a name pattern of {len(name)} characters; at most {NAME_PATTERN_MAX} are allowed")
    return re.compile(fnmatch.translate(name.replace("[", "[[]")))


def _units(place: Place, group: Group, columns: Columns) -> Mapping[str, tuple[Column, ...]]:
    return MappingProxyType(
        {
            unit: columns.of(place.at(unit), meaning, group.value, said_unit=unit)
            for unit, meaning in group.units.items()
        }
    )
