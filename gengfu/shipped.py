"""What Gengfu ships with: the rule catalogue, read from the package, and the engine that runs it."""

from __future__ import annotations

import zlib
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from devices.model import SeriesTable
from rules.catalogue import Catalogue, parse_catalogue
from rules.engine import Engine
from rules.quantity import Level, Span
from rules.rule import Rule

_UNITS: Final = {"h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}
"""Microseconds of each unit, the longest first."""


def _text() -> str:
    return files("rules").joinpath("catalogue.toml").read_text(encoding="utf-8")


@cache
def shipped_catalogue() -> Catalogue:
    """The catalogue of this release."""
    return parse_catalogue(_text(), "rules/catalogue.toml")


def as_written(rule: Rule) -> dict[str, object]:
    """A rule with the keys of its file, numbers as text with the largest unit that fits."""
    facts: dict[str, object] = msgspec.to_builtins(rule, enc_hook=_quantity)
    return facts


def _quantity(value: object) -> str:
    if isinstance(value, Span):
        unit = next(unit for unit, length in _UNITS.items() if value % length == 0)
        return f"{value // _UNITS[unit]} {unit}"
    if isinstance(value, Level):
        return f"{value.value:g} {value.unit}".rstrip()
    raise TypeError(f"{type(value).__name__} has no form in a rule file")


class ShippedRules(Engine):
    """The engine over the shipped catalogue; `version` names it in the journal (CRC-32 of the file)."""

    def __init__(self, table: SeriesTable) -> None:
        super().__init__(shipped_catalogue(), table)
        self.version = zlib.crc32(_text().encode())
