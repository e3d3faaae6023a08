"""What a site's own rules may not make of the shipped ones, and where they are looser without an end.

An override that loosens a rule that guards lives has to end; a rule file has no end. So what calls people to
a fire cannot be taken away by one, and where another rule of P0 or P1 is less watchful than the shipped one,
that is allowed and said for as long as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import UNSET

from alerts.case import Hazard
from alerts.hazards import hazard_of
from devices.model import Severity
from gengfu.shipped import shipped_catalogue
from rules.catalogue import Catalogue
from rules.kernels.flag import FlagRule
from rules.kernels.gate import GateRule
from rules.kernels.place_rule import PlaceRule
from rules.loosening import looser
from rules.overrides import LIFE_SAFETY
from rules.rule import BaseRule, HeldRule, RuleHazard

_WORDS: Final = frozenset({"name", "title", "source", "severity", "hazard"})
"""Keys that change nothing of when an alarm comes and goes; severity and hazard are looked at otherwise."""


def wrongs(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """What of the shipped rules `catalogue` has taken away: the rule's name, and which key and what is
    allowed.

    What the shipped rules make of life flags, a site's file may say in its own words but not take away: the
    same flag, no lesser severity, and late alarms no sooner a visit (life_safety, smoke 1 and 3). What
    confirms a fire goes on confirming it. No rule that guards lives is made lesser or switched off by a gate.
    """
    rules = {rule.name: rule for rule in catalogue.rule}
    for shipped in shipped_catalogue().rule:
        own = rules[shipped.name]
        if own != shipped and (wrong := _taken_away(shipped, own)):
            yield shipped.name, wrong
    for gate in catalogue.of(GateRule):
        shut = sorted({*gate.gates} & {*shipped_catalogue().order()} - shipped_catalogue().gated())
        if shut:
            yield gate.name, f"key `gates`: {', '.join(shut)} must hold whatever the earthing is"


def looser_rules(catalogue: Catalogue) -> tuple[str, ...]:
    """Sentences, of the rules of `catalogue` that guard lives and are less watchful than the shipped ones."""
    rules = {rule.name: rule for rule in catalogue.rule}
    known = ((one.name, _how(one, rules[one.name])) for one in shipped_catalogue().rule)
    return tuple(
        f"{name} is looser than shipped: {how}; there is no end to it, an override has one"
        for name, how in known
        if how
    )


def _taken_away(shipped: BaseRule, own: BaseRule) -> str:
    wrong = ""
    if isinstance(shipped, FlagRule):
        wrong = _hears_less(shipped, own)
    if isinstance(shipped, PlaceRule) and shipped.severity in (Severity.P0_PLUS, Severity.P0):
        wrong = _meets_less(shipped, own)
    if not wrong and shipped.severity in LIFE_SAFETY and own.severity.rank > shipped.severity.rank:
        wrong = f"key `severity`: {shipped.severity} or worse is allowed"
    return wrong or _less_than_fire(shipped.name, own)


def _less_than_fire(name: str, own: BaseRule) -> str:
    """What speaks of a fire as shipped must go on doing so."""
    if hazard_of(name) is not Hazard.FIRE or own.hazard in (UNSET, RuleHazard.FIRE):
        return ""
    return f"key `hazard`: `{own.hazard}`; only `{RuleHazard.FIRE}` is allowed for {name}"


def _meets_less(shipped: PlaceRule, own: BaseRule) -> str:
    """What confirms a fire must go on confirming it."""
    if not isinstance(own, PlaceRule) or own.scope is not shipped.scope:
        return f"key `kernel`: it is a `place` rule of a {shipped.scope}; nothing else is allowed"
    if own.severity.rank > shipped.severity.rank:
        return f"key `severity`: {shipped.severity} or worse is allowed"
    if own.within < shipped.within:
        return f"key `within`: {shipped.within // 1_000_000} s or more is allowed"
    for key in ("anchor", "partner"):
        missing = sorted({*getattr(shipped, key)} - {*getattr(own, key)})
        if missing:
            return f"key `{key}`: {', '.join(missing)} must stay in it"
    for key in ("apart", "across"):
        if getattr(own, key) is not getattr(shipped, key):
            return f"key `{key}`: only `{str(getattr(shipped, key)).lower()}` is allowed"
    if shipped.standing and not own.standing:
        return "key `standing`: only `true` is allowed"
    return "" if own.mark == shipped.mark else f"key `mark`: only `{shipped.mark}` is allowed"


def _hears_less(shipped: FlagRule, own: BaseRule) -> str:
    """What a life flag tells must go on being told."""
    if not isinstance(own, FlagRule) or own.metric is not shipped.metric:
        return f"key `metric`: it watches `{shipped.metric_name}` with kernel `flag`; nothing else is allowed"
    if own.severity.rank > shipped.severity.rank:
        return f"key `severity`: {shipped.severity} or worse is allowed"
    if own.visit_severity.rank > shipped.visit_severity.rank:
        return f"key `visit_severity`: {shipped.visit_severity} or worse is allowed"
    if own.second_fire_after > shipped.second_fire_after:
        return f"key `second_fire_after`: {shipped.second_fire_after // 1_000_000} s or less is allowed"
    if own.visit_after < shipped.visit_after:
        return f"key `visit_after`: {shipped.visit_after // 1_000_000} s or more is allowed"
    return ""


def _how(shipped: BaseRule, own: BaseRule) -> str:
    """What makes `own` less watchful; of what is refused, nothing."""
    if own == shipped or shipped.severity not in LIFE_SAFETY or isinstance(shipped, PlaceRule):
        return ""
    if isinstance(shipped, FlagRule) and isinstance(own, FlagRule):
        return "`clear_hold` is shorter" if own.clear_hold < shipped.clear_hold else ""
    if isinstance(shipped, HeldRule) and isinstance(own, HeldRule):
        return looser(own, shipped)
    if type(own) is not type(shipped):
        return "it is of another kind"
    fields = [one for one in msgspec.structs.fields(shipped) if one.name not in _WORDS]
    other = [one.encode_name for one in fields if getattr(own, one.name) != getattr(shipped, one.name)]
    return f"`{other[0]}` is another, and nobody can say that it is no later" if other else ""
