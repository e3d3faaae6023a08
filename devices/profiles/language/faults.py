"""All that is wrong with the keys and values of a profile file, each with its place.

msgspec stops at the first fault and does not say which key of a table of paths it stands below; so it judges
single values here, and the way to them is walked by the types of `file` and `meaning`.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo

from devices.profiles.language.file import ProfileFile
from devices.profiles.language.lines import Parts, key_of
from devices.profiles.language.meaning import Value

MOST_FAULTS: Final = 50
"""No list of faults is longer (chosen: nobody reads on)."""
_WORDS: Final = {
    "object": "a table",
    "array": "a list",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}
_DATES: Final = frozenset({"date", "datetime", "time"})


class Fault(NamedTuple):
    """What is wrong at one place of a file."""

    parts: Parts
    problem: str


def faults_of(tree: dict[str, Any]) -> list[Fault]:
    """All faults of a file as tomllib reads it, at most MOST_FAULTS; none: `msgspec.convert` takes it."""
    return list(islice(_faults(tree, ProfileFile, ()), MOST_FAULTS))


def _faults(value: object, kind: object, parts: Parts) -> Iterator[Fault]:
    """Faults of one value, which should be of a kind, and of all below it."""
    kind = _chosen(value, kind)
    if isinstance(kind, type) and issubclass(kind, Struct) and isinstance(value, dict):
        yield from _faults_of_table(value, kind, parts)
    elif get_origin(kind) is dict and isinstance(value, dict):
        for key, one in value.items():
            yield from _faults(one, get_args(kind)[1], (*parts, key))
    elif get_origin(kind) is list and isinstance(value, list):
        for place, one in enumerate(value):
            yield from _faults(one, get_args(kind)[0], (*parts, place))
    else:
        problem = _problem(value, kind)
        if problem:
            yield Fault(parts, problem)


def _faults_of_table(table: dict[str, Any], kind: type[Struct], parts: Parts) -> Iterator[Fault]:
    fields = _fields_of(kind)
    begun = _begun_path(table, kind, parts) if any(key not in fields for key in table) else ""
    for key, value in table.items():
        field = fields.get(key)
        if field:
            yield from _faults(value, field.type, (*parts, key))
        else:
            path = f"a path with dots stands in quotes: {key_of((f'{begun}.{key}',))}; " if begun else ""
            yield Fault((*parts, key), f"unknown key; {path}allowed are {', '.join(fields)}")
    for key, field in fields.items():
        required = field.default is NODEFAULT and field.default_factory is NODEFAULT
        if required and key not in table and not begun:
            yield Fault((*parts, key), "is missing")


@cache
def _fields_of(kind: type[Struct]) -> dict[str, FieldInfo]:
    """The keys of a table; asking msgspec costs 0.4 ms (measured), and profiles have hundreds."""
    return {field.name: field for field in msgspec.structs.fields(kind)}


def _begun_path(table: dict[str, Any], kind: type[Struct], parts: Parts) -> str:
    """The beginning of a path that was written without quotes, so that TOML made tables of it; else empty."""
    if kind is not Value or not parts or not isinstance(parts[-1], str) or not table:
        return ""
    known = kind.__struct_fields__
    return "" if any(get_close_matches(key, known, 1) for key in table) else parts[-1]


def _chosen(value: object, kind: object) -> object:
    """Of several kinds that are allowed the one that the value seems to be meant as."""
    if get_origin(kind) is Annotated and not _has_limits(kind):
        kind = get_args(kind)[0]
    if get_origin(kind) not in (Union, types.UnionType):
        return kind
    for one in get_args(kind):
        of = get_origin(one) or one
        if isinstance(of, type) and (
            (isinstance(value, list) and of is list)
            or (isinstance(value, dict) and (of is dict or issubclass(of, Struct)))
        ):
            return one
    return kind


def _has_limits(kind: object) -> bool:
    return any(isinstance(one, msgspec.Meta) for one in get_args(kind)[1:])


def _problem(value: object, kind: object) -> str:
    """Why msgspec does not take a value, in plain words; empty if it does."""
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError) as error:
        return _said(str(error), value, kind)
    return ""


def _said(message: str, value: object, kind: object) -> str:
    described = [one.description for one in getattr(kind, "__metadata__", ()) if one.description]
    if described and isinstance(value, str):
        return f"expected {described[0]}"
    if get_origin(kind) is Literal:
        return f"expected one of {', '.join(str(one) or 'empty' for one in get_args(kind))}"
    found = re.fullmatch(r"Expected `([^`]+)`(.*?)(?:, got `([^`]+)`)?", message)
    if not found:
        return message
    wanted = " or ".join(_WORDS.get(one, one) for one in found[1].split(" | ") if one != "null")
    limit = found[2].replace(" matching regex", " that fits").replace(" of length", ", length")
    got = f", got {_WORDS.get(found[3], f'a {found[3]}')}" if found[3] else ""
    advice = "; put it in quotes" if type(value).__name__ in _DATES else ""
    return f"expected {wanted}{limit}{got}{advice}"
