"""`gengfu report daily` and `gengfu report weekly`, on the database of a service."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from alerts.inbox import TransitionRow, store_transitions
from alerts.settings import Settings
from alerts.turn import run_turn
from devices.database import open_database, writing
from devices.model import Severity
from devices.registry.installed import register_device
from devices.registry.tree import add_area, add_building
from gengfu.clock import now_us
from gengfu.config_file import parse_config
from gengfu.digest_here import digest_settings
from rules.transition import Subject, To, Transition, Why
from tests.databases import MIGRATED, sqlite_like


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A service whose only device is silent."""
    (tmp_path / "data").mkdir()
    (tmp_path / "site.toml").write_text('data = "data"\n')
    engine = open_database(sqlite_like(MIGRATED, tmp_path / "data"))
    at_us = now_us()
    with writing(engine) as connection:
        by: dict[str, Any] = {"by": "test", "now_us": 1}
        add_area(connection, level="grid", code="g1", name="g1", parent_code=None, **by)
        add_building(connection, area_code="g1", code="b1", name="House 1", floors=6, **by)
        register_device(connection, uid="own:d1", kind="smoke", profile="own", building_code="b1", **by)
        silent = Transition(
            rule="C1", to=To.RAISED, severity=Severity.P3, slot=1, device=1, dwelling=0, place=0,
            at_us=at_us, nudge_ns=0, received_us=at_us, why=Why("silent", "失联"), age_s=0.0, marks=(),
            subject=Subject.DEVICE,
        )  # fmt: skip
        store_transitions(connection, [TransitionRow(silent, "own:d1", "", "", "", None)])
    run_turn(engine, Settings(b"k" * 32, "http://answers.example"), at_us)
    engine.dispose()
    return tmp_path


def test_the_reports_are_printed(whole_app: typer.Typer, site: Path) -> None:
    def said(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(whole_app, ["--config", str(site / "site.toml"), "report", *words])
        assert result.exit_code == code, result.output
        return result.stdout

    assert "House 1:\n  b1 own:d1: device silent since " in said("daily")
    assert "(incident 1, new)\n" in said("daily")
    counts, incident = map(msgspec.json.decode, said("daily", "--json").splitlines())
    assert (counts["standing"], counts["new"], counts["recovered"], counts["ended"]) == (1, 1, 0, 0)
    assert (incident["state"], incident["place"], incident["devices"]) == (
        "standing",
        "b1 own:d1",
        ["own:d1"],
    )
    assert "By rule: C1 device silent 1\nIn hand: P3 none of 1\nDevices silent now: 1\n" in said("weekly")
    week = msgspec.json.decode(said("weekly", "--json"))
    assert (week["incidents"], week["silent_devices"]) == ({"P3": 1}, 1)
    assert week["other_unreachable_places"] == ["b1"]
    shutil.rmtree(site / "data")
    said("daily", code=1)
    said("monthly", code=2)


def test_the_hour_and_what_is_sent_are_the_configurations() -> None:
    own = digest_settings(parse_config('[digest]\nat = "07:05"\ndaily = false\n', "f"))
    assert (own.minute_of_day, own.daily, own.weekly) == (425, False, True)
    assert digest_settings(parse_config("", "f")).minute_of_day == 510
