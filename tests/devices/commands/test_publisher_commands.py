"""`gengfu publisher`: the password is shown once, and what is written stays with its owner."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path

import pytest
from sqlalchemy import Connection
from typer.testing import CliRunner, Result

from devices.commands import Desk
from devices.commands.publisher import publisher_app
from devices.database import writing
from devices.registry import register_device
from devices.schema import refusal
from tests.devices.conftest import NOW_US, build_block


@pytest.fixture
def block_desk(desk: Desk) -> Desk:
    with writing(desk.engine) as connection:
        build_block(connection, desk.vault)
        _device(connection, "own:dev-1")
        _device(connection, "own:dev-2")
    return desk


def _device(connection: Connection, uid: str) -> None:
    register_device(
        connection, uid=uid, kind="smoke", profile="own", dwelling_code="101", by="t", now_us=NOW_US
    )


def run(desk: Desk, *words: str) -> Result:
    return CliRunner().invoke(publisher_app, list(words), obj=desk)


def test_the_password_is_shown_at_once_and_never_again(block_desk: Desk) -> None:
    made = json.loads(run(block_desk, "add", "--device", "own:dev-1", "--json").stdout)
    assert made["name"] == "dev-1"
    for words in (("list", "--json"), ("show", "dev-1"), ("list", "--revoked")):
        shown = run(block_desk, *words)
        assert "dev-1" in shown.stdout
        assert made["password"] not in shown.output
    rotated = run(block_desk, "rotate", "dev-1")
    assert "shown this once" in rotated.stderr
    assert made["password"] not in rotated.output


def test_a_prefix_that_nobody_listens_to_is_said(block_desk: Desk) -> None:
    lost = run(block_desk, "add", "hub", "--kind", "gateway", "--prefix", "home/3/x")
    assert lost.exit_code == 0
    assert "nobody listens below home/3/x" in lost.stderr
    assert "zigbee2mqtt/#" in lost.stderr
    heard = run(block_desk, "add", "zig", "--kind", "gateway", "--prefix", "zigbee2mqtt")
    assert "nobody listens" not in heard.stderr


def test_a_revoked_one_is_no_longer_listed(block_desk: Desk) -> None:
    run(block_desk, "add", "hub", "--kind", "gateway", "--prefix", "a", "--prefix", "b")
    assert "a, b" in run(block_desk, "list").stdout
    assert run(block_desk, "revoke", "hub").exit_code == 0
    assert "hub" not in run(block_desk, "list").stdout
    again = run(block_desk, "revoke", "hub")
    assert again.exit_code == 1
    assert "revoked" in again.stderr


def test_what_is_missing_is_issued_into_a_file_of_ones_own_once(block_desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "credentials.csv"
    assert run(block_desk, "issue", str(file)).exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [(row["name"], row["prefix"], len(row["password"])) for row in rows] == [
        ("dev-1", "gengfu/dev-1", 32),
        ("dev-2", "gengfu/dev-2", 32),
    ]
    before = file.read_bytes()
    assert run(block_desk, "issue", str(file)).exit_code == 1
    assert file.read_bytes() == before


def test_where_the_file_cannot_be_made_nothing_is_issued(block_desk: Desk, tmp_path: Path) -> None:
    assert run(block_desk, "issue", str(tmp_path / "none" / "file")).exit_code == 1
    assert run(block_desk, "list", "--json").stdout == ""


def test_refusals_are_listed_the_latest_first_and_none_is_said_too(block_desk: Desk) -> None:
    assert "nobody was refused" in run(block_desk, "refusals").stderr
    with writing(block_desk.engine) as connection:
        for who, last_us in (("old", NOW_US), ("stranger", NOW_US + 1)):
            values = {"kind": "login", "who": who, "count": 3, "first_us": NOW_US, "last_us": last_us}
            connection.execute(refusal.insert().values(values))
    lines = [json.loads(line) for line in run(block_desk, "refusals", "--json").stdout.splitlines()]
    assert [(line["who"], line["count"]) for line in lines] == [("stranger", 3), ("old", 3)]
