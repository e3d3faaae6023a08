"""The kinds of catalogue entries, and the kernel of each that is judged on series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rules.judged import JudgedKernel
from rules.kernels.bound import BoundRule
from rules.kernels.count import CountKernel, CountRule
from rules.kernels.curve import CurveKernel, CurveRule
from rules.kernels.dark_rule import DarkRule
from rules.kernels.excess import ExcessKernel, ExcessRule
from rules.kernels.flag import FlagRule
from rules.kernels.gate import GateRule
from rules.kernels.joint import JointKernel, JointRule
from rules.kernels.mean import MeanKernel, MeanRule
from rules.kernels.neutral import NeutralKernel
from rules.kernels.neutral_rule import NeutralRule
from rules.kernels.nights import NightsKernel, NightsRule
from rules.kernels.place_rule import PlaceRule
from rules.kernels.plateau import PlateauKernel, PlateauRule
from rules.kernels.rate import RateKernel, RateRule
from rules.kernels.rise import RiseKernel, RiseRule
from rules.kernels.silence import SilenceRule
from rules.kernels.smoulder import SmoulderKernel, SmoulderRule
from rules.kernels.spread import SpreadKernel, SpreadRule
from rules.kernels.supply import SupplyKernel, SupplyRule
from rules.kernels.suspect import SuspectKernel, SuspectRule
from rules.kernels.threshold import ThresholdKernel, ThresholdRule
from rules.kernels.usual import UsualKernel, UsualRule
from rules.rule import BaseRule, HeldRule

Rule = (
    FlagRule
    | ThresholdRule
    | MeanRule
    | RateRule
    | CurveRule
    | CountRule
    | RiseRule
    | SpreadRule
    | JointRule
    | NeutralRule
    | SupplyRule
    | SmoulderRule
    | SuspectRule
    | ExcessRule
    | NightsRule
    | PlateauRule
    | UsualRule
    | PlaceRule
    | SilenceRule
    | DarkRule
    | GateRule
    | BoundRule
)
"""Every kind that a rule file can hold."""

JUDGED: Final[tuple[tuple[type[HeldRule], type[JudgedKernel[Any]]], ...]] = (
    (ThresholdRule, ThresholdKernel),
    (MeanRule, MeanKernel),
    (RateRule, RateKernel),
    (CurveRule, CurveKernel),
    (CountRule, CountKernel),
    (RiseRule, RiseKernel),
    (SpreadRule, SpreadKernel),
    (JointRule, JointKernel),
    (NeutralRule, NeutralKernel),
    (SupplyRule, SupplyKernel),
    (SmoulderRule, SmoulderKernel),
    (SuspectRule, SuspectKernel),
    (ExcessRule, ExcessKernel),
    (NightsRule, NightsKernel),
    (PlateauRule, PlateauKernel),
    (UsualRule, UsualKernel),
)
"""Kinds that are measured and judged, each with its kernel."""

KINDS: Final[dict[str, type[BaseRule]]] = {
    "flag": FlagRule,
    "place": PlaceRule,
    **{str(rule.__struct_config__.tag): rule for rule, _ in JUDGED},
    "silence": SilenceRule,
    "dark": DarkRule,
    "gate": GateRule,
    "bound": BoundRule,
}
"""Kinds by what the key `kernel` calls them."""


def references(rule: Rule) -> Iterator[tuple[str, tuple[str, ...], tuple[type[BaseRule], ...]]]:
    """What other rules a rule names: the key, the names, and the kinds that may stand there."""
    if isinstance(rule, PlaceRule):
        yield "anchor", rule.anchor, ON_SERIES
        yield "partner", rule.partner, ON_SERIES
    if isinstance(rule, CountRule):
        yield "of", rule.of, (FlagRule,)
    if isinstance(rule, GateRule):
        yield "gates", rule.gates, (HeldRule,)


def conflicts(rules: Sequence[Rule]) -> Iterator[tuple[str, str, str]]:
    """What cannot stand in one catalogue: a rule's name, the key, and why."""
    for bound in rules:
        if isinstance(bound, BoundRule):
            for rule in rules:
                yield from ((rule.name, key, problem) for key, problem in bound.breaches(rule))
    only: dict[tuple[object, ...], str] = {}
    for rule in rules:
        if isinstance(rule, SilenceRule):
            taken = only.setdefault((rule.watch, rule.long), rule.name)
            if taken != rule.name:
                yield rule.name, "watch", f"{taken} is for these devices already, with `long` the same"
        elif isinstance(rule, DarkRule):
            taken = only.setdefault((DarkRule,), rule.name)
            if taken != rule.name:
                yield rule.name, "kernel", f"{taken} is the one rule of this kind already"


ON_SERIES: Final[tuple[type[BaseRule], ...]] = (FlagRule, HeldRule)
"""Kinds whose alarms are about series, and can meet in a place."""
