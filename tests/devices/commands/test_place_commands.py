from __future__ import annotations

import pytest
from sqlalchemy import select

from devices.commands import Desk
from devices.database import reading
from devices.schema import registry_change
from tests.devices.commands.test_commands import Run, block, objects, run

__all__ = ["block", "run"]

pytestmark = pytest.mark.usefixtures("block")


def codes(run: Run, words: str) -> list[object]:
    return [one["code"] for one in objects(run(f"{words} --json"))]


def test_places_are_named_anew(run: Run) -> None:
    assert objects(run("area set K --name 安康里 --json")) == [{"set": "K", "changed": True}]
    assert run("area set K --name 安康里").stdout == "area K set: nothing differed\n"
    run("building set B --name 5号楼 --floors 8")
    run("stair set S1 --name 甲单元")
    run("dwelling set 501 --floor 8 --flat 801")
    assert objects(run("area show K --json"))[0]["name"] == "安康里"
    assert objects(run("building show B --json")) == [
        {"code": "B", "name": "5号楼", "area": "K", "floors": 8}
    ]
    assert objects(run("stair show S1 --json"))[0]["name"] == "甲单元"
    assert objects(run("dwelling show 501 --json"))[0]["flat"] == "801"


def test_a_note_is_replaced_and_cleared(run: Run) -> None:
    run("dwelling set 501 --attention", "oxygen; two bottles")
    assert objects(run("dwelling show 501 --reveal --json"))[0]["attention"] == "oxygen; two bottles"
    run("dwelling set 501 --attention", "")
    assert objects(run("dwelling show 501 --json"))[0]["attention"] == ""


def test_an_area_and_a_building_move(run: Run) -> None:
    run("area add D --level district --name x --parent C")
    assert run("area move K --parent D").stdout == "area K lies below D\n"
    assert objects(run("area show K --json"))[0]["parent"] == "D"
    run("area move K --root")
    assert objects(run("area show K --json"))[0]["parent"] == ""
    run("area add G --level grid --name x --parent K")
    run("building move B --area G")
    assert objects(run("building show B --json"))[0]["area"] == "G"


def test_places_are_removed_from_below_upwards(run: Run) -> None:
    for words in ("area remove K", "building remove B", "stair remove S1"):
        assert "cannot be removed, it has 1 " in run(words, code=1).stderr
    assert run("dwelling remove 501").stdout == "dwelling 501 removed\n"
    assert objects(run("stair remove S1 --json")) == [{"removed": "S1"}]
    run("building remove B")
    run("area remove K")
    assert codes(run, "area list") == ["C"]


def test_lists_are_narrowed_to_a_place(run: Run) -> None:
    run("area add OTHER --level community --name x --parent C")
    run("building add B2 --name x --area OTHER --floors 2")
    run("stair add S2 --name x --building B2")
    run("dwelling add 101 --stair S2 --floor 1 --flat 101")
    assert codes(run, "area list --area K") == ["K"]
    assert codes(run, "building list --area K") == ["B"]
    assert codes(run, "stair list --building B2") == ["S2"]
    assert codes(run, "stair list --area C") == ["S1", "S2"]
    assert codes(run, "dwelling list --area K") == ["501"]
    assert codes(run, "dwelling list --building B2") == ["101"]
    assert codes(run, "dwelling list --stair S2") == ["101"]
    assert "no stair with code 'S9'" in run("dwelling list --stair S9 --json", code=1).stderr


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("area set X --name x", "no area with code 'X'"),
        ("area move C --parent K", "city > district > street > community > grid"),
        ("building set B --floors 4", "1 dwellings of building 'B' lie above, the highest on floor 5"),
        ("building move B --area C", "allowed are community, grid"),
        ("dwelling set 501 --floor 7", "-10 to 6"),
        ("dwelling set 501 --attention over_57", "allowed are lives_alone, over_75"),
        ("area remove C", "area 'C' cannot be removed, it has 1 area below it"),
    ],
)
def test_a_refusal_says_what_is_allowed_and_changes_nothing(
    run: Run, desk: Desk, words: str, reason: str
) -> None:
    with reading(desk.engine) as connection:
        before = connection.execute(select(registry_change.c.id)).all()
    refused = run(words, code=1)
    assert reason in refused.stderr
    assert refused.stdout == ""
    with reading(desk.engine) as connection:
        assert connection.execute(select(registry_change.c.id)).all() == before


@pytest.mark.parametrize(
    "words",
    [
        "building set B",
        "dwelling set 501",
        "area move K",
        "area move K --root --parent C",
        "dwelling list --area K --building B",
    ],
)
def test_saying_nothing_or_two_things_is_wrong_usage(run: Run, words: str) -> None:
    run(words, code=2)
