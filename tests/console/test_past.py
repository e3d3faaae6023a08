import re

import pytest
from sqlalchemy import insert

from alerts import schema
from alerts.past_view import FalseAlarms
from console.past import false_words
from devices.database import writing
from tests.console.block import Block, Reader
from tests.console.streets import HERE, Streets, login_of

DAY_US = 24 * 3600 * 1_000_000


@pytest.fixture
def fire(block: Block) -> Block:
    """One open fire alarm in 501."""
    block.smoke("501")
    block.decide()
    return block


def happened(block: Block, flat: str, days_ago: int, **more: object) -> None:
    at_us = block.now_us - days_ago * DAY_US
    row = {
        "place": f"dwelling:{block.dwellings[flat]}", "dwelling_id": block.dwellings[flat], "building_id": 1,
        "hazard": "fire", "severity": "P0", "state": "closed", "epoch": 0, "started_us": at_us,
        "opened_us": at_us, "closed_us": at_us + 1, "tags": "",
    }  # fmt: skip
    with writing(block.engine) as connection:
        connection.execute(insert(schema.incident), row | more)


def past_of(reader: Reader, incident_id: int = 1, language: str = "en") -> str:
    html = reader.client.get(f"/incident/{incident_id}/past?lang={language}").text
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_it_says_what_happened_where_when_and_how_it_ended(fire: Block) -> None:
    happened(fire, "501", 3, disposition="real", cause="oil on the stove")
    happened(fire, "401", 1, disposition="unfounded")
    with fire.console() as reader:
        english, chinese = past_of(reader), past_of(reader, language="zh-CN")
        links = re.findall(r'href="(/incident/\d+)"', reader.client.get("/incident/1/past").text)
    assert links == ["/incident/2", "/incident/3"]
    for said in ("Fire alarm P0", "here", "same stair", "closed · real · oil on the stove", "nothing found"):
        assert said in english
    assert "同单元" in chinese and "oil on the stove" in chinese


def test_false_alarms_of_the_flat_are_counted_in_words(fire: Block) -> None:
    for days in (1, 2, 3):
        happened(fire, "501", days, disposition="nuisance", cause="cooking")
    with fire.console() as reader:
        assert "3 false alarms here in 90 days, all: cooking" in past_of(reader)
        assert "近 90 天本处误报 3 次，均为：cooking" in past_of(reader, language="zh-CN")


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        (FalseAlarms(), ""),
        (FalseAlarms(1, (("steam", 1),)), "1 false alarm here in 90 days: steam"),
        (FalseAlarms(3, (("cooking", 2), ("steam", 1))), "3 false alarms here in 90 days: cooking 2, steam"),
        (FalseAlarms(3, (("cooking", 2),), (("", 1),)), "3 false alarms here in 90 days: cooking 2"),
        (FalseAlarms(2, (), (("fault", 2),)), "2 false alarms here in 90 days, all: device fault"),
        (FalseAlarms(2, (), (("", 2),)), "2 false alarms here in 90 days"),
    ],
)
def test_the_words_say_all_only_where_it_was_all(counted: FalseAlarms, said: str) -> None:
    assert false_words(counted, "en") == said


def test_what_is_open_in_the_building_now_stands_first(fire: Block) -> None:
    happened(fire, "501", 3)
    fire.overload("401")
    fire.decide()
    with fire.console() as reader:
        page = past_of(reader)
    assert page.index("Open in this building now") < page.index("#3") < page.index("#2")


def test_a_place_where_nothing_happened_says_so(fire: Block) -> None:
    with fire.console() as reader:
        assert past_of(reader) == "Nothing happened here or in this building before."


def test_text_of_people_is_no_markup(fire: Block) -> None:
    happened(fire, "501", 1, disposition="nuisance", cause="<script>alert(1)</script>")
    with fire.console() as reader:
        assert "<script>" not in reader.client.get("/incident/1/past").text


def test_words_of_a_later_release_are_shown_and_cost_nothing(fire: Block) -> None:
    happened(fire, "501", 1, severity="P9", hazard="flood", state="closed", disposition="odd")
    with fire.console() as reader:
        assert "flood" in past_of(reader)


def test_another_streets_incident_is_not_there(fire: Block) -> None:
    Streets(fire)
    fire.overload("901")
    fire.decide()
    with fire.console(login_of("operator", HERE)) as reader:
        assert reader.client.get("/incident/1/past").status_code == 200
        assert reader.client.get("/incident/2/past").status_code == 404


def test_the_page_of_an_incident_asks_for_both_parts_and_holds_neither(fire: Block) -> None:
    with fire.console() as reader:
        page = reader.client.get("/incident/1").text
    for part in ("people", "past"):
        assert f'hx-get="/incident/1/{part}"' in page
    assert 'id="person-' not in page
