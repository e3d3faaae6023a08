"""The commands as a person runs them: results on stdout, reasons on stderr, exit codes 0, 1 and 2."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from devices.database import writing
from gengfu.config import Config
from ingest.schema import dead_letter
from tests.gengfu.program import gengfu, objects

Run = Callable[..., Result]
GOOD = b'{"at": 1763755200123, "values": {"smoke.alarm": true, "temperature": 21.5}}'


@pytest.fixture
def run(whole_app: typer.Typer, tmp_path: Path) -> Run:
    """Runs `gengfu <words>` in this process with a configuration of its own."""
    (tmp_path / "gengfu.toml").write_text("")

    def run(words: str, *more: str, typed: str | bytes = "", code: int = 0) -> Result:
        arguments = ["--config", str(tmp_path / "gengfu.toml"), *words.split(), *more]
        result = CliRunner().invoke(whole_app, arguments, input=typed)
        assert result.exit_code == code, result.output
        return result

    return run


def test_a_good_payload_is_a_line_per_reading(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "payload"
    path.write_bytes(GOOD)
    shown = objects(run("decode --topic gengfu/D-1/readings", str(path)).stdout)
    assert {(line["device"], line["metric"], line["value"]) for line in shown} == {
        ("own:d-1", "smoke.alarm", True),
        ("own:d-1", "temperature", 21.5),
    }
    assert all(
        set(line) >= {"device", "metric", "channel", "value", "unit", "observed_at", "quality"}
        for line in shown
    )


def test_a_payload_comes_from_stdin_too(run: Run) -> None:
    assert len(objects(run("decode --topic gengfu/D-1/readings", typed=GOOD).stdout)) == 2
    assert len(objects(run("decode --topic gengfu/D-1/readings -", typed=GOOD).stdout)) == 2


@pytest.mark.parametrize("payload", [b"", b"{", b"[1]", b"\xff\xfe", b'{"values": 5}'])
def test_a_refused_payload_is_said_with_exit_code_1(run: Run, payload: bytes) -> None:
    [line] = objects(run("decode --topic gengfu/D-1/readings", typed=payload, code=1).stdout)
    assert line.keys() == {"rejected", "detail"}


def test_a_list_of_messages_goes_on_past_a_refused_one(run: Run) -> None:
    messages = [
        {"topic": "nobody/listens", "payload": "x"},
        {"topic": "gengfu/D-1/readings", "payload": json.loads(GOOD)},
    ]
    shown = objects(run("decode", typed=json.dumps(messages), code=1).stdout)
    assert [line.get("rejected") for line in shown] == ["unknown_topic", None, None]


def test_a_file_that_is_missing_is_refused(run: Run) -> None:
    assert "none: No such file" in run("decode --topic t none", code=1).stderr


def test_rules_are_listed_and_shown_with_their_sources(run: Run) -> None:
    listed = objects(run("rule list --json").stdout)
    assert {rule["name"] for rule in listed} >= {"S1", "O3", "X1"}
    assert len(run("rule list").stdout.splitlines()) == len(listed)
    [shown] = objects(run("rule show S1 --json").stdout)
    assert shown == next(rule for rule in listed if rule["name"] == "S1")
    assert (shown["metric"], shown["late_after"], shown["visit_after"]) == ("smoke.alarm", "1 min", "30 min")
    plain = run("rule show O3").stdout
    assert 'raise = "1.45 I_ref"\n' in plain
    assert 'raise = "IEC 60898' in plain


def test_a_rule_nobody_knows_is_refused_with_those_there_are(run: Run) -> None:
    refused = run("rule show S99", code=1)
    assert "S1" in refused.stderr
    assert refused.stdout == ""


def test_refused_messages_are_listed_newest_first(
    run: Run, engine: Engine, on_engine: Config, tmp_path: Path
) -> None:
    (tmp_path / "gengfu.toml").write_text(f'database = "{on_engine.database}"\n')
    with writing(engine) as connection:
        for number, reason in enumerate(("not_json", "unknown_topic", "not_json")):
            connection.execute(
                dead_letter.insert().values(
                    at_us=number * 1_000_000,
                    reason=reason,
                    detail="said",
                    topic=f"t/{number}",
                    payload="{坏".encode() + b"\xff\n",
                    size=7,
                )
            )
    listed = objects(run("deadletter list --json").stdout)
    assert [letter["topic"] for letter in listed] == ["t/2", "t/1", "t/0"]
    for words in (
        "deadletter --config {} list",
        "deadletter list --config {}",
        "--config {} deadletter list",
    ):
        elsewhere = objects(run(words.format(tmp_path / "gengfu.toml") + " --json").stdout)
        assert [letter["topic"] for letter in elsewhere] == ["t/2", "t/1", "t/0"]
    plain = run("deadletter list --reason not_json --limit 1").stdout
    assert plain.splitlines() == ["1970-01-01T00:00:02Z  not_json  t/2  said  '{\\u574f\\ufffd\\n'"]


def test_the_registry_is_kept_in_the_configured_folder(run: Run, tmp_path: Path) -> None:
    made = run("area add c --level city --name 示范市 --json")
    assert objects(made.stdout) == [{"added": "c"}]
    assert "keep a copy" in made.stderr
    assert [area["name"] for area in objects(run("area list --json").stdout)] == ["示范市"]
    assert "keep a copy" not in run("area list").stderr
    assert (tmp_path / "data" / "gengfu.db").exists()


def test_a_configuration_may_stand_before_or_after_the_group(whole_app: typer.Typer, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(f'data = "{name}"')
    CliRunner().invoke(whole_app, ["--config", str(tmp_path / "one.toml"), "area", "list"])
    CliRunner().invoke(whole_app, ["area", "--config", str(tmp_path / "two.toml"), "list"])
    assert (tmp_path / "one" / "gengfu.db").exists()
    assert (tmp_path / "two" / "gengfu.db").exists()


@pytest.mark.parametrize("words", ["device list --help", "contact add --help", "user --help"])
def test_asking_for_help_makes_no_folder_and_no_key(run: Run, tmp_path: Path, words: str) -> None:
    assert "Usage" in run(words).stdout
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "words", ["area add c", "area nonsense", "nonsense", "rule show", "decode --nonsense", "demo --devices x"]
)
def test_wrong_usage_is_exit_code_2_and_makes_nothing(run: Run, tmp_path: Path, words: str) -> None:
    assert run(words, code=2).stdout == ""
    assert not (tmp_path / "data").exists()


def test_a_configuration_error_is_one_line_with_exit_code_1(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gengfu.toml").write_text("[site]\ncolour = 1")
    line = "gengfu.toml: unknown key `site.colour`; allowed here: name, timezone, language\n"
    for words in ("area list", "check", "up", "ingest", "deadletter list"):
        refused = run(words, code=1)
        assert (refused.stdout, refused.stderr) == ("", f"gengfu: {tmp_path}/{line}")
    done = gengfu("up", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"gengfu: {line}")


def test_the_environment_names_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "else.toml").write_text('data = "else"')
    done = gengfu("area", "list", cwd=tmp_path, GENGFU_CONFIG=str(tmp_path / "else.toml"))
    assert done.returncode == 0
    assert (tmp_path / "else" / "gengfu.db").exists()


def test_the_registry_refuses_a_new_key_over_sealed_data(run: Run, config: Config) -> None:
    run("contact add duty-1 --name 值班室")
    config.key_path.unlink()
    done = gengfu("contact", "list", cwd=config.data_dir.parent)
    assert done.returncode == 1
    assert "put its copy back" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not config.key_path.exists()


def test_a_folder_without_a_database_is_said_in_one_line(tmp_path: Path) -> None:
    done = gengfu("deadletter", "list", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "gengfu: the database cannot be used: unable to open database file\n"
    (tmp_path / "data").mkdir()
    sqlite3.connect(tmp_path / "data" / "gengfu.db").close()
    done = gengfu("deadletter", "list", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no tables yet" in done.stderr


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    done = gengfu("up", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, f"gengfu: {tmp_path}/data: File exists\n")


def test_a_full_disk_is_said_in_one_line(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: both end a write half way."""
    command = [sys.executable, "-m", "gengfu", "area", "list"]
    done = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 40; exec "$@"', "sh", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "the database cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
