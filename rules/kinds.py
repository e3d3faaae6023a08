"""The kinds of catalogue entries, and the kernel of each that is judged on series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rules.judged import JudgedKernel
from rules.kernels.flag import FlagRule
from rules.kernels.place import PlaceRule
from rules.kernels.threshold import ThresholdKernel, ThresholdRule
from rules.rule import BaseRule, HeldRule

Rule = FlagRule | ThresholdRule | PlaceRule
"""Every kind that a rule file can hold."""

JUDGED: Final[tuple[tuple[type[HeldRule], type[JudgedKernel[Any]]], ...]] = (
    (ThresholdRule, ThresholdKernel),
)
"""Kinds that are measured and judged, each with its kernel."""

KINDS: Final[dict[str, type[BaseRule]]] = {
    "flag": FlagRule,
    "place": PlaceRule,
    **{str(rule.__struct_config__.tag): rule for rule, _ in JUDGED},
}
"""Kinds by what the key `kernel` calls them."""


def references(rule: Rule) -> Iterator[tuple[str, tuple[str, ...], tuple[type[BaseRule], ...]]]:
    """What other rules a rule names: the key, the names, and the kinds that may stand there."""
    if isinstance(rule, PlaceRule):
        yield "anchor", rule.anchor, ON_SERIES
        yield "partner", rule.partner, ON_SERIES


ON_SERIES: Final[tuple[type[BaseRule], ...]] = (FlagRule, HeldRule)
"""Kinds whose alarms are about series, and can meet in a place."""
