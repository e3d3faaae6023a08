"""What takes the last help away says so, and the last duty desk goes only when told to."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner, Result

from devices.commands import Desk, apps

Run = Callable[..., Result]
DWELLINGS = 7


@pytest.fixture
def run(desk: Desk) -> Run:
    """Runs `gengfu contact <words>`; gives the result."""

    def run(words: str, app: str = "contact", code: int = 0) -> Result:
        result = CliRunner().invoke(apps[app], words.split(), obj=desk)
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture(autouse=True)
def block(run: Run) -> None:
    """Seven flats with a device each, a grid worker for all of them, and a duty desk."""
    run("add C --level city --name 演示市", app="area")
    run("add K --level community --name 幸福里社区 --parent C", app="area")
    run("add B --name 3号楼 --area K --floors 6", app="building")
    run("add S1 --name 1单元 --building B", app="stair")
    for n in range(1, DWELLINGS + 1):
        run(f"add 10{n} --stair S1 --floor 1 --flat 10{n}", app="dwelling")
        run(f"add own:meter-{n} --kind smoke --profile own --dwelling 10{n}", app="device")
    for code in ("worker", "desk"):
        run(f"add {code} --name 示例")
        run(f"add-channel {code} --medium sms --carrier webhook --address https://sms.example/{code}")
    run("bind worker --role grid_worker --area C")
    run("bind desk --role duty_desk --area C")


def channel_of(run: Run, code: str) -> int:
    return int(json.loads(run(f"show {code} --json").stdout.splitlines()[0])["channels"][0]["id"])


def bound(run: Run) -> list[str]:
    return [json.loads(line)["contact"] for line in run("who --dwelling 101 --json").stdout.splitlines()]


ALONE = "nobody can be told at once any more for 101, 102, 103, 104, 105 and 2 more"


def test_ending_the_last_binding_names_the_dwellings_left_alone(run: Run) -> None:
    done = run("unbind worker --role grid_worker --area C --json")
    assert ALONE in done.stderr
    assert len(json.loads(done.stdout)["left_alone"]) == DWELLINGS


def test_a_stair_with_a_detector_is_named_when_it_loses_its_last_help(run: Run) -> None:
    run("bind desk --role grid_worker --area K")
    run("add S2 --name 2单元 --building B", app="stair")
    run("add own:landing --kind smoke --profile own --stair S2", app="device")
    assert run("unbind worker --role grid_worker --area C").stderr == ""
    for n in range(1, DWELLINGS + 1):
        run(f"bind worker --role family --dwelling 10{n}")
    assert (
        "nobody can be told at once any more for S2\n"
        in run("unbind desk --role grid_worker --area K").stderr
    )


def test_removing_the_last_way_does_as_well(run: Run) -> None:
    assert ALONE in run(f"remove-channel worker {channel_of(run, 'worker')}").stderr


def test_where_somebody_else_is_told_nothing_is_said(run: Run) -> None:
    run("bind desk --role volunteer --area C")
    run("bind desk --role building_secretary --building B")
    assert run("unbind worker --role grid_worker --area C").stderr == ""
    assert run("unbind desk --role volunteer --area C").stderr == ""


@pytest.mark.parametrize("words", ["unbind desk --role duty_desk --area C", "remove-channel desk {channel}"])
def test_the_last_duty_desk_that_can_be_reached_goes_by_force_only(run: Run, words: str) -> None:
    words = words.format(channel=channel_of(run, "desk"))
    before = bound(run)
    refused = run(words, code=1)
    assert "last duty desk" in refused.stderr
    assert "--force" in refused.stderr
    assert bound(run) == before
    assert channel_of(run, "desk")
    run(f"{words} --force")
    run("bind worker --role duty_desk --area C")  # nothing stands in the way of another


def test_of_two_duty_desks_one_may_go(run: Run) -> None:
    run("bind worker --role duty_desk --area C")
    assert run("unbind desk --role duty_desk --area C").stderr == ""


def test_a_duty_desk_reached_only_through_a_substitute_keeps_it(run: Run) -> None:
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    made = run(f"substitute desk worker --until {until} --json")
    number = json.loads(made.stdout)["substitution"]
    run(f"remove-channel desk {channel_of(run, 'desk')}")
    assert "last duty desk" in run(f"cancel-substitution {number}", code=1).stderr
    run(f"cancel-substitution {number} --force")


def test_an_address_that_apprise_cannot_use_is_refused_by_its_scheme(run: Run) -> None:
    way = "add-channel worker --medium sms --carrier apprise --address"
    refused = run(f"{way} foo://13800138000", code=1)
    assert "no service foo://" in refused.stderr
    assert "138" not in refused.output
    run(f"{way} json://example.org/x")


def test_a_channel_that_is_not_theirs_is_said_by_name(run: Run) -> None:
    assert "contact 'worker' has no channel 99" in run("set-channel worker 99 --rank 2", code=1).stderr


def test_each_object_of_a_shown_contact_says_what_it_is(run: Run) -> None:
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    run(f"substitute worker desk --until {until}")
    shown = [json.loads(line) for line in run("show worker --json").stdout.splitlines()]
    assert [one["form"] for one in shown] == ["contact", "binding", "substitution"]
    assert set(shown[0]) >= {"code", "name", "language", "channels", "erased_at"}


def test_looks_say_at_and_take_every_time_that_other_commands_take(run: Run) -> None:
    run("list --reveal")
    [first, _] = [
        json.loads(line) for line in run("looks --json --since 2020-11-22T08:00").stdout.splitlines()
    ]
    assert "at" in first
    assert "at_at" not in first
    assert run("looks --json --since 2099-01-01").stdout == ""
    run("looks --since yesterday", code=2)
