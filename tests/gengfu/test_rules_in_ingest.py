"""Ingest with a rule file of the site's own and overrides: over stops, crashes and broken files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from devices.database import open_database, reading, writing
from devices.registry.rule_overrides import add_override
from devices.registry.tree import add_area
from gengfu.config import Broker, Config, Rules, Site
from gengfu.ports import settle_ports
from gengfu.rulebook import read_rulebook
from gengfu.run_ingest import Ingest, compose
from ingest.journal_reader import JournalReader
from ingest.record import Record
from ingest.rule_notes import rule_texts, stored_rules
from tests.databases import MIGRATED, sqlite_like
from tests.gengfu.own_rules import own


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A site in Berlin with a rule file and an override, whose broker nobody reaches."""
    data = tmp_path / "data"
    data.mkdir()
    engine = open_database(sqlite_like(MIGRATED, data))
    with writing(engine) as connection:
        add_area(connection, level="grid", code="g1", name="g1", parent_code=None, by="test", now_us=1)
        add_override(
            connection, rule="O2", about=("area", "g1"), numbers={"hold": "20 min"}, from_us=0,
            reason="test", by="gw-3", now_us=1,
        )  # fmt: skip
    engine.dispose()
    file = tmp_path / "own.toml"
    file.write_text(own(), encoding="utf-8")
    return settle_ports(
        Config(
            data=str(data),
            site=Site(timezone="Europe/Berlin"),
            broker=Broker(anonymous=True),
            rules=Rules(file=str(file)),
        )
    )


@contextmanager
def ingest(config: Config, *, saved: bool) -> Iterator[Ingest]:
    """The process without its broker; at the end its state is saved, or it dies."""
    one = compose(config)
    try:
        one.tick.run_once(0.0)
        yield one
    finally:
        one.source.close()
        if saved:
            one.tick.save_snapshot()
        one.parts.snapshots.wait()
        one.journal.close()
        one.engine.dispose()


def texts(config: Config) -> list[str]:
    """What the journal says rules were."""
    reader = JournalReader(config.data_dir / "journal", 0)
    found = [one for some in iter(reader.read, []) for one in some]
    reader.close()
    return [text for one in found if isinstance(one, Record) for text in rule_texts(one.notes)]


@pytest.mark.parametrize("saved", [True, False])
def test_what_holds_is_journalled_once_and_found_again_after_a_stop_or_a_crash(
    config: Config, saved: bool
) -> None:
    with ingest(config, saved=saved) as one:
        book = read_rulebook(one.rules.text)
        assert (book.name, book.timezone) == ("own.toml", "Europe/Berlin")
        assert [stated.hold for stated in book.overrides] == ["20 min"]
        assert one.intake.rule_notes.version == one.rules.version
        assert one.figures()["overrides"] == 1.0
        with reading(one.engine) as connection:
            assert stored_rules(connection) == one.rules.text
    Path(config.rules.file).write_text("broken", encoding="utf-8")
    with ingest(config, saved=saved) as again:
        assert read_rulebook(again.rules.text) == book
        assert again.rules.version == one.rules.version
        assert "rules: own.toml: not TOML" in str(again.health()["trouble"])
        assert again.figures()["rules_refused"] == 1.0
    assert texts(config) == [book.text()]


def test_a_file_that_is_not_configured_any_more_ends_with_the_next_start(config: Config) -> None:
    with ingest(config, saved=True):
        pass
    with ingest(msgspec.structs.replace(config, rules=Rules()), saved=True) as one:
        assert read_rulebook(one.rules.text).own == ""
        assert one.health()["trouble"] == "no_broker"
