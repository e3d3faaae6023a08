"""A changed rule file and changed overrides hold from the next record on; a broken file changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from structlog.testing import capture_logs

from devices.database import open_database, reading, writing
from devices.registry.errors import NotAllowed, NotThere
from devices.registry.rule_overrides import add_override, end_override, ids_of, list_overrides
from devices.registry.tree import add_area, add_building
from devices.schema import area, building, registry_change
from gengfu.following_rules import FollowingRules, first_book
from gengfu.live_rules import LiveRules
from gengfu.rulebook import Rulebook, read_rulebook
from gengfu.shipped import shipped_files
from ingest.notes import write_notes
from ingest.rule_notes import RuleNotes, rule_texts
from rules.transition import To
from tests.databases import MIGRATED, sqlite_like
from tests.gengfu.own_rules import own
from tests.gengfu.program import eventually
from tests.rules.story import WARMTH, block
from tests.rules.story import reading as observed

NOW_US = 1_790_000_000_000_000
DAY_US = 86_400_000_000


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Engine]:
    """A street with two grids, and a building in one of them."""
    engine = open_database(sqlite_like(MIGRATED, tmp_path))
    with writing(engine) as connection:
        for code, level, parent in (
            ("st", "street", None), ("co", "community", "st"), ("g1", "grid", "co"), ("g2", "grid", "st"),
        ):  # fmt: skip
            add_area(connection, level=level, code=code, name=code, parent_code=parent, by="test", now_us=1)
        add_building(connection, area_code="g1", code="b1", name="b1", floors=6, by="test", now_us=1)
    yield engine
    engine.dispose()


class Watch:
    """Rules that follow, a look at a time, as ingest would carry their notes."""

    def __init__(self, engine: Engine, file: Path | None, rules: LiveRules | None = None) -> None:
        self.rules = rules or LiveRules(block())
        self.notes = RuleNotes(self.rules.version)
        self.follows = FollowingRules(
            engine, self.rules, self.notes, str(file or ""), "Asia/Shanghai", lambda: NOW_US
        )

    def look(self, times: int = 2) -> list[str]:
        """Looks, and takes what has changed over; the texts that did."""
        found = []
        for _ in range(times):
            self.follows.look()
            for text in rule_texts(self.notes.take()):
                self.rules.change(text, NOW_US)
                found.append(text)
        return found

    def hot(self) -> bool:
        """Whether the site's own rule raises."""
        batch = observed(WARMTH, 0, 65.0)
        return ("K1", To.RAISED) in [
            (one.rule, one.to) for one in self.rules.evaluate(batch, [], batch.received_us)
        ]


def put(path: Path, text: str) -> None:
    """As an editor would, at another time than before."""
    path.write_text(text, encoding="utf-8")
    put.times += 1  # type: ignore[attr-defined]
    os.utime(path, ns=(put.times, put.times))  # type: ignore[attr-defined]


put.times = 10**18  # type: ignore[attr-defined]


def add(engine: Engine, scope: str = "building", code: str = "b1", **more: Any) -> int:
    said = {"rule": "O3", "numbers": {"raise": "50 A", "clear": "40 A"}, "reason": "test"} | more
    with writing(engine) as connection:
        return add_override(connection, about=(scope, code), from_us=0, by="gw-3", now_us=NOW_US, **said)


def test_a_file_is_used_when_it_is_the_same_at_two_looks(site: Engine, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    put(file, own())
    watch = Watch(site, file)
    assert watch.look(1) == []
    [text] = watch.look(1)
    assert read_rulebook(text) == Rulebook(own=own(), name="own.toml")
    assert watch.hot()
    assert watch.look() == [], "nothing has changed since"


def test_a_broken_file_leaves_the_rules_before_it_and_says_where(site: Engine, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    put(file, own())
    watch = Watch(site, file)
    watch.look()
    put(file, own(raise_="60 A"))
    assert watch.look() == []
    why = watch.follows.refused["own.toml"]
    assert why.startswith(
        "own.toml, line 8: key `raise`: unit `A` does not fit metric `temperature`, allowed"
    )
    assert watch.hot()
    put(file, own(raise_="90 degC"))
    assert len(watch.look()) == 1
    assert watch.follows.refused == {}
    assert not watch.hot()


def test_the_log_says_what_is_looser_than_shipped_when_it_comes_and_at_every_start(
    site: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    put(file, own(name="T2", severity="P1", raise_="80 degC"))
    watch = Watch(site, file)
    with capture_logs() as said:
        watch.look()
    again = Watch(site, file, watch.rules)
    with capture_logs() as later:
        again.follows.start()
    again.follows.stop()
    for told in (said, later):
        [why] = [one["why"] for one in told if one["event"] == "rule_looser_than_shipped"]
        assert why.startswith("T2 is looser than shipped: `raise` is a later level; there is no end to it")


@pytest.mark.parametrize("text", [b"\xff", b"no toml", b"version = 1\n" + b"#" * (1 << 20)])
def test_what_is_no_rule_file_is_refused(site: Engine, tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(text)
    watch = Watch(site, file)
    assert watch.look() == []
    assert watch.follows.refused["own.toml"].startswith("own.toml: ")


def test_after_a_restart_with_a_broken_file_what_was_used_last_holds(site: Engine, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    put(file, own())
    before = Watch(site, file)
    before.look()
    put(file, "broken")
    again = LiveRules(block())
    again.restore(before.rules.snapshot())
    watch = Watch(site, file, again)
    assert watch.look() == []
    assert "own.toml" in watch.follows.refused
    assert watch.hot()


def test_a_file_that_is_gone_takes_nothing_away_and_one_that_is_not_configured_any_more_does(
    site: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    put(file, own())
    watch = Watch(site, file)
    watch.look()
    file.unlink()
    assert watch.look() == []
    assert watch.follows.refused["own.toml"] == "own.toml: cannot be read: No such file or directory"
    assert watch.hot()
    other = Watch(site, None, watch.rules)
    assert [read_rulebook(text) for text in other.look()] == [Rulebook()]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('kernel = "flag"', 'kernel = "threshold"', "S1"),
        ('severity = "P0"', 'severity = "P1"', "key `severity`: P0 or worse"),
        ('visit_after = "30 min"', 'visit_after = "10 min"', "key `visit_after`: 1800 s or more"),
        ('second_fire_after = "60 s"', 'second_fire_after = "10 d"', "key `second_fire_after`: 60 s or less"),
        ('metric = "smoke.alarm"', 'metric = "smoke.muted"', "watches `smoke.alarm`"),
    ],
)
def test_what_smoke_means_is_not_the_sites_to_take_away(
    site: Engine, tmp_path: Path, old: str, new: str, told: str
) -> None:
    three = Path("tests/rules/three.toml").read_text(encoding="utf-8").split("[[rule]]")
    smoke = f"version = 1\n[[rule]]{three[1]}"
    file = tmp_path / "own.toml"
    put(file, smoke)
    watch = Watch(site, file)
    assert len(watch.look()) == 1, "its own numbers may be said anew"
    text = own(name="S1") if "threshold" in new else smoke.replace(old, new, 1)
    put(file, text)
    assert watch.look() == []
    assert "S1" in watch.follows.refused["own.toml"]
    assert told in watch.follows.refused["own.toml"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('severity = "P0+"', 'severity = "P3"', "key `severity`: P0+ or worse"),
        ('within = "10 min"', 'within = "0 s"', "key `within`: 600 s or more"),
        ("partner = [", 'partner = ["O2"] #', "key `partner`: A1, A1C, L2"),
    ],
)
def test_what_confirms_a_fire_is_not_the_sites_to_take_away(
    site: Engine, tmp_path: Path, old: str, new: str, told: str
) -> None:
    smoke = next(file for file in shipped_files() if file.name == "smoke.toml").text
    x1 = "version = 1\n[[rule]]" + next(part for part in smoke.split("[[rule]]") if 'name = "X1"' in part)
    file = tmp_path / "own.toml"
    put(file, x1)
    watch = Watch(site, file)
    assert len(watch.look()) == 1, "its own words may be said anew"
    assert old in x1
    put(file, x1.replace(old, new, 1))
    assert watch.look() == []
    assert told in watch.follows.refused["own.toml"]


def test_an_override_holds_for_what_its_code_means_and_ends_when_somebody_ends_it(site: Engine) -> None:
    watch = Watch(site, None)
    assert watch.look() == []
    number = add(site, "area", "st")
    [text] = watch.look()
    [stated] = read_rulebook(text).overrides
    with reading(site) as connection:
        ids = {row.code: row.id for row in connection.execute(select(area))}
    assert stated.ids == tuple(sorted(ids[code] for code in ("co", "g1", "g2"))), "where buildings can lie"
    assert (stated.id, stated.raise_, stated.author) == (number, "50 A", "gw-3")
    with writing(site) as connection:
        end_override(connection, number=number, reason="done", by="boss", now_us=NOW_US + 1)
    assert [read_rulebook(text) for text in watch.look()] == [Rulebook()]


def test_a_place_that_comes_to_lie_below_an_area_is_under_its_overrides(site: Engine) -> None:
    watch = Watch(site, None)
    add(site, "area", "g2")
    watch.look()
    with writing(site) as connection:
        add_area(connection, level="grid", code="g3", name="g3", parent_code="co", by="test", now_us=1)
    assert watch.look() == [], "elsewhere"
    add(site, "area", "co")
    watch.look()
    with writing(site) as connection:
        add_area(connection, level="grid", code="g4", name="g4", parent_code="co", by="test", now_us=1)
    assert len(watch.look()) == 1


def test_overrides_that_are_over_by_time_leave_the_book_later(site: Engine) -> None:
    watch = Watch(site, None)
    add(site, until_us=NOW_US + DAY_US)
    watch.look()
    later = FollowingRules(site, watch.rules, watch.notes, "", "Asia/Shanghai", lambda: NOW_US + 2 * DAY_US)
    later.look()
    assert [read_rulebook(text).overrides for text in rule_texts(watch.notes.take())] == [()]


def test_what_is_on_record_stays_on_record(site: Engine) -> None:
    number = add(site, reason="new riser")
    with writing(site) as connection:
        end_override(connection, number=number, reason="riser is old again", by="boss", now_us=NOW_US + 5)
        with pytest.raises(NotThere, match="no override 1 that stands"):
            end_override(connection, number=number, reason="again", by="boss", now_us=NOW_US + 6)
    with reading(site) as connection:
        assert list_overrides(connection, since_us=NOW_US + 10) == []
        [row] = list_overrides(connection)
        told = list(connection.scalars(select(registry_change.c.what)))[-2:]
    assert (row.author, row.reason, row.made_us, row.from_us) == ("gw-3", "new riser", NOW_US, NOW_US)
    assert (row.ended_us, row.ended_by, row.end_reason) == (NOW_US + 5, "boss", "riser is old again")
    assert told == ["rule override 1 add O3 building b1", "rule override 1 end"]


def test_an_unknown_place_and_an_empty_reason_are_refused(site: Engine) -> None:
    with pytest.raises(NotThere, match="no dwelling with code 'nix'"):
        add(site, "dwelling", "nix")
    with pytest.raises(NotAllowed, match="reason"):
        add(site, reason=" ")
    with reading(site) as connection:
        assert list_overrides(connection) == []
        known = connection.scalar(select(building.c.id))
        found = ids_of(connection, [("building", "b1"), ("building", "b2"), ("area", "nix")])
    assert found == {
        ("building", "b1"): frozenset({known}), ("building", "b2"): frozenset(), ("area", "nix"): frozenset(),
    }  # fmt: skip


def test_without_snapshot_and_journal_what_was_noted_last_holds(site: Engine) -> None:
    book = Rulebook(own=own(), name="own.toml")
    assert first_book(site, from_the_beginning=False) == Rulebook()
    notes = RuleNotes()
    notes.turn_to(book.text(), 1)
    with writing(site) as connection:
        write_notes(connection, notes.take())
    assert first_book(site, from_the_beginning=False) == book
    assert first_book(site, from_the_beginning=True) == Rulebook()
    notes.turn_to('{"own": "nonsense"}', 1)
    with writing(site) as connection:
        write_notes(connection, notes.take())
    assert first_book(site, from_the_beginning=False) == Rulebook()


def test_a_thread_looks_at_file_and_database_by_itself(site: Engine, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    rules, notes = LiveRules(block()), RuleNotes()
    follows = FollowingRules(site, rules, notes, str(file), "Asia/Shanghai", lambda: NOW_US, look_s=0.01)
    follows.start()
    try:
        eventually(lambda: "own.toml" in follows.refused, "a file that is not there is told")
        put(file, own())
        eventually(lambda: notes.waits, "the change is handed on")
        [text] = rule_texts(notes.take())
        assert read_rulebook(text).own == own()
        add(site)
        eventually(lambda: notes.waits, "the change is handed on")
        [text] = rule_texts(notes.take())
        assert [stated.rule for stated in read_rulebook(text).overrides] == ["O3"]
    finally:
        follows.stop()
