"""The command of the design, stable from the first day: what exists answers, and is listed."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from tests.gengfu.every_command import commands_of

ROOT = (
    "demo", "up", "ingest", "store", "alerts", "caretaker", "console", "answers", "check", "decode",
    "area", "building", "stair", "dwelling", "contact", "device", "user", "rule", "deadletter",
    "simulate", "bench", "replay", "route", "callbacks",
)  # fmt: skip
"""Those of the design's list that exist (drill, backup and others come later)."""
BELOW = (
    "area add", "area list", "area show",
    "building add", "building list", "building show",
    "stair add", "stair list", "stair show",
    "dwelling add", "dwelling list", "dwelling show",
    "contact add", "contact add-channel", "contact bind", "contact unbind", "contact list", "contact show",
    "device register", "device retire", "device list", "device show",
    "user add", "user list", "user show",
    "publisher add", "publisher rotate", "publisher revoke", "publisher issue", "publisher files",
    "publisher list", "publisher show", "publisher refusals", "tls init", "tls renew", "tls show",
    "rule list", "rule show", "deadletter list",
    "simulate fleet", "simulate load", "simulate faults",
    "bench ingest", "bench latency",
)  # fmt: skip
WITHOUT_JSON = {"up", "ingest", "store", "alerts", "caretaker", "console", "answers"}
"""Processes: they print no result."""


@pytest.mark.parametrize("words", [*ROOT, *BELOW])
def test_every_command_answers_help(whole_app: typer.Typer, words: str) -> None:
    result = CliRunner().invoke(whole_app, [*words.split(), "--help"])
    assert result.exit_code == 0
    assert f" {words} " in result.stdout


def test_help_lists_every_command(whole_app: typer.Typer) -> None:
    shown = CliRunner().invoke(whole_app, ["--help"]).stdout
    assert set(ROOT) <= {line.split()[1] for line in shown.splitlines() if len(line.split()) > 2}


def test_every_command_that_prints_a_result_can_print_it_as_json(whole_app: typer.Typer) -> None:
    without = {
        words
        for words, command in commands_of(whole_app).items()
        if not any("--json" in parameter.opts for parameter in command.params)
    }
    assert without == WITHOUT_JSON


def test_every_command_says_what_it_does(whole_app: typer.Typer) -> None:
    assert [words for words, command in commands_of(whole_app).items() if not command.help] == []
