"""What rules and overrides a replay goes by: those that were named, else the site's own, else the shipped.

Overrides on record hold in a recording from when to when they really did, with the places as they are now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection, inspect, select

from devices.database import reading
from devices.registry.rule_overrides import OverrideRow, ids_of, list_overrides
from devices.schema import area, rule_override
from gengfu.config import Config
from gengfu.database_here import is_here, open_here
from gengfu.following_rules import read_rule_file, stated
from gengfu.overriding import parse_overrides
from gengfu.replay.reading import RecordingError
from gengfu.replay.recorded import Book
from gengfu.rule_check import own_names
from gengfu.rulebook import fitting, own_catalogue
from rules.catalogue import Catalogue, CatalogueError, RuleFile
from rules.overrides import Override, OverrideError, Overrides, Scope


@dataclass(frozen=True, slots=True)
class About:
    """What an override is about: where it stands, the code of the place or device, and its ids in the book
    of the recording."""

    place: str
    scope: Scope
    code: str
    ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Used:
    """`rules_said` and `overrides_said` name what is used, in words; `about` what the overrides name;
    `left_out` overrides on record that do not fit the rules."""

    catalogue: Catalogue
    overrides: Overrides
    rules_said: str
    overrides_said: str
    is_the_sites: bool = False
    about: tuple[About, ...] = ()
    left_out: tuple[str, ...] = field(default=())


def used_rules(
    config: Config, book: Book, *, rules: Path | None, override: Path | None, shipped: bool
) -> Used:
    """The rules and overrides of these files; where one is not named that of the site, unless `shipped`.

    Raises RecordingError, CatalogueError, OverrideError.
    """
    own = _own(rules, "" if shipped else config.rules.file)
    catalogue = own_catalogue(own)
    rules_said = f"as shipped, with {len(own_names(own.text))} of {own.name}" if own else "as shipped"
    if override is not None:
        found = _named(override, book, catalogue, config.site.timezone)
    elif shipped:
        found = _Found()
    else:
        found = _on_record(config, book, catalogue)
    count = len(found.overrides)
    overrides_said = f"{count} of {override}" if override else f"{count} on record" if count else "none"
    sites = (own is not None and rules is None) or (override is None and count > 0)
    return Used(
        catalogue,
        Overrides.of(found.overrides),
        rules_said,
        overrides_said,
        sites,
        tuple(found.about),
        tuple(found.left_out),
    )


def used_line(used: Used) -> str:
    """For people: what is used, and how to use others."""
    others = " (--rules FILE and --override FILE try others, --shipped neither)" if used.is_the_sites else ""
    return f"rules: {used.rules_said}; overrides: {used.overrides_said}{others}"


@dataclass(slots=True)
class _Found:
    overrides: list[Override] = field(default_factory=list)
    about: list[About] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def _own(named: Path | None, sites: str) -> RuleFile | None:
    """The rule file that was named, else the site's; one of the site's that cannot be used is refused: what
    was used last instead is not what its file says."""
    if named is not None:
        return RuleFile(str(named), text_of(named))
    if not sites:
        return None
    path = Path(sites)
    try:
        file = RuleFile(path.name, read_rule_file(path))
        own_catalogue(file)
    except CatalogueError as error:
        raise CatalogueError(f"{error}; mend it, or replay with --rules FILE or --shipped") from None
    return file


def _named(file: Path, book: Book, catalogue: Catalogue, timezone: str) -> _Found:
    found = _Found()

    def resolve(scope: Scope, code: str) -> frozenset[int]:
        ids = frozenset({book.id(str(scope), code)} - {0})
        found.about.append(About(str(file), scope, code, ids))
        return ids

    text = text_of(file)
    found.overrides += parse_overrides(text, str(file), resolve, catalogue, timezone=timezone).all
    return found


def _on_record(config: Config, book: Book, catalogue: Catalogue) -> _Found:
    """All there ever were."""
    found = _Found()
    if not is_here(config):
        return found
    engine = open_here(config)
    try:
        with reading(engine) as connection:
            if rule_override.name not in inspect(connection).get_table_names():
                return found
            rows = list_overrides(connection)
            codes = _grids(connection, rows)
    finally:
        engine.dispose()
    for row in rows:
        own = codes.get(row.code, []) if row.scope == Scope.AREA else [row.code]
        _take(row, frozenset(book.id(row.scope, code) for code in own), catalogue, found)
    return found


def _take(row: OverrideRow, ids: frozenset[int], catalogue: Catalogue, found: _Found) -> None:
    place = f"override {row.id}"
    ends = [at for at in (row.until_us, row.ended_us) if at is not None]
    row = replace(row, until_us=min(ends, default=None))
    if row.until_us is not None and row.until_us <= row.from_us:
        return  # ended before it began
    try:
        found.overrides.append(fitting(stated(row, ids), catalogue))
    except OverrideError as error:
        found.left_out.append(f"{place} is left out: {error}")
    else:
        found.about.append(About(place, Scope(row.scope), row.code, ids))


def _grids(connection: Connection, rows: Sequence[OverrideRow]) -> dict[str, list[str]]:
    """By the code of an area, those of the areas below it in which buildings lie."""
    named = {(row.scope, row.code) for row in rows if row.scope == Scope.AREA}
    codes = {row.id: row.code for row in connection.execute(select(area.c.id, area.c.code))}
    below = ids_of(connection, named) if named else {}
    return {code: sorted(codes[one] for one in ids) for (_, code), ids in below.items()}


def text_of(path: Path) -> str:
    """Raises RecordingError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RecordingError(f"{path}: not UTF-8") from None
