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
from msgspec import Struct, UnsetType

from gengfu.local_time import calendar_of
from gengfu.overriding import numbers_of, rule_to_override
from gengfu.own_limits import looser_rules, wrongs
from gengfu.shipped import shipped_catalogue, shipped_files
from rules.calendar import Calendar
from rules.catalogue import Catalogue, RuleFile, parse_files, wrong_rule
from rules.kernels.bound import BoundRule
from rules.overrides import Override, OverrideError, Overrides, Scope, check_override
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
    `called` is of the rules that are not as shipped; `looser` says which of them are less watchful."""

    text: str
    version: int
    catalogue: Catalogue
    overrides: Overrides
    calendar: Calendar
    left_out: tuple[str, ...]
    called: Mapping[str, Called] = MappingProxyType({})
    looser: tuple[str, ...] = ()


def read_rulebook(text: str) -> Rulebook:
    """The book that was written as `text`. Raises ValueError for what is none."""
    return msgspec.json.decode(text, type=Rulebook)


def own_catalogue(own: RuleFile | None) -> Catalogue:
    """The shipped rules with those of a site's own file. Raises CatalogueError.

    What it may not take away of the shipped ones is said by `gengfu.own_limits`.
    """
    if own is None:
        return shipped_catalogue()
    catalogue = parse_files(shipped_files(), own)
    for name, wrong in wrongs(catalogue):
        raise wrong_rule(own, name, wrong)
    return catalogue


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
    looser = looser_rules(catalogue) if book.own else ()
    return Settled(
        text, version, catalogue, Overrides.of(overrides), calendar, tuple(left_out), called, looser
    )


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
