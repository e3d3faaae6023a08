"""`gengfu rule check`: a site's rule file, before it is used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from tests.gengfu.own_rules import own
from tests.gengfu.program import objects

Run = Callable[..., Result]


@pytest.fixture
def run(whole_app: typer.Typer) -> Run:
    return lambda *words: CliRunner().invoke(whole_app, ["rule", "check", *words])


def test_a_rule_file_is_checked_before_it_is_used(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(own() + own(name="T1", raise_="70 degC").replace("version = 1\n", ""), encoding="utf-8")
    told = run(str(file))
    assert told.exit_code == 0
    first, numbers, second, _, last = told.stdout.splitlines()
    assert first == "K1       P2  Own rule / 自定规则"
    assert numbers == (
        "         threshold temperature: hold 0 s, clear_hold 0 s, max_gap 15 min, samples 1 of 1, "
        "where any, raise 60 degC, clear 50 degC"
    )
    assert second.startswith("T1 ") and second.endswith("(in place of the shipped one)")
    assert last == f"{file}: 2 rules, ok"
    shown = objects(run(str(file), "--json").stdout)
    assert [(one["name"], one["raise"], one["replaces"]) for one in shown] == [
        ("K1", "60 degC", False),
        ("T1", "70 degC", True),
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.toml"]


def test_a_rule_that_is_looser_than_shipped_is_taken_and_said_to_be(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(own(name="T2", severity="P1", raise_="80 degC"), encoding="utf-8")
    told = run(str(file))
    said = "T2 is looser than shipped: `raise` is a later level; there is no end to it, an override has one"
    assert (told.exit_code, told.stdout.splitlines()[2]) == (0, f"         {said}")
    [shown] = objects(run(str(file), "--json").stdout)
    assert shown["looser"] == said


@pytest.mark.parametrize(
    ("said", "line", "told"),
    [
        ({"more": 'colour = "red"'}, 13, "unknown key `colour`; allowed here: kernel, name"),
        ({"hold": "-1 s"}, 9, "key `hold`: `-1 s` is negative; a time of 0 s or more is allowed"),
        ({"raise_": "40 degC"}, 8, "key `raise`: is below `clear`; a level at or above `clear` is allowed"),
        ({"raise_": "40 V"}, 8, "key `raise`: unit `V` does not fit metric `temperature`; allowed: `degC`"),
        ({"name": "S1"}, 5, "key `kernel`: S4 of smoke.toml names S1 under `of`; allowed: flag"),
    ],
)
def test_a_wrong_rule_file_is_refused_with_line_key_and_what_is_allowed(
    run: Run, tmp_path: Path, said: dict[str, str], line: int, told: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(own(**said), encoding="utf-8")
    result = run(str(file))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"gengfu: {file}, line {line}: {told}")


def test_two_rules_of_a_name_another_version_and_no_file_at_all_are_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    for text, told in (
        (
            own() + own().replace("version = 1\n", ""),
            ", line 25: key `name`: two rules are called K1",
        ),
        (
            own().replace("version = 1", "version = 2"),
            ", line 1: key `version`: `2` is unknown; allowed: 1",
        ),
        ("", ": key `version` is missing; write version = 1"),
    ):
        file.write_text(text, encoding="utf-8")
        result = run(str(file))
        assert result.exit_code == 1 and result.stderr.startswith(f"gengfu: {file}{told}"), result.stderr
    missing = run(str(tmp_path / "none.toml"))
    assert (missing.exit_code, missing.stderr) == (
        1,
        "gengfu: none.toml: cannot be read: No such file or directory\n",
    )
