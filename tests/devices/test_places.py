from __future__ import annotations

import pytest
from sqlalchemy import Connection

from devices.places import PlaceText, describe_building, describe_dwelling, describe_stair, ids_of
from devices.registry import Written, add_area, add_building
from devices.registry.rows import need
from devices.schema import stair
from tests.devices.conftest import NOW_US

WHO = Written(by="t", now_us=NOW_US)


def test_a_dwelling_in_words_names_the_community_and_not_the_grid(
    connection: Connection, block: dict[str, int]
) -> None:
    assert describe_dwelling(connection, block["201"], "zh-CN") == "幸福里社区 3号楼 1单元 2层 201"
    assert describe_dwelling(connection, block["201"], "en") == (
        "幸福里社区, 3号楼, 1单元, floor 2, flat 201"
    )


def test_a_building_in_words(connection: Connection, block: dict[str, int]) -> None:
    assert describe_building(connection, block["B"], "zh-CN") == "幸福里社区 3号楼"


@pytest.mark.usefixtures("block")
def test_a_grid_without_community_is_named_itself(connection: Connection) -> None:
    add_area(connection, level="grid", code="LONE", name="河边网格", **WHO)
    lone = add_building(connection, code="B9", name="9号楼", area_code="LONE", floors=2, **WHO)
    assert describe_building(connection, lone, "zh-CN") == "河边网格 9号楼"


def test_english_reads_as_registered_names_with_floor_and_flat() -> None:
    place = PlaceText("Riverside", "Building 3", "Stair 2", 5, "501")
    assert place.text("en") == "Riverside, Building 3, Stair 2, floor 5, flat 501"


def test_floors_below_ground_are_basements() -> None:
    place = PlaceText("甲", "乙", "丙", -1, "001")
    assert place.text("zh-CN") == "甲 乙 丙 地下1层 001"
    assert place.text("en") == "甲, 乙, 丙, basement 1, flat 001"


def test_a_place_nobody_knows_still_has_words_and_no_ids(connection: Connection) -> None:
    assert describe_dwelling(connection, 7, "zh-CN") == "住户 #7"
    assert describe_building(connection, 7, "en") == "building #7"
    assert ids_of(connection, 7) == (0, 0, 0)


def test_a_dwelling_lies_in_its_building(connection: Connection, block: dict[str, int]) -> None:
    assert ids_of(connection, block["S2-201"]).building_id == block["B"]
    assert ids_of(connection, block["S2-201"]).stair_id != ids_of(connection, block["201"]).stair_id


@pytest.mark.usefixtures("block")
def test_the_common_parts_of_a_stair_are_said_with_building_and_community(connection: Connection) -> None:
    known = need(connection, stair, "code", "S2")["id"]
    assert describe_stair(connection, known, "zh-CN") == "幸福里社区 3号楼 2单元 公共部位"
    assert describe_stair(connection, known, "en") == "幸福里社区, 3号楼, 2单元, common parts"
    assert describe_stair(connection, 99, "zh-CN") == "单元 #99"
    assert describe_stair(connection, 99, "en") == "stair #99"
