"""An alarm whose rule is off where it is: people are told that nothing but they end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
import typer
from sqlalchemy import Engine, update
from typer.testing import CliRunner

from alerts.acts import record_act
from alerts.case import Act
from alerts.inbox import TransitionRow, store_transitions
from alerts.settings import Settings
from alerts.turn import run_turn
from alerts.views import AlarmLine, incident_detail
from devices.database import open_database, reading, writing
from devices.model import Severity
from devices.profiles.profile import Note
from devices.schema import device
from gengfu.rulebook import Rulebook
from gengfu.unwatched import Unwatched
from ingest.notes import OURS, write_notes
from ingest.rule_notes import RULES
from rules.transition import To, Transition, Why
from tests.databases import MIGRATED, sqlite_like
from tests.gengfu.own_rules import override
from tests.gengfu.test_rule_commands import fill

NOW_US = 1_790_000_000_000_000


@dataclass
class Site:
    """A monitor `own:old` on a TN-C circuit and `own:riser` on a TT one, both heard."""

    engine: Engine
    folder: Path

    def alarm(self, rule: str, uid: str, metric: str = "", to: To = To.RAISED) -> None:
        with reading(self.engine) as connection:
            ids = {row.uid: row.id for row in connection.execute(device.select())}
        transition = Transition(
            rule, to, Severity.P1, 1, ids[uid], 0, 0, NOW_US, 0, NOW_US, Why("e", "z"), 0.0, metric=metric
        )
        with writing(self.engine) as connection:
            store_transitions(connection, [TransitionRow(transition, uid, "")])
        self.turn()

    def turn(self) -> None:
        run_turn(self.engine, Settings(b"k" * 32, "http://answers.example"), NOW_US)

    def hold(self, book: Rulebook) -> None:
        """The running service uses this book."""
        with writing(self.engine) as connection:
            write_notes(connection, [Note(OURS, RULES, "", book.text())])

    def off(self, language: str = "en") -> dict[tuple[str, str], str]:
        asked = Unwatched(lambda: NOW_US)
        with reading(self.engine) as connection:
            detail = incident_detail(connection, 1, language)
            assert detail is not None
            standing = [alarm for alarm in detail.alarms if alarm.cleared_us is None]
            return {key: why.said_in(language) for key, why in asked(connection, standing).items()}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "data").mkdir()
    engine = open_database(sqlite_like(MIGRATED, tmp_path / "data"))
    fill(engine)
    (tmp_path / "site.toml").write_text('data = "data"\n')
    yield Site(engine, tmp_path)
    engine.dispose()


def test_a_leakage_alarm_where_the_earthing_is_not_known_any_more_is_said_to_need_a_person(
    site: Site,
) -> None:
    site.alarm("L2", "own:old")
    assert site.off() == {("L2", "own:old/"): "not measurable: the earthing is TN-C or unknown"}
    assert site.off("zh-CN") == {("L2", "own:old/"): "接地方式为 TN-C 或未知，无法测量"}
    with writing(site.engine) as connection:
        connection.execute(update(device).where(device.c.uid == "own:old").values(earthing="tt"))
    assert site.off() == {}, "its rule holds again, and ends it by itself"


def test_an_override_that_switches_the_rule_off_is_named_with_its_author_and_reason(site: Site) -> None:
    site.alarm("O3", "own:riser")
    assert site.off() == {}
    with reading(site.engine) as connection:
        [number] = [row.id for row in connection.execute(device.select()) if row.uid == "own:riser"]
    site.hold(Rulebook(overrides=(override(7, "O3", ids=(number,), off=True),)))
    assert site.off() == {("O3", "own:riser/"): "switched off by override 7 (gw-3: test)"}
    assert site.off("zh-CN") == {("O3", "own:riser/"): "由调整 7（gw-3：test）停用"}


def test_an_override_that_is_over_by_now_holds_nothing_off(site: Site) -> None:
    site.alarm("O3", "own:riser")
    over = override(7, "O3", ids=(2,), off=True, until_us=NOW_US - 1)
    site.hold(Rulebook(overrides=(over,)))
    assert site.off() == {}


def test_alarms_of_life_flags_and_of_devices_that_nobody_knows_are_none_of_it(site: Site) -> None:
    site.alarm("S1", "own:riser")
    lines = [AlarmLine("O3", "own:nobody/", "own:nobody", "P1", NOW_US, None, "")]
    assert site.off() == {}
    with reading(site.engine) as connection:
        assert Unwatched(lambda: NOW_US)(connection, lines) == {}


def test_a_rule_that_watches_several_metrics_is_asked_of_the_right_one(site: Site) -> None:
    site.alarm("Q1", "own:riser", "current")
    with reading(site.engine) as connection:
        ids = [row.id for row in connection.execute(device.select())]
    site.hold(Rulebook(overrides=(override(7, "Q1", ids=tuple(ids), off=True),)))
    assert site.off().keys() == {("Q1", "own:riser//current")}


@pytest.fixture
def explain(whole_app: typer.Typer, site: Site) -> Callable[..., str]:
    def invoke(*words: str) -> str:
        config = ("--config", str(site.folder / "site.toml"))
        result = CliRunner().invoke(whole_app, ["rule", "explain", *words, *config])
        assert result.exit_code == 0, result.output
        return result.stdout

    return invoke


def test_explain_says_in_which_incident_an_alarm_is_up_and_that_a_person_must_end_it(
    site: Site, explain: Callable[..., str]
) -> None:
    site.alarm("L2", "own:old")
    site.alarm("O3", "own:riser")
    assert "its alarm is up in incident 1; a person must end it: the rule is off here now" in explain(
        "own:old"
    )
    riser = explain("own:riser")
    assert riser.count("is up in incident") == 1
    assert "a person must end it" not in riser
    told = [msgspec.json.decode(line) for line in explain("own:old", "--json").splitlines()]
    assert {one["rule"]: one["incident"] for one in told if one["incident"]} == {"L2": 1}


def test_explain_tells_of_no_alarm_that_is_over(site: Site, explain: Callable[..., str]) -> None:
    site.alarm("L2", "own:old")
    with writing(site.engine) as connection:
        record_act(connection, "once", 1, "user:x", "operator", Act.CANCEL, "meter gone", "test", NOW_US)
    site.turn()
    assert "is up in incident" not in explain("own:old")
