"""What rules hold by a configuration, for commands: its own rule file and the overrides on record, as the
running service has them or will have them within seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import SQLAlchemyError

from devices.database import DriverMissing, reading
from devices.schema import rule_override
from gengfu.config import Config
from gengfu.database_here import is_here, open_here
from gengfu.following_rules import read_rule_file, stated_overrides
from gengfu.rulebook import Rulebook, Settled, Stated, own_catalogue, read_rulebook, settle
from ingest.probes.finding import Finding
from ingest.rule_notes import stored_rules
from ingest.schema import profile_note
from rules.catalogue import CatalogueError, RuleFile


class RulesHere(NamedTuple):
    """The book and what it comes to; `refused` says why the own rule file is not used, else empty."""

    book: Rulebook
    settled: Settled
    refused: str = ""


def rules_here(config: Config, connection: Connection | None, now_us: int) -> RulesHere:
    """The rules by this configuration; without a database, or with one of an earlier release, without
    overrides.

    A rule file that cannot be used is told, and what the service used last stands in for it.
    """
    last, overrides = Rulebook(), tuple[Stated, ...]()
    if connection is not None:
        tables = set(inspect(connection).get_table_names())
        if rule_override.name in tables:
            overrides = stated_overrides(connection, now_us)
        if profile_note.name in tables:
            last = _last(stored_rules(connection))
    own, name, refused = "", "", ""
    if config.rules.file:
        try:
            own, name = _own(Path(config.rules.file))
        except CatalogueError as error:
            own, name, refused = last.own, last.name, str(error)
    book = Rulebook(own, name, config.site.timezone, overrides)
    try:
        return RulesHere(book, settle(book), refused)
    except CatalogueError:  # what was used last is of another release
        book = Rulebook(timezone=book.timezone, overrides=overrides)
        return RulesHere(book, settle(book), refused)


def rules_by(config: Config, now_us: int) -> RulesHere:
    """As `rules_here`, from the database that is there; none is made."""
    if not is_here(config):
        return rules_here(config, None, now_us)
    engine = open_here(config)
    try:
        with reading(engine) as connection:
            return rules_here(config, connection, now_us)
    finally:
        engine.dispose()


def rule_findings(config: Config, now_us: int) -> Iterator[Finding]:
    """What `gengfu check` says: of the rule file, and of overrides that do not fit their rules."""
    try:
        here = rules_by(config, now_us)
    except (SQLAlchemyError, DriverMissing) as error:
        yield Finding("overrides", None, f"cannot be read: {type(error).__name__}")
        here = rules_here(config, None, now_us)
    name = f"rules {Path(config.rules.file).name}" if config.rules.file else "rules"
    kind = "with the site's own" if here.book.own else "as shipped"
    yield Finding(name, not here.refused, here.refused or f"{len(here.settled.catalogue.rule)}, {kind}")
    for why in here.settled.left_out:
        yield Finding("overrides", False, f"{why}; end it with gengfu rule override end")
    for why in here.settled.looser:
        yield Finding(name, False, why)
    if here.settled.overrides.all:
        yield Finding("overrides", True, f"{len(here.settled.overrides.in_force(now_us))} in force")


def _own(path: Path) -> tuple[str, str]:
    text = read_rule_file(path)
    own_catalogue(RuleFile(path.name, text))
    return text, path.name


def _last(text: str) -> Rulebook:
    try:
        return read_rulebook(text) if text else Rulebook()
    except ValueError:
        return Rulebook()
