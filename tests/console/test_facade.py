"""The pages of buildings and dwellings, of areas, and of the wall, through the application."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import insert, select, update

from alerts import schema
from alerts.windows import WindowKind
from alerts.windows_kept import add_window
from console.wall import CARDS
from devices import schema as registry
from devices.database import reading, writing
from devices.model import Severity
from rules.transition import Why
from tests.console.block import Block, Reader
from tests.console.estates import LONG, ODD, TOWER, Plan, build, changed, hang
from tests.console.streets import HERE, THERE, Streets, login_of

SILENT = Why("not heard for 190 s", "190 秒未收到")


def house_id(block: Block, code: str = "b7") -> int:
    with reading(block.engine) as connection:
        here = select(registry.building.c.id).where(registry.building.c.code == code)
        return int(connection.execute(here).scalar_one())


def area_id(block: Block, code: str) -> int:
    with reading(block.engine) as connection:
        return int(
            connection.execute(select(registry.area.c.id).where(registry.area.c.code == code)).scalar_one()
        )


@pytest.fixture
def reader(block: Block) -> Iterator[Reader]:
    """The block with a detector in every flat, and an operator at the console."""
    with writing(block.engine) as connection:
        hang(connection, block.dwellings.values())
        changed(connection)
    with block.console() as reader:
        yield reader


def get(reader: Reader, path: str) -> str:
    answer = reader.client.get(path)
    assert answer.status_code == 200, path
    return answer.text


def window_of(page: str, dwelling_id: int) -> tuple[str, str]:
    """State and link of a dwelling's window."""
    found = re.search(rf'<a class="w is-(\S+?)( strong)?" id="window-{dwelling_id}" href="(\S+?)"', page)
    assert found
    return found[1], found[3]


def test_a_quiet_building_says_so_and_each_window_opens_its_dwelling(block: Block, reader: Reader) -> None:
    page = get(reader, f"/building/{house_id(block)}")
    for dwelling_id in block.dwellings.values():
        assert window_of(page, dwelling_id) == ("quiet", f"/dwelling/{dwelling_id}")
    assert "全部正常" in page
    assert 'role="img" aria-label="7号楼: 正常，3 户"' in page


def test_smoke_turns_its_window_and_stands_in_the_list_with_why(block: Block, reader: Reader) -> None:
    block.smoke("501")
    block.decide()
    page = get(reader, f"/building/{house_id(block)}?lang=en")
    assert window_of(page, block.dwellings["501"]) == ("alarm", "/incident/1")
    assert window_of(page, block.dwellings["502"])[0] == "quiet"
    listed = page.split('id="unquiet"')[1].split("</table>")[0]
    assert "smoke alarm" in listed
    assert f'data-since-us="{block.now_us}"' in listed
    assert listed.count("<tr>") == 2


def test_the_fragment_is_sent_once_and_again_when_something_is_another(block: Block, reader: Reader) -> None:
    for path in (f"/building/{house_id(block)}", "/places", f"/places/{area_id(block, 'grid')}", "/wall"):
        page = get(reader, path)
        assert 'hx-trigger="sse:change throttle:1s, sse:resync, every 10s"' in page
        assert 'hx-trigger="sse:change delay:1200ms"' in page
    path = f"/building/{house_id(block)}/fragment"
    seen = re.findall(r'name="seen" value="(\w+)"', get(reader, path))[0]
    assert reader.client.get(f"{path}?seen={seen}").status_code == 204
    block.smoke("501")
    block.decide()
    fresh = eventually(reader, f"{path}?seen={seen}", "is-alarm")
    assert f'value="{seen}"' not in fresh


def eventually(reader: Reader, path: str, holds: str) -> str:
    """Pages are at most half a second behind a change that follows another at once."""
    for _ in range(200):
        answer = reader.client.get(path)
        if answer.status_code == 200 and holds in answer.text:
            return str(answer.text)
    raise AssertionError(f"{path}: never {holds}")


def test_a_dwelling_says_what_hangs_there_who_would_be_told_and_what_was(
    block: Block, reader: Reader
) -> None:
    block.overload("501")
    block.decide()
    with writing(block.engine) as connection:
        connection.execute(update(schema.incident).values(state="closed", closed_us=block.now_us))
    block.transition("C1", "501", Severity.P3, f"smoke:{block.dwellings['501']}", SILENT)
    block.decide()
    page = get(reader, f"/dwelling/{block.dwellings['501']}")
    opened, past = page.split('id="open-here"')[1].split("以往警情")
    assert "设备失联" in opened
    assert 'href="/incident/2"' in opened
    assert 'href="/incident/1"' in past
    assert 'data-state="silent"' in page
    people = page.split('id="people"')[1].split("</section>")[0]
    for told in ("家属", "F501", "网格员", "W1", "邻居", "N401", "值班台", "推送", "仅在火警确认后"):
        assert told in people
    devices = get(reader, f"/dwelling/{block.dwellings['501']}/devices")
    assert f"smoke:{block.dwellings['501']}" in devices
    assert "设备失联" in devices
    assert "无法得知" in devices


def test_a_dwelling_without_devices_or_people_says_so(block: Block) -> None:
    build(block, [ODD], served=False)
    with writing(block.engine) as connection:
        connection.execute(update(registry.binding).values(ended_us=1))
    with block.console() as reader, reading(block.engine) as connection:
        number = connection.scalar(select(registry.dwelling.c.id).where(registry.dwelling.c.flat == "B201"))
        page = get(reader, f"/dwelling/{number}")
        assert 'data-state="no_device"' in page
        assert "没有登记任何人" in page
        assert "地下2层 B201" in page
        assert "没有在用的设备" in get(reader, f"/dwelling/{number}/devices")


def test_what_people_wrote_is_text_on_every_picture(block: Block) -> None:
    evil = '"><script>alert(1)</script>'
    with writing(block.engine) as connection:
        for table in (registry.area, registry.building, registry.stair):
            connection.execute(update(table).values(name=evil))
        connection.execute(update(registry.dwelling).values(flat="<b>1"))
        hang(connection, block.dwellings.values(), label=evil)
    block.smoke("501", why=Why(evil, evil))
    block.decide()
    with block.console() as reader:
        paths = ["/places", f"/building/{house_id(block)}", "/wall", f"/dwelling/{block.dwellings['501']}"]
        for path in [*paths, f"/dwelling/{block.dwellings['501']}/devices"]:
            page = get(reader, path)
            assert "<script>alert" not in page
            assert "<b>1" not in page
            assert " style=" not in page
            assert " onclick=" not in page


def test_what_is_not_there_is_not_found(reader: Reader) -> None:
    for path in ("/building/999", "/dwelling/999", "/places/999", f"/building/{2**62}", "/dwelling/0"):
        assert reader.client.get(path).status_code == 404, path
        assert reader.client.get(f"{path}/fragment").status_code == 404, path
    assert reader.client.get("/building/x").status_code == 422


def test_the_way_leads_from_the_district_over_a_building_to_a_window(block: Block, reader: Reader) -> None:
    top = get(reader, "/places")
    assert f'href="/places/{area_id(block, "city")}"' in top
    district = get(reader, f"/places/{area_id(block, 'district')}")
    assert f'href="/building/{house_id(block)}"' in district
    assert "槐树街道" in district
    page = get(reader, f"/building/{house_id(block)}")
    assert f'href="/dwelling/{block.dwellings["501"]}"' in page


def test_areas_show_the_worst_below_them_and_the_loud_come_first(block: Block) -> None:
    with writing(block.engine) as connection:
        above = connection.scalar(select(registry.area.c.id).where(registry.area.c.code == "district"))
        row = {"level": "street", "code": "a-street", "name": "安宁街道", "parent_id": above}
        connection.execute(insert(registry.area), row)
        hang(connection, block.dwellings.values())
    build(block, [LONG._replace(code="b1")])
    build(block, [Plan("b2", "2号楼", 1, {"1单元": {1: ["101", "102"]}})], area="a-street")
    block.smoke("501")
    block.decide()
    with block.console() as reader:
        page = get(reader, f"/places/{area_id(block, 'district')}?lang=en")
    assert page.index(f'id="house-{house_id(block)}"') < page.index(f'id="house-{house_id(block, "b1")}"')
    assert f'class="area is-alarm" id="area-{area_id(block, "street")}"' in page
    assert f'class="area is-quiet" id="area-{area_id(block, "a-street")}"' in page
    assert "3 buildings · 101 dwellings" in page


def test_the_wall_shows_what_is_open_in_words_and_the_rest_below(block: Block) -> None:
    build(block, [TOWER, LONG])
    block.smoke("501")
    block.overload("401")
    block.transition("C1", "502", Severity.P3, "smoke-502", SILENT)
    block.decide()
    with block.console() as reader:
        page = get(reader, "/wall?lang=en")
        cards, rest = page.split('id="wall-rest"')
        (card,) = re.findall(r'<a class="card is-(\w+)"', cards)
        assert card == "alarm"
        assert "槐树里社区, 7号楼" in cards
        assert "2单元, floor 5, flat 501" in cards
        assert "2单元, floor 4, flat 401" in cards
        assert "flat 502" not in cards
        assert f'data-since-us="{block.now_us}"' in cards
        assert cards.index("flat 501") < cards.index("flat 401")
        assert re.findall(r'id="house-(\d+)"', rest) == [str(house_id(block, one)) for one in ("b12", "b33")]
        assert "All is quiet" not in page


def test_a_quiet_wall_is_calm_and_shows_every_building(block: Block, reader: Reader) -> None:
    page = get(reader, "/wall")
    assert "现在没有警情" in page
    assert 'id="wall-open"' not in page
    assert f'id="house-{house_id(block)}"' in page


def test_a_dark_building_stands_on_the_wall_though_nothing_burns(block: Block, reader: Reader) -> None:
    row = {
        "place": f"building:{house_id(block)}", "dwelling_id": 0, "building_id": house_id(block), "epoch": 0,
        "hazard": "fault", "severity": "P1", "state": "reported", "started_us": 1, "opened_us": 1,
    }  # fmt: skip
    with writing(block.engine) as connection:
        connection.execute(insert(schema.incident), row)
        alarm = {"incident_id": 1, "rule": "C3", "subject": "building:1", "uid": "", "slot": 1, "place": 1}
        alarm |= {"severity": "P1", "raised_us": 1, "why": "x"}
        connection.execute(insert(schema.incident_alarm), alarm)
    page = get(reader, "/wall")
    assert '<a class="card is-silent"' in page
    assert "多台设备同时失联" in page
    assert window_of(get(reader, f"/building/{house_id(block)}"), block.dwellings["401"])[0] == "silent"


def test_a_fire_nobody_knows_the_place_of_is_on_the_wall_of_who_sees_everything(block: Block) -> None:
    streets = Streets(block)
    streets.stranger()
    with block.console() as reader:
        assert "地点不明（设备 stranger）" in get(reader, "/wall")
    with block.console(login_of("operator", HERE)) as reader:
        assert "stranger" not in get(reader, "/wall")


def test_a_drill_is_drawn_as_one_and_is_on_no_card(block: Block, reader: Reader) -> None:
    with writing(block.engine) as connection:
        add_window(
            connection, kind=WindowKind.DRILL, scope="building", code="b7", from_us=block.now_us,
            until_us=block.now_us + 3_600_000_000, reason="exercise", by="night", now_us=block.now_us,
        )  # fmt: skip
    block.smoke("501")
    block.decide()
    page = eventually(reader, f"/building/{house_id(block)}", "is-commissioning")
    assert window_of(page, block.dwellings["501"]) == ("commissioning", "/incident/1")
    assert 'class="card' not in get(reader, "/wall")


def test_another_street_is_neither_shown_nor_counted_nor_named_above(block: Block) -> None:
    streets = Streets(block)
    streets.burns()
    with block.console(login_of("operator", HERE)) as reader:
        for path in ("/places", "/wall", f"/places/{area_id(block, 'street')}"):
            page = get(reader, path)
            assert "9号楼" not in page
            assert "柳树" not in page
            assert "1 栋 · 3 户" in page
        building = get(reader, f"/building/{house_id(block)}")
        assert "河东区" not in building
        assert "槐树街道" in building
        for code in ("district", "street-2"):
            assert reader.client.get(f"/places/{area_id(block, code)}").status_code == 404
        assert reader.client.get(f"/building/{house_id(block, 'b9')}").status_code == 404
        assert reader.client.get(f"/dwelling/{block.dwellings['901']}").status_code == 404


def test_who_is_moved_to_another_street_sees_it_at_once_and_the_old_one_no_more(block: Block) -> None:
    streets = Streets(block)
    login = login_of("operator", HERE)
    with block.console(login) as reader:
        assert reader.client.get(f"/building/{house_id(block)}").status_code == 200
        seen = re.findall(r'name="seen" value="(\w+)"', get(reader, "/wall"))[0]
        streets.sees(login, THERE)
        assert reader.client.get(f"/building/{house_id(block)}").status_code == 404
        assert "9号楼" in get(reader, f"/wall/fragment?seen={seen}")
        assert "7号楼" not in get(reader, "/places")


def test_a_page_without_buildings_says_so(block: Block) -> None:
    with writing(block.engine) as connection:
        row = {"level": "street", "code": "empty", "name": "空街道"}
        connection.execute(insert(registry.area), row)
    with block.console() as reader:
        assert "此处还没有登记楼栋" in get(reader, f"/places/{area_id(block, 'empty')}")


def test_more_fires_than_there_is_room_for_stand_first_among_the_small_ones(block: Block) -> None:
    plans = [Plan(f"m{n}", f"{n}号楼", 1, {"1单元": {1: ["101"]}}) for n in range(CARDS + 3)]
    flats = build(block, plans)
    row = {"hazard": "fire", "severity": "P0", "state": "reported", "epoch": 0, "started_us": 1}
    with writing(block.engine) as connection:
        for n, plan in enumerate(plans):
            (flat,) = flats[plan.code].values()
            here = {
                "place": f"dwelling:{flat}",
                "dwelling_id": flat,
                "building_id": house_id(block, plan.code),
            }
            connection.execute(insert(schema.incident), row | here | {"opened_us": n})
    with block.console() as reader:
        page = get(reader, "/wall")
    cards, rest = page.split('id="wall-rest"')
    assert cards.count('class="card ') == CARDS
    first = re.findall(r'class="tile is-(\w+)', rest)
    assert first == ["alarm"] * 3 + ["no_device"]
