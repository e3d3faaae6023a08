"""`gengfu contact …`: who is bound to what, who stands in, who is resolved for a place."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from devices.commands import Desk, apps

Run = Callable[..., Result]


@pytest.fixture
def run(desk: Desk) -> Run:
    """Runs `gengfu contact <words>`; gives the result."""

    def run(words: str, *more: str, app: str = "contact", code: int = 0) -> Result:
        result = CliRunner().invoke(apps[app], [*words.split(), *more], obj=desk)
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def block(run: Run) -> None:
    run("add C --level city --name 演示市", app="area")
    run("add K --level community --name 幸福里社区 --parent C", app="area")
    run("add B --name 3号楼 --area K --floors 6", app="building")
    run("add S1 --name 1单元 --building B", app="stair")
    run("add 501 --stair S1 --floor 5 --flat 501", app="dwelling")
    for code in ("worker", "stand-in"):
        run(f"add {code} --name 示例")
        run(f"add-channel {code} --medium sms --carrier webhook --address https://sms.example/{code}")


def objects(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def clock(**ahead: float) -> str:
    """A time from now as people type it, in UTC."""
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


pytestmark = pytest.mark.usefixtures("block")


def test_binding_again_changes_what_is_said_and_keeps_the_rest_and_the_history(run: Run) -> None:
    run("bind worker --role grid_worker --area K --rank 2 --delay 30 --quiet 22:00-07:00")
    changed = run("bind worker --role grid_worker --area K --quiet 23:00-06:00 --json")
    assert objects(changed)[0]["changed"] is True
    [_, bound] = objects(run("show worker --json"))
    assert (bound["rank"], bound["delay_s"], bound["quiet"]) == (2, 30, "23:00-06:00")
    run("bind worker --role grid_worker --area K --quiet", "")
    assert [one["quiet"] for one in objects(run("show worker --history --json"))[1:]] == [
        "22:00-07:00", "23:00-06:00", "",
    ]  # fmt: skip
    refused = run("bind worker --role grid_worker --area K --rank 2", code=1)
    assert "already" in refused.stderr


def test_a_brigade_agrees_to_unconfirmed_alarms_and_takes_it_back(run: Run) -> None:
    run("bind worker --role fire_brigade --area C --takes-unconfirmed")
    run("bind worker --role fire_brigade --area C --rank 3")
    assert objects(run("show worker --json"))[1]["takes_unconfirmed"] is True
    run("bind worker --role fire_brigade --area C --confirmed-only")
    assert objects(run("show worker --json"))[1]["takes_unconfirmed"] is False


@pytest.mark.parametrize(
    ("role", "place", "words"),
    [
        ("grid_worker", "--area K", "that area and everything in it"),
        ("volunteer", "--building B", "that building and every dwelling in it"),
        ("volunteer", "--stair S1", "every dwelling on that stair"),
        ("family", "--dwelling 501", "that dwelling"),
        ("neighbour", "--dwelling 501", "up to 1 floor away, not that one"),
    ],
)
def test_showing_a_contact_says_for_which_dwellings_a_binding_holds(
    run: Run, role: str, place: str, words: str
) -> None:
    run(f"bind worker --role {role} {place}")
    assert words in run("show worker").stdout


def test_who_lists_everybody_an_alarm_there_concerns_and_where_the_binding_hangs(run: Run) -> None:
    run("bind worker --role grid_worker --area K --rank 2 --delay 30 --quiet 22:00-07:00")
    run("substitute worker stand-in --until", clock(days=3))
    first, second = objects(run("who --dwelling 501 --json"))
    assert first == {
        "contact": "worker", "role": "grid_worker", "rank": 2, "delay_s": 30, "quiet": "22:00-07:00",
        "stands_for": [], "away": True, "ways": 1, "takes_unconfirmed": False, "place_kind": "area",
        "place": "K",
    }  # fmt: skip
    assert (second["contact"], second["stands_for"], second["quiet"]) == ("stand-in", ["worker"], "")
    assert [one["contact"] for one in objects(run("who --building B --json"))] == ["worker", "stand-in"]
    assert "stand-in" in run("who --dwelling 501").stdout


def test_who_says_who_was_there_then_and_who_will_be(run: Run) -> None:
    run("bind worker --role grid_worker --area K")
    run("substitute worker stand-in --from", clock(days=1), "--until", clock(days=2))
    when = {
        "before": clock(hours=-1),
        "now": clock(minutes=1),
        "away": clock(hours=36),
        "back": clock(days=3),
    }
    found = {
        name: [one["contact"] for one in objects(run("who --dwelling 501 --json --at", at))]
        for name, at in when.items()
    }
    assert found == {"before": [], "now": ["worker"], "away": ["worker", "stand-in"], "back": ["worker"]}


def test_where_nobody_is_bound_it_says_so(run: Run) -> None:
    nobody = run("who --dwelling 501")
    assert nobody.stdout == ""
    assert "told to nobody" in nobody.stderr


def test_a_substitution_is_listed_shown_and_cancelled(run: Run) -> None:
    made = run("substitute worker stand-in --role grid_worker --until", clock(days=3), "--json")
    number = objects(made)[0]["substitution"]
    [row] = objects(run("substitutions --json"))
    assert (row["id"], row["contact"], row["substitute"], row["role"]) == (
        number, "worker", "stand-in", "grid_worker",
    )  # fmt: skip
    assert objects(run("show stand-in --json"))[1]["contact"] == "worker"
    run(f"cancel-substitution {number}")
    assert objects(run("substitutions --json")) == []
    assert objects(run("substitutions --history --json"))[0]["cancelled_at"] is not None
    assert "to come" in run(f"cancel-substitution {number}", code=1).stderr


def test_a_time_without_an_offset_is_that_of_the_site(run: Run, desk: Desk) -> None:
    day = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    run(f"substitute worker stand-in --from {day}T08:00 --until {day}T18:00")
    [row] = objects(run("substitutions --json"))
    assert (row["from_at"], row["until_at"]) == (f"{day}T00:00:00+00:00", f"{day}T10:00:00+00:00")
    elsewhere = Desk(engine=desk.engine, vault=desk.vault, by="installer", timezone="UTC")
    words = f"substitute stand-in worker --from {day}T08:00 --until {day}T18:00".split()
    said = CliRunner().invoke(apps["contact"], words, obj=elsewhere)
    assert f"from {day} 08:00 until {day} 18:00" in said.stdout
    assert objects(run("substitutions --json"))[1]["from_at"] == f"{day}T08:00:00+00:00"


def test_a_time_that_is_none_is_wrong_usage(run: Run) -> None:
    assert "no time" in run("substitute worker stand-in --until tomorrow", code=2).output
    assert "no time" in run("who --dwelling 501 --at noon", code=2).output


def test_channels_get_another_order_and_end(run: Run) -> None:
    run("add-channel worker --medium push --carrier webhook --address https://push.example/w --rank 2")
    [contact] = objects(run("show worker --json"))
    sms, push = (channel["id"] for channel in contact["channels"])
    run(f"set-channel worker {sms} --rank 3")
    [contact] = objects(run("show worker --json"))
    assert [channel["id"] for channel in contact["channels"]] == [push, sms]
    assert f"(channel {push})" in run("list").stdout
    run(f"remove-channel worker {push}")
    [contact] = objects(run("show worker --json"))
    assert [channel["id"] for channel in contact["channels"]] == [sms]
    assert f"no channel {push}" in run(f"remove-channel worker {push}", code=1).stderr


def test_a_contact_gets_another_name_and_language(run: Run) -> None:
    run("set worker --name 示例丙 --language en")
    [contact] = objects(run("show worker --reveal --json"))
    assert (contact["name"], contact["language"]) == ("示例丙", "en")
    assert "zh-CN, en" in run("set worker --language fr", code=1).stderr
    assert "nothing to change" in run("set worker", code=1).stderr


@pytest.fixture
def detectors(run: Run, block: None) -> None:
    """One in the dwelling, one in the building's hall."""
    run("register own:501 --kind smoke --profile own --dwelling 501", app="device")
    run("register own:hall --kind smoke --profile own --building B", app="device")


def gaps(run: Run) -> list[tuple[str, str, str]]:
    return [(one["code"], one["kind"], one["missing"]) for one in objects(run("gaps --json"))]


NOBODY = "nobody is bound in a role told at once"


@pytest.mark.usefixtures("detectors")
def test_gaps_lists_every_place_with_a_device_and_nobody_to_tell_at_once(run: Run) -> None:
    run("bind worker --role duty_desk --area C")
    assert gaps(run) == [("501", "dwelling", NOBODY), ("B", "building", NOBODY)]
    shown = run("gaps").stdout
    assert "幸福里社区, 3号楼, 1单元, floor 5, flat 501" in shown
    run("add mute --name 示例")
    run("bind mute --role building_secretary --building B")
    muted = "no channel that can be used: mute"
    assert gaps(run) == [("501", "dwelling", muted), ("B", "building", muted)]
    run("bind worker --role family --dwelling 501")
    assert gaps(run) == [("B", "building", muted)]
    run("bind worker --role grid_worker --area K")
    nothing = run("gaps")
    assert (nothing.stdout, "somebody to tell at once" in nothing.stderr) == ("", True)


def test_a_stair_with_a_device_and_nobody_to_tell_is_a_gap_until_somebody_lives_there(run: Run) -> None:
    run("register own:hall --kind smoke --profile own --stair S1", app="device")
    assert gaps(run) == [("S1", "stair", NOBODY)]
    assert "幸福里社区, 3号楼, 1单元, common parts" in run("gaps").stdout
    run("bind worker --role neighbour --dwelling 501")
    assert gaps(run) == []


@pytest.mark.usefixtures("detectors")
def test_neighbours_do_not_count_for_a_building(run: Run) -> None:
    run("bind worker --role neighbour --building B")
    assert gaps(run) == [("B", "building", NOBODY)]


def test_a_device_that_was_retired_leaves_no_gap(run: Run) -> None:
    run("register own:hall --kind smoke --profile own --building B", app="device")
    assert [code for code, _, _ in gaps(run)] == ["B"]
    run("retire own:hall", app="device")
    assert gaps(run) == []


def test_who_adds_every_duty_desk_where_none_bound_to_the_place_can_be_reached(run: Run) -> None:
    run("add ELSEWHERE --level community --name 别处 --parent C", app="area")
    run("bind stand-in --role duty_desk --area ELSEWHERE")
    run("bind worker --role grid_worker --area K")
    run("add mute --name 示例")
    run("bind mute --role duty_desk --area K")
    told = run("who --dwelling 501 --json")
    assert [(one["contact"], one["place"]) for one in objects(told)] == [
        ("worker", "K"), ("mute", "K"), ("stand-in", "ELSEWHERE"),
    ]  # fmt: skip
    assert "every duty desk is told" in told.stderr
    run("bind worker --role duty_desk --building B")
    told = run("who --building B --json")
    assert [(one["contact"], one["role"]) for one in objects(told)] == [
        ("worker", "grid_worker"), ("worker", "duty_desk"), ("mute", "duty_desk"),
    ]  # fmt: skip
    assert told.stderr == ""


def test_who_of_a_stair_names_those_who_live_there_as_neighbours(run: Run) -> None:
    run("add child --name 示例")
    run("bind child --role family --dwelling 501")
    run("bind worker --role grid_worker --stair S1")
    told = [(one["contact"], one["role"], one["place"]) for one in objects(run("who --stair S1 --json"))]
    assert set(told) >= {("child", "neighbour", "501"), ("worker", "grid_worker", "S1")}
    assert len(told) == 2
    assert "no stair with code 'B'" in run("who --stair B", code=1).stderr


@pytest.mark.parametrize("words", ["", "--dwelling 501 --building B", "--dwelling 501 --stair S1"])
def test_who_names_the_options_it_has(run: Run, words: str) -> None:
    said = run(f"who {words}", code=2).output
    assert "--dwelling, --stair or --building" in " ".join(said.replace("│", " ").split())


def test_who_says_that_places_are_taken_as_they_lie_today(run: Run, desk: Desk) -> None:
    before = clock(hours=-1)
    run("add G --level grid --name 网格 --parent K", app="area")
    assert run("who --dwelling 501 --at", before).stderr.count("as they lie today") == 0
    run("move B --area G", app="building")
    assert "as they lie today" in run("who --dwelling 501 --at", before).stderr
    assert "as they lie today" not in run("who --dwelling 501").stderr
    assert "as they lie today" not in run("who --dwelling 501 --at", clock(hours=1)).stderr


def test_who_says_so_too_when_an_area_was_moved(run: Run) -> None:
    run("add D --level district --name 区 --parent C", app="area")
    run("move K --parent D", app="area")
    assert "as they lie today" in run("who --dwelling 501 --at", clock(hours=-1)).stderr


def test_showing_a_contact_bound_to_an_unknown_kind_of_place_works(desk: Desk, run: Run) -> None:
    run("bind worker --role grid_worker --area K")
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE binding SET place_kind = 'tower'")
    shown = CliRunner().invoke(apps["contact"], ["show", "worker"], obj=desk)
    assert "this release does not know" in shown.output
