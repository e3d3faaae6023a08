"""`gengfu route` as people and machines read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

Run = Callable[..., Result]


@pytest.fixture
def run(whole_app: typer.Typer, tmp_path: Path) -> Run:
    config = tmp_path / "gengfu.toml"
    config.write_text('data = "data"\n[broker]\nanonymous = true\n')

    def run(*words: str) -> Result:
        return CliRunner().invoke(whole_app, ["--config", str(config), *words])

    return run


def with_a_flat(run: Run) -> None:
    for words in (
        "area add g --level grid --name grid",
        "building add b3 --area g --name B3 --floors 6",
        "stair add b3-1 --building b3 --name one",
        "dwelling add b3-1-501 --stair b3-1 --floor 5 --flat 501",
        "device register zigbee:00124b0000000001 --kind smoke --profile zigbee2mqtt --dwelling b3-1-501",
        "contact add desk --name Desk",
        "contact add-channel desk --medium push --carrier webhook --address https://desk.example/hook",
        "contact bind desk --role duty_desk --area g",
        "contact add wang --name Wang",
        "contact bind wang --role family --dwelling b3-1-501",
    ):
        result = run(*words.split())
        assert result.exit_code == 0, (words, result.output)


def test_it_reads_as_a_timetable_with_those_left_out(run: Run) -> None:
    with_a_flat(run)
    shown = run("route", "zigbee:00124b0000000001", "--severity", "P0", "--at", "2026-03-01T03:00").stdout
    assert "P0 fire at 2026-03-01T03:00:00+08:00, if nobody answers:" in shown
    assert "nobody registered" not in shown
    first = next(line for line in shown.splitlines() if "at_once" in line)
    assert first.split() == ["0", "s", "at_once", "duty_desk", "desk", "push", "by", "webhook"]
    assert "no way to reach them is registered" in shown


def test_machines_get_a_line_for_each_page_and_each_who_gets_none(run: Run) -> None:
    with_a_flat(run)
    shown = run("route", "zigbee:00124b0000000001", "--json").stdout
    lines = [json.loads(line) for line in shown.splitlines()]
    told = [line for line in lines if "after_s" in line]
    assert told[0] | {"rank": 0} == {
        "after_s": 0.0, "step": "at_once", "role": "duty_desk", "contact": "desk", "rank": 0,
        "medium": "push", "carrier": "webhook", "else": [], "stands_for": [],
    }  # fmt: skip
    assert [(line["contact"], line["not_told"]) for line in lines if "not_told" in line] == [
        ("wang", "no_way")
    ]


def test_a_strangers_place_is_said_to_be_unknown(run: Run) -> None:
    with_a_flat(run)
    shown = run("route", "zigbee:00124b0000000009").stdout
    assert "nobody registered this device" in shown.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--severity", "P9"], "P0+, P0, P1, P2, P3 are allowed"),
        (["--hazard", "flood"], "fire, electrical, fault are allowed"),
    ],
)
def test_a_wrong_word_is_refused_with_what_is_allowed(run: Run, words: list[str], said: str) -> None:
    with_a_flat(run)
    result = run("route", "zigbee:00124b0000000001", *words)
    assert result.exit_code == 1
    assert said in result.stderr


def test_where_nothing_was_ever_kept_it_makes_nothing(run: Run, tmp_path: Path) -> None:
    result = run("route", "zigbee:00124b0000000001")
    assert result.exit_code == 1
    assert "begin with `gengfu up`" in result.stderr
    assert not (tmp_path / "data").exists()
