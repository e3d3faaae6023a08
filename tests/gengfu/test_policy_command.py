"""`gengfu policy`, and what `gengfu check` and the configuration say of policies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from alerts.policy_file import SEVERITIES
from gengfu.config_file import load_config
from gengfu.policies_here import policies_here, policy_findings
from tests.alerts.policy_texts import policies_file, shipped_policy
from tests.gengfu.program import objects

Run = Callable[..., Result]
OWN = policies_file(
    shipped_policy("P2", ("2 h", "30 min"), ("life safety", "our contract")),
    shipped_policy("P2", ("2 h", "45 min"), area="west"),
    '[deadlines.P2]\narrived = "2 h"\n',
)


@pytest.fixture
def run(whole_app: typer.Typer) -> Run:
    return lambda *words: CliRunner().invoke(whole_app, ["policy", *words])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gengfu.toml"
    path.write_text('[alerts]\npolicies = "mine.toml"\n')
    (tmp_path / "mine.toml").write_text(OWN)
    return path


def test_the_shipped_policies_are_shown_with_the_source_of_each_number(run: Run, tmp_path: Path) -> None:
    bare = tmp_path / "gengfu.toml"
    bare.write_text("")
    told = run("show", "--severity", "P1", "--config", str(bare))
    assert told.exit_code == 0
    lines = told.stdout.splitlines()
    assert lines[0] == "P1 (as shipped)"
    assert lines[4].split() == ["after", "5", "min", "secretary", "building_secretary"]
    assert any(line.strip() == "after: life safety" for line in lines)
    every = objects(run("show", "--json", "--config", str(bare)).stdout)
    assert [one["severity"] for one in every if "steps" in one] == list(SEVERITIES)
    assert [one["severity"] for one in every if "deadlines_s" in one] == ["P0+", "P0", "P1", "P2"]
    assert lines[-5] == "  arrived     1 h      chosen: a hot cable does not wait for the next day"
    assert every[0]["steps"][1]["every_s"] == 60


def test_the_sites_own_are_shown_in_their_place_with_those_of_areas(run: Run, config: Path) -> None:
    shown = objects(run("show", "--json", "--severity", "P2", "--config", str(config)).stdout)
    assert [(one["area"], one["file"], one["steps"][1]["after_s"]) for one in shown[:2]] == [
        ("", "mine.toml", 1800),
        ("west", "mine.toml", 2700),
    ]
    assert (shown[2]["file"], shown[2]["deadlines_s"]["arrived"]) == ("mine.toml", 7200)
    text = run("show", "--severity", "P2", "--config", str(config)).stdout
    assert "P2 (by mine.toml)" in text
    assert "P2 in area west (by mine.toml)" in text
    assert "after: our contract" in text


def test_a_severity_nobody_knows_is_refused(run: Run, config: Path) -> None:
    told = run("show", "--severity", "P7", "--config", str(config))
    assert (told.exit_code, told.stderr) == (
        1,
        "gengfu: --severity 'P7': P0+, P0, P1, P2, P3, system are allowed\n",
    )


def test_a_file_is_checked_before_it_is_used(run: Run, config: Path) -> None:
    file = config.parent / "mine.toml"
    told = run("check", str(file))
    assert (told.exit_code, told.stdout.splitlines()[-1]) == (0, f"{file}: 2 policies, ok")
    assert [one.get("area") for one in objects(run("check", str(file), "--json").stdout)] == [
        "",
        "west",
        None,
    ]
    file.write_text(OWN.replace('"30 min"', '"soon"'))
    told = run("check", str(file))
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.startswith("gengfu: mine.toml, line 13: key `policy[0].step[1].after`: `soon`")


def test_a_file_that_cannot_be_used_is_named_and_what_holds_instead_is_shown(run: Run, config: Path) -> None:
    (config.parent / "mine.toml").write_text("version = 2")
    told = run("show", "--severity", "P2", "--config", str(config))
    assert told.exit_code == 1
    assert told.stdout.startswith("P2 (as shipped)")
    assert "mine.toml, line 1: key `version`: allowed: 1" in told.stderr
    [finding] = policy_findings(load_config(config))
    assert finding.ok is False
    assert finding.text.endswith("until it is mended the shipped policies hold")


def test_the_check_counts_them(config: Path) -> None:
    [finding] = policy_findings(load_config(config))
    assert (finding.name, finding.ok, finding.text) == ("policies mine.toml", True, "2 of the site's own")
    assert not policies_here(load_config(config)).refused
