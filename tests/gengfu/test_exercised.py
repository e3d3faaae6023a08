"""`gengfu device show` says when a detector was tested last, and whether in a window of ours."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from sqlalchemy import Connection, Engine, insert
from typer.testing import CliRunner

from alerts.windows import EARLIER_US, WindowKind
from alerts.windows_kept import add_window, end_window
from devices.database import reading, writing
from devices.registry.installed import register_device, retire_device
from devices.registry.tree import add_area, add_building, add_stair
from devices.schema import device_test
from gengfu.config import Config
from gengfu.exercised import exercise_at
from tests.gengfu.program import objects

MINUTE = 60_000_000
NOW = 1_790_000_000_000_000
DRILL, COMMISSIONING, SILENCE = WindowKind.DRILL, WindowKind.COMMISSIONING, WindowKind.SILENCE


@pytest.fixture
def place(engine: Engine) -> Engine:
    """A grid of two buildings; on the stair of b1 hangs own:d1, in b2 own:d2."""
    with writing(engine) as connection:
        add_area(connection, level="grid", code="g", name="g", parent_code=None, by="t", now_us=1)
        for code in ("b1", "b2"):
            add_building(connection, area_code="g", code=code, name=code, floors=6, by="t", now_us=1)
        add_stair(connection, building_code="b1", code="s1", name="1", by="t", now_us=1)
        hang(connection, "own:d1", stair_code="s1")
        hang(connection, "own:d2", building_code="b2")
    return engine


def hang(connection: Connection, uid: str, **where: str) -> None:
    place: dict[str, Any] = {"dwelling_code": None, "stair_code": None, "building_code": None} | where
    register_device(connection, uid=uid, kind="smoke", profile="own", **place, by="t", now_us=1)


def window(engine: Engine, kind: WindowKind, scope: str, code: str, minutes: int = 30) -> int:
    """From now on; its number."""
    until_us = NOW + minutes * MINUTE
    with writing(engine) as connection:
        made = add_window(
            connection, kind=kind, scope=scope, code=code, from_us=NOW, until_us=until_us, reason="r",
            by="t", now_us=NOW,
        )  # fmt: skip
    return made.id


def exercise(engine: Engine, uid: str, observed_us: int, received_us: int | None = None) -> str:
    with reading(engine) as connection:
        return exercise_at(connection, uid, observed_us, received_us or observed_us)


def test_without_a_window_it_is_no_exercise(place: Engine) -> None:
    assert exercise(place, "own:d1", NOW) == ""
    assert exercise(place, "own:nobody", NOW) == ""


@pytest.mark.parametrize(("scope", "code"), [("area", "g"), ("building", "b1"), ("stair", "s1")])
def test_a_drill_is_one_of_every_device_below_its_place(place: Engine, scope: str, code: str) -> None:
    window(place, DRILL, scope, code)
    assert exercise(place, "own:d1", NOW + 1) == "drill"
    assert exercise(place, "own:d2", NOW + 1) == ("drill" if scope == "area" else "")


def test_commissioning_is_one_of_its_device_alone_and_goes_before_a_drill(place: Engine) -> None:
    window(place, DRILL, "area", "g")
    window(place, COMMISSIONING, "device", "own:d1")
    assert exercise(place, "own:d1", NOW + 1) == "commissioning"
    assert exercise(place, "own:d2", NOW + 1) == "drill"


def test_a_silence_is_no_exercise(place: Engine) -> None:
    window(place, SILENCE, "building", "b1")
    assert exercise(place, "own:d1", NOW + 1) == ""


def test_only_what_was_observed_and_received_within_it_was_in_it(place: Engine) -> None:
    number = window(place, COMMISSIONING, "device", "own:d1", 30)
    assert exercise(place, "own:d1", NOW - 1) == ""
    assert exercise(place, "own:d1", NOW - EARLIER_US, NOW) == "commissioning"
    assert exercise(place, "own:d1", NOW - EARLIER_US - 1, NOW) == ""
    assert exercise(place, "own:d1", NOW + 29 * MINUTE) == "commissioning"
    assert exercise(place, "own:d1", NOW + 30 * MINUTE) == ""
    with writing(place) as connection:
        end_window(connection, number=number, kind=COMMISSIONING, reason="r", by="t", now_us=NOW + 5 * MINUTE)
    assert exercise(place, "own:d1", NOW + 4 * MINUTE) == "commissioning"
    assert exercise(place, "own:d1", NOW + 6 * MINUTE) == ""


def test_a_device_that_is_retired_since_is_still_the_device_of_its_window(place: Engine) -> None:
    window(place, COMMISSIONING, "device", "own:d1")
    with writing(place) as connection:
        retire_device(connection, uid="own:d1", by="t", now_us=NOW + MINUTE)
    assert exercise(place, "own:d1", NOW + 1) == "commissioning"


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_the_card_of_a_device_says_so(place: Engine, whole_app: typer.Typer, config: Config) -> None:
    """As the program composes it."""
    window(place, DRILL, "building", "b1")
    pressed = {"uid": "own:d1", "began_us": NOW + 1, "received_us": NOW + 2, "ended_us": NOW + 9_000_000}
    with writing(place) as connection:
        connection.execute(insert(device_test), [pressed])
    file = config.data_dir.parent / "site.toml"
    file.write_text('data = "data"\n')

    def shown(*words: str) -> str:
        result = CliRunner().invoke(whole_app, ["--config", str(file), "device", "show", *words])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "last test  2026-09-21T14:13:20+00:00, to 2026-09-21T14:13:29+00:00, drill\n" in shown("own:d1")
    [card] = objects(shown("own:d1", "--json"))
    assert card["last_test"]["exercise"] == "drill"
    assert "last test  none on record\n" in shown("own:d2")
