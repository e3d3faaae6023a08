"""What rules hold, as one text: the site's own rule file, its overrides and its time zone, over the shipped
rules of this release.

The text is what the journal and snapshots keep, so that a record is evaluated again by what held when it
came. In it overrides name registry ids: what a place's code meant then.

Errors:
* CatalogueError: the own rule file cannot be used with the rules of this release.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from alerts.case import Hazard
from alerts.hazards import hazard_of
from devices.model import Severity
from gengfu.local_time import calendar_of
from gengfu.overriding import numbers_of, rule_to_override
from gengfu.shipped import shipped_catalogue, shipped_files
from rules.calendar import Calendar
from rules.catalogue import Catalogue, RuleFile, parse_files, wrong_rule
from rules.kernels.bound import BoundRule
from rules.kernels.flag import FlagRule
from rules.kernels.place import PlaceRule
from rules.overrides import Override, OverrideError, Overrides, Scope, check_override
from rules.rule import BaseRule, RuleHazard
from rules.transition import Why

TEXT_BYTES: Final = 1 << 20
"""Of a rule book: it is journalled whole whenever it changes (chosen: below the smallest slot of the reserve,
2 MB)."""


class Stated(Struct, frozen=True, rename={"raise_": "raise"}):
    """An override as it is on record; numbers as texts, empty for those that stay."""

    id: int
    rule: str
    scope: Scope
    ids: tuple[int, ...]
    from_us: int
    author: str
    reason: str
    until_us: int | None = None
    raise_: str = ""
    clear: str = ""
    hold: str = ""
    clear_hold: str = ""
    off: bool = False


class Rulebook(Struct, frozen=True):
    """`own` is the text of the site's rule file (empty: none), `name` what errors call it."""

    own: str = ""
    name: str = ""
    timezone: str = "Asia/Shanghai"
    overrides: tuple[Stated, ...] = ()

    def text(self) -> str:
        """As journal and snapshots have it; the same for the same book."""
        facts = _said(self)
        if self.overrides:
            facts["overrides"] = [_said(one) for one in self.overrides]
        return msgspec.json.encode(facts).decode()


def _said(struct: Struct) -> dict[str, Any]:
    """The fields that are not as usual, by their keys."""
    return {
        one.encode_name: getattr(struct, one.name)
        for one in msgspec.structs.fields(struct)
        if getattr(struct, one.name) != one.default
    }


class Called(NamedTuple):
    """What a rule says of its alarms where that is not as shipped: the word of its hazard, else empty, and
    its title."""

    hazard: str = ""
    title: Why | None = None


AS_SHIPPED: Final = Called()


class Settled(NamedTuple):
    """A rule book made ready for use. `left_out` says which overrides do not fit their rule, and why;
    `called` is of the rules that are not as shipped."""

    text: str
    version: int
    catalogue: Catalogue
    overrides: Overrides
    calendar: Calendar
    left_out: tuple[str, ...]
    called: Mapping[str, Called] = MappingProxyType({})


def read_rulebook(text: str) -> Rulebook:
    """The book that was written as `text`. Raises ValueError for what is none."""
    return msgspec.json.decode(text, type=Rulebook)


def own_catalogue(own: RuleFile | None) -> Catalogue:
    """The shipped rules with those of a site's own file. Raises CatalogueError.

    What the shipped rules make of life flags, a site's file may say in its own words but not take away: the
    same flag, no lesser severity, and late alarms no sooner a visit (life_safety, smoke 1 and 3).
    """
    if own is None:
        return shipped_catalogue()
    catalogue = parse_files(shipped_files(), own)
    rules = {rule.name: rule for rule in catalogue.rule}
    for shipped in shipped_catalogue().of(FlagRule):
        wrong = _taken_away(shipped, rules[shipped.name])
        if wrong:
            raise wrong_rule(own, shipped.name, wrong)
    for meeting in shipped_catalogue().of(PlaceRule):
        wrong = _meets_less(meeting, rules[meeting.name])
        if wrong and meeting.severity in (Severity.P0_PLUS, Severity.P0):
            raise wrong_rule(own, meeting.name, wrong)
    for one in shipped_catalogue().rule:
        wrong = _less_than_fire(one.name, rules[one.name])
        if wrong:
            raise wrong_rule(own, one.name, wrong)
    return catalogue


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
    for key, mine, theirs in (
        ("anchor", own.anchor, shipped.anchor),
        ("partner", own.partner, shipped.partner),
    ):
        missing = sorted(set(theirs) - set(mine))
        if missing:
            return f"key `{key}`: {', '.join(missing)} must stay in it"
    return ""


def _taken_away(shipped: FlagRule, own: BaseRule) -> str:
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


def settle(book: Rulebook) -> Settled:
    """The book ready for use. Overrides that do not fit are left out. Raises CatalogueError.

    Cost: some 50 ms.
    """
    text = book.text()
    catalogue = own_catalogue(RuleFile(book.name, book.own) if book.own else None)
    overrides, left_out = [], []
    for stated in book.overrides:
        try:
            overrides.append(fitting(stated, catalogue))
        except OverrideError as error:
            left_out.append(f"override {stated.id}: {error}")
    shipped = zlib.crc32("".join(file.text for file in shipped_files()).encode())
    version = shipped if book == Rulebook() else zlib.crc32(text.encode(), shipped)
    calendar = calendar_of(book.timezone)
    called = _called(catalogue)
    return Settled(text, version, catalogue, Overrides.of(overrides), calendar, tuple(left_out), called)


def _called(catalogue: Catalogue) -> dict[str, Called]:
    titles = {rule.name: rule.title for rule in shipped_catalogue().rule}
    found = {}
    for rule in catalogue.rule:
        hazard = "" if isinstance(rule.hazard, UnsetType) else str(rule.hazard)
        own = rule.title != titles.get(rule.name)
        said = Called(hazard, Why(rule.title.en, rule.title.zh_cn) if own else None)
        if said != AS_SHIPPED:
            found[rule.name] = said
    return found


def fitting(stated: Stated, catalogue: Catalogue) -> Override:
    """The override that was stated. Raises OverrideError where its rule cannot take it.

    How long it may last was looked at when it was made, and not again.
    """
    words = {"raise": stated.raise_, "clear": stated.clear}
    words |= {"hold": stated.hold, "clear_hold": stated.clear_hold}
    one = Override(
        id=stated.id,
        rule=stated.rule,
        scope=stated.scope,
        ids=frozenset(stated.ids),
        from_us=stated.from_us,
        until_us=stated.until_us,
        author=stated.author,
        reason=stated.reason,
        off=stated.off,
        **numbers_of(words),
    )
    check_override(one, rule_to_override(catalogue, one.rule), catalogue.of(BoundRule))
    return one
