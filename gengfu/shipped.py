"""What Gengfu ships with: the rule catalogue, read from the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from rules.catalogue import Catalogue, RuleFile, parse_files
from rules.quantity import Level, Samples, Span
from rules.rule import BaseRule

_UNITS: Final = {"h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}
"""Microseconds of each unit, the longest first."""


FAMILIES: Final = ("smoke", "offline", "current", "leakage", "temperature", "arc", "suspect")
"""The files of rules/shipped, in the order of the catalogue."""


@cache
def shipped_files() -> list[RuleFile]:
    """The rule files of this release, as they were when first asked for: a package that is replaced while a
    service runs changes no rule before its next start."""
    folder = files("rules").joinpath("shipped")
    named = [(f"{family}.toml", folder.joinpath(f"{family}.toml")) for family in FAMILIES]
    return [RuleFile(name, path.read_text(encoding="utf-8")) for name, path in named]


@cache
def shipped_catalogue() -> Catalogue:
    """The catalogue of this release."""
    return parse_files(shipped_files())


def as_written(rule: BaseRule) -> dict[str, object]:
    """A rule with the keys of its file, numbers as text with the largest unit that fits."""
    facts: dict[str, object] = msgspec.to_builtins(rule, enc_hook=quantity_text)
    return facts


def quantity_text(value: object) -> str:
    """A Span, Level or Samples as a rule file has it. Raises TypeError for anything else."""
    if isinstance(value, Span):
        if not value:
            return "0 s"
        unit = next(unit for unit, length in _UNITS.items() if value % length == 0)
        return f"{value // _UNITS[unit]} {unit}"
    if isinstance(value, Level | Samples):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in a rule file")
