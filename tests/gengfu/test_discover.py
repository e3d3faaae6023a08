"""`gengfu device discover`: who was heard or announces itself, with a command that registers it."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec
import pytest
import typer
from sqlalchemy import Engine, insert
from typer.testing import CliRunner

from devices.database import writing
from devices.model import Metric
from devices.profiles.profile import Proposal, Said
from devices.schema import device, series
from gengfu.config import Config
from gengfu.discover_command import list_discovered
from ingest.heard import Heard
from ingest.schema import stranger
from tests.gengfu.program import objects


@pytest.fixture
def heard(engine: Engine) -> Engine:
    """A stranger in alarm, one that is announced, and one registered and heard."""
    facts = {"topic": "zigbee2mqtt/hall", "profile": "zigbee2mqtt", "first_us": 1, "last_us": 2_000_000}
    known = {"kind": "smoke", "profile": "own", "registered_us": 1, "registered_by": "t"}
    with writing(engine) as connection:
        connection.execute(insert(stranger), [{"uid": uid, **facts} for uid in ("zigbee:1", "own:known")])
        connection.execute(insert(device), [{"uid": "own:known", **known}])
        connection.execute(
            insert(series),
            [{"slot": 1, "uid": "zigbee:1", "channel": "", "metric": Metric.SMOKE_ALARM, "created_us": 1}],
        )
    one = Heard(engine, lambda uid: uid == "own:known")
    one.note(
        [
            Said("zigbee:1", "vendor", "HEIMAN"),
            Said("zigbee:1", "model", "HS1SA"),
            Said("own:known", "label", "x"),
        ],
        [
            Proposal(
                "mac:aa", "esp/power", {"profile": "esphome", "metric": "power.active", "label": "it's"}
            ),
            Proposal("zigbee:1", "z", {"profile": "home-assistant"}),
            Proposal("own:known", "z", {}),
        ],
        1_000_000,
    )
    one.flush(2_000_000)
    return engine


def test_who_nobody_registered_is_listed_with_what_is_known(heard: Engine) -> None:
    with writing(heard) as connection:
        found = list_discovered(connection)
    assert [(one.uid, one.how, one.profile, one.topic) for one in found] == [
        ("mac:aa", "announced", "esphome", "esp/power"),
        ("zigbee:1", "heard", "zigbee2mqtt", "zigbee2mqtt/hall"),
    ]
    assert (found[1].vendor, found[1].model, found[1].metric) == ("HEIMAN", "HS1SA", "smoke.alarm")
    words = shlex.split(found[0].register)
    assert " ".join(words[:8]) == "gengfu device register mac:aa --kind electrical --profile esphome"
    assert words[8:] == ["--dwelling", "PLACE", "--label", "it's"]
    assert "--kind smoke --profile zigbee2mqtt" in found[1].register


def test_the_command_prints_lines_for_people_and_for_programs(
    heard: Engine, on_engine: Config, whole_app: typer.Typer, tmp_path: Path
) -> None:
    config = tmp_path / "settled.json"
    config.write_bytes(msgspec.json.encode(on_engine))

    def run(*words: str) -> str:
        result = CliRunner().invoke(whole_app, ["--config", str(config), "device", "discover", *words])
        assert result.exit_code == 0, result.output
        return result.stdout

    lines = run().splitlines()
    assert (
        lines[0]
        == "mac:aa  announced on esp/power, by esphome, last 1970-01-01T00:00:01Z  (it's, power.active)"
    )
    assert lines[1].startswith("    gengfu device register mac:aa ")
    [one] = objects(run("zigbee:1", "--json"))
    assert (one["uid"], one["how"], one["last_at"]) == ("zigbee:1", "heard", "1970-01-01T00:00:02+00:00")
    assert run("nobody") == ""


def test_what_a_stranger_measures_is_listed_and_says_what_kind_it_is(heard: Engine) -> None:
    facts = {"topic": "acme/7", "profile": "acme", "first_us": 1, "last_us": 3_000_000}
    with writing(heard) as connection:
        connection.execute(insert(stranger), [{"uid": "acme:7", **facts}])
    one = Heard(heard, lambda uid: uid == "own:known")
    one.note([Said("acme:7", "metrics", "battery.pct, smoke.alarm, voltage")], [], 3_000_000)
    assert one.flush(4_000_000)
    with writing(heard) as connection:
        [found] = [row for row in list_discovered(connection) if row.uid == "acme:7"]
    assert found.metrics == "battery.pct, smoke.alarm, voltage"
    assert (found.metric, found.profile, found.topic, found.last_us) == (
        "smoke.alarm",
        "acme",
        "acme/7",
        3_000_000,
    )
    assert "--kind smoke" in found.register
