"""`gengfu silence`, `gengfu drill` and `gengfu device commission`: what people see of them, and what is
refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from typer.testing import CliRunner, Result

from alerts.inbox import TransitionRow, store_transitions
from alerts.settings import Settings
from alerts.turn import run_turn
from devices.commands.desk import now_us
from devices.database import open_database, writing
from devices.model import Severity
from devices.registry.installed import register_device
from devices.registry.tree import add_area, add_building, add_stair
from rules.transition import To, Transition, Why
from tests.databases import MIGRATED, sqlite_like

Run = Callable[..., Result]
BY = {"by": "test", "now_us": 1}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A grid with a building of one stair and two devices in it."""
    (tmp_path / "data").mkdir()
    url = sqlite_like(MIGRATED, tmp_path / "data")
    engine = open_database(url)
    with writing(engine) as connection:
        add_area(connection, level="grid", code="g1", name="g1", parent_code=None, by="test", now_us=1)
        add_building(connection, area_code="g1", code="b1", name="b1", floors=6, by="test", now_us=1)
        add_stair(connection, building_code="b1", code="b1-1", name="1", by="test", now_us=1)
        for uid in ("own:d1", "own:d2"):
            register_device(
                connection, uid=uid, kind="smoke", profile="own", dwelling_code=None, building_code="b1",
                by="test", now_us=1,
            )  # fmt: skip
    engine.dispose()
    return url


@pytest.fixture
def run(whole_app: typer.Typer, url: str, tmp_path: Path) -> Run:
    file = tmp_path / "site.toml"
    file.write_text('data = "data"\n')

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(whole_app, ["--config", str(file), *words])

    return invoke


def objects(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [msgspec.json.decode(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(("group", "verb"), [("silence", "add"), ("drill", "start")])
def test_a_window_is_made_listed_and_ended_and_stays_on_record(run: Run, group: str, verb: str) -> None:
    words = (group, verb, "--building", "b1", "--for", "2h", "--reason", "roof work", "--by", "chen")
    assert objects(run(*words, "--json")) == [{"added": 1}]
    (shown,) = objects(run(group, "list", "--json"))
    assert (shown["kind"], shown["building"], shown["author"], shown["reason"]) == (
        group, "b1", "chen", "roof work",
    )  # fmt: skip
    assert shown["ended_at"] is None
    line = run(group, "list").stdout
    assert "building" in line and "roof work" in line
    assert objects(run(group, "end", "1", "--reason", "done", "--json")) == [{"ended": 1}]
    assert objects(run(group, "list", "--json")) == []
    (over,) = objects(run(group, "list", "--history", "--json"))
    assert over["end_reason"] == "done"
    assert over["ended_at"]


def test_a_device_is_commissioned_for_a_while_and_its_end_is_a_word(run: Run) -> None:
    assert "until" in run("device", "commission", "own:d1").stdout
    assert "ended" in run("device", "commission", "own:d1", "--end").stdout
    assert objects(run("device", "commission", "own:d1", "--minutes", "30", "--json")) == [{"added": 2}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("silence", "add", "--building", "b1", "--for", "8d"), "at most 7 days are allowed"),
        (("drill", "start", "--building", "b1", "--for", "9h"), "at most 480 minutes are allowed"),
        (("drill", "start", "--building", "b9", "--for", "1h"), "no building with code 'b9'"),
        (("drill", "start", "--device", "own:d9", "--for", "1h"), "no device with uid 'own:d9'"),
        (("device", "commission", "own:d1", "--minutes", "31"), "at most 30 minutes are allowed"),
        (("device", "commission", "own:d9"), "no device with uid 'own:d9'"),
        (("device", "commission", "own:d2", "--end"), "own:d2 is not being commissioned"),
        (("silence", "end", "7"), "no silence 7 that is in force or to come"),
        (("silence", "add", "--building", "b1", "--until", "2020-01-01"), "must end after it begins"),
        (
            ("drill", "start", "--building", "b1", "--from", "2090-01-01", "--until", "2090-01-02"),
            "at most 480 minutes are allowed",
        ),
        (
            ("drill", "start", "--building", "b1", "--from", "2090-01-01T08:00", "--for", "1h"),
            "at most 90 days are allowed",
        ),
        (("drill", "start", "--building", "b1", "--for", "1h", "--reason", " "), "1 to 300 printable"),
    ],
)
def test_what_is_refused_says_what_is_allowed(run: Run, words: tuple[str, ...], said: str) -> None:
    result = run(*words, *(() if "--reason" in words else ("--reason", "x")))
    assert result.exit_code == 1, result.output
    assert said in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("silence", "add", "--for", "1h"),
        ("silence", "add", "--building", "b1", "--stair", "b1-1", "--for", "1h"),
        ("silence", "add", "--building", "b1"),
        ("drill", "start", "--building", "b1", "--for", "1h", "--until", "2030-01-01"),
        ("drill", "start", "--building", "b1", "--for", "soon"),
    ],
)
def test_wrong_usage_is_exit_code_2(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words, "--reason", "x").exit_code == 2


def test_a_second_commissioning_of_a_device_is_refused(run: Run) -> None:
    assert run("device", "commission", "own:d1").exit_code == 0
    again = run("device", "commission", "own:d1")
    assert again.exit_code == 1
    assert "own:d1 is being commissioned already: end that first" in again.stderr
    assert run("device", "commission", "own:d2").exit_code == 0


def test_no_exercise_begins_where_a_real_fire_alarm_stands(run: Run, url: str) -> None:
    engine = open_database(url)
    at_us = now_us()
    transition = Transition(
        rule="S1", to=To.RAISED, severity=Severity.P0, slot=1, device=1, dwelling=0, place=0, at_us=at_us,
        nudge_ns=0, received_us=at_us, why=Why("smoke", "烟"), age_s=0.0,
    )  # fmt: skip
    with writing(engine) as connection:
        store_transitions(connection, [TransitionRow(transition, "own:d1", "")])
    run_turn(engine, Settings(b"k" * 32, ""), at_us)
    engine.dispose()
    for words in (("device", "commission", "own:d1"), ("drill", "start", "--area", "g1", "--for", "1h")):
        refused = run(*words, "--reason", "x")
        assert refused.exit_code == 1
        assert "a real fire alarm stands in incident 1: reset or close it first" in refused.stderr
    assert run("device", "commission", "own:d2").exit_code == 0
    assert run("silence", "add", "--area", "g1", "--for", "1h", "--reason", "x").exit_code == 0


def test_a_route_says_which_window_holds_people_back(run: Run) -> None:
    for words in ("contact add desk --name Desk", "contact bind desk --role duty_desk --area g1",
                  "contact add-channel desk --medium push --carrier webhook --address https://desk.example/h",
                  "contact add gw --name Gw", "contact bind gw --role grid_worker --building b1",
                  "contact add-channel gw --medium push --carrier webhook --address https://gw.example/h",
                  "device commission own:d1",
                  "silence add --building b1 --for 2h --reason roof"):  # fmt: skip
        assert run(*words.split()).exit_code == 0, words
    shown = run("route", "own:d1", "--severity", "P0")
    assert shown.exit_code == 0, shown.exception
    tested = shown.stdout
    assert "in force: commissioning 1 of device own:d1 until" in tested
    assert "the device is being commissioned: the duty desk alone is told" in tested
    lines = objects(run("route", "own:d1", "--severity", "P0", "--json"))
    assert lines[0]["window"] == "commissioning"
    assert [line["contact"] for line in lines if "after_s" in line] == ["desk"]
    held = objects(run("route", "own:d2", "--severity", "P1", "--json"))
    assert [line["not_told"] for line in held if line.get("contact") == "gw"] == ["silenced"]
    later = objects(run("route", "own:d2", "--severity", "P1", "--minutes", "180", "--json"))
    (told,) = [line for line in later if line.get("contact") == "gw" and "after_s" in line]
    assert 7100 < told["after_s"] < 7201
    fire = objects(run("route", "own:d2", "--severity", "P0", "--json"))
    assert next(line for line in fire if line.get("contact") == "gw")["after_s"] == 0.0
