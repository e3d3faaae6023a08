"""A rule as its file has it: TOML that can be copied into a file of the site's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import UNSET

from gengfu.shipped import as_written
from rules.rule import BaseRule

_FIRST: Final[tuple[str, ...]] = ("name", "kernel", "metric", "severity")
_TABLES: Final[tuple[str, ...]] = ("source",)


def toml_of(rule: BaseRule) -> str:
    """The table `[[rule]]`, without what is as usual; read again it is the same rule."""
    facts = {key: value for key, value in as_written(rule).items() if key not in _usual(rule)}
    keys = [key for key in _FIRST if key in facts]
    keys += [key for key in facts if key not in (*_FIRST, *_TABLES, "title")] + ["title"]
    lines = ["[[rule]]", *(f"{_key(key)} = {toml_text(facts[key])}" for key in keys)]
    lines += ["", "[rule.source]"]
    source = facts["source"]
    assert isinstance(source, Mapping), rule  # by its struct
    lines += [f"{_key(key)} = {toml_text(text)}" for key, text in source.items()]
    return "\n".join(lines) + "\n"


def toml_text(value: object) -> str:
    """A value in TOML: a text in quotation marks, true or false, a number, a list, or a table in braces."""
    if isinstance(value, str | bool | int | float):  # what JSON and TOML write alike
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {toml_text(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_text(one) for one in value) + "]"
    raise TypeError(f"{type(value).__name__} is in no rule")


def _usual(rule: BaseRule) -> set[str]:
    """The keys that may be left out."""
    return {
        field.encode_name
        for field in msgspec.structs.fields(rule)
        if not field.required and getattr(rule, field.name) in (_default(field), UNSET)
    }


def _default(field: msgspec.structs.FieldInfo) -> object:
    factory = field.default_factory
    return field.default if factory is msgspec.NODEFAULT else factory()


def _key(key: str) -> str:
    plain = key.replace("-", "").replace("_", "")
    return key if plain.isascii() and plain.isalnum() else json.dumps(key)
