import re
from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import Connection, insert, update

from alerts import schema
from alerts.views import AlarmLine
from devices.database import writing
from rules.transition import Mark, Why
from tests.console.block import Block, Reader, field


@pytest.fixture
def fire(block: Block) -> Block:
    """One open fire alarm in 501."""
    block.smoke("501")
    block.decide()
    return block


def press(block: Block, reader: Reader, act: str, note: str = "", **more: str) -> str:
    with block.deciding():
        return reader.act(1, act, note, **more)


def test_the_page_tells_alarms_messages_and_timeline_by_code_and_role(fire: Block) -> None:
    with fire.console() as reader:
        page = reader.client.get("/incident/1").text
    for said in ("S1", "smoke-501-a", "F501", "家属", "微型消防站", "已交运营商", "警情开始"):
        assert said in page


def test_the_evidence_is_in_the_readers_language_wherever_it_stands(fire: Block) -> None:
    with fire.console() as reader:
        chinese, english = (reader.client.get(f"/incident/1?lang={one}").text for one in ("zh-CN", "en"))
        board = reader.client.get("/?lang=en").text
        detail = reader.client.get("/api/incidents/1").json()
    assert chinese.count("烟雾报警信号触发") == 3  # at the head, among the alarms, on the timeline
    assert "smoke flag set" not in chinese
    assert english.count("smoke flag set") == 3
    assert "烟雾报警信号触发" not in english + board
    assert [alarm["why"] for alarm in detail["alarms"]] == ["smoke flag set"]


def test_board_and_page_say_when_the_newest_serious_alarm_was_raised_where_it_came_later(fire: Block) -> None:
    def pages(reader: Reader) -> list[str]:
        return [reader.client.get(path).text for path in ("/?lang=en", "/incident/1?lang=en")]

    with fire.console() as reader:
        assert all("newest alarm" not in page for page in pages(reader))
        with writing(fire.engine) as connection:
            hour_us = 3_600_000_000
            connection.execute(
                update(schema.incident).values(opened_us=schema.incident.c.opened_us - hour_us)
            )
            said = {"incident_id": 1, "at_us": 0, "kind": "note", "by": "gengfu", "via": "", "text": ""}
            connection.execute(insert(schema.incident_change), said)  # nothing changes without one
        assert all("newest alarm" in page for page in pages(reader))


def test_an_incident_with_words_of_a_later_release_is_shown_and_sounds(fire: Block) -> None:
    fire.overload("401")
    fire.decide()
    with writing(fire.engine) as connection:
        odd = {"severity": "P9", "hazard": "flood", "state": "odd"}
        connection.execute(update(schema.incident).where(schema.incident.c.id == 2).values(odd))
    with fire.console() as reader:
        assert "401" in reader.client.get("/").text
        assert "P9" in reader.client.get("/incident/2").text
        assert 'href="/incident/2"' in reader.client.get("/siren").text


def test_acknowledge_to_close_by_two_people(fire: Block) -> None:
    with fire.console("night") as reader:
        for act, note in (("acknowledge", ""), ("arrived", ""), ("handled", ""), ("feedback", "油锅起火")):
            assert "已生效" in press(fire, reader, act, note), act
        assert 'id="act-verify"' not in reader.client.get("/incident/1").text
    with fire.console("chief") as reader:
        assert "已生效" in press(fire, reader, "verify")
        assert "已生效" in press(fire, reader, "close", "现场已清理", disposition="real")
        page = reader.client.get("/incident/1").text
    assert "已结束" in page
    assert "真实火情" in page
    assert [outcome for *_, outcome in fire.acts()] == ["done"] * 6


def test_a_refusal_is_shown_with_its_reason(fire: Block) -> None:
    with fire.console() as reader:
        page = press(fire, reader, "close", "too early", disposition="real")
    assert "未生效" in page
    assert "尚未由第二人核实" in page


def test_a_double_click_is_one_act(fire: Block) -> None:
    with fire.console() as reader, fire.deciding():
        page = reader.client.get("/incident/1").text
        form = {"csrf": field(page, "csrf"), "once": field(page, "once"), "act": "acknowledge"}
        for _ in range(2):
            assert "已生效" in reader.client.post("/incident/1/act", data=form).text
    assert fire.acts() == [("user:night", "acknowledge", "done")]


def test_two_operators_pressing_at_once_are_two_acts(fire: Block) -> None:
    for login in ("night", "second"):
        with fire.console(login) as reader:
            press(fire, reader, "acknowledge")
    assert [actor for actor, *_ in fire.acts()] == ["user:night", "user:second"]


def test_without_the_alerts_process_the_page_says_that_the_act_waits(fire: Block) -> None:
    fire.wait_s = 0.1
    with fire.console() as reader:
        assert "已提交，正在等待处理" in reader.act(1, "acknowledge")
    assert fire.acts() == [("user:night", "acknowledge", "")]


def test_a_post_without_the_sessions_token_changes_nothing(fire: Block) -> None:
    with fire.console() as reader:
        answer = reader.client.post("/incident/1/act", data={"act": "confirm", "csrf": "made-up"})
    assert answer.status_code == 403
    assert fire.acts() == []


def test_feedback_without_a_cause_is_not_handed_in(fire: Block) -> None:
    with fire.console() as reader:
        assert "请先写明原因" in reader.act(1, "feedback", "  ")
    assert fire.acts() == []


def test_an_unknown_act_is_refused(fire: Block) -> None:
    with fire.console() as reader:
        assert "未生效" in reader.act(1, "explode")
    assert fire.acts() == []


def test_an_administrator_sees_and_acts_not(fire: Block) -> None:
    with fire.console("root") as reader:
        page = reader.client.get("/incident/1").text
        assert 'id="act-acknowledge"' not in page
        assert 'id="take-1"' not in reader.client.get("/").text
        assert "无权打开此页" in press(fire, reader, "confirm")
    assert fire.acts() == []


def test_an_incident_that_is_not_there_is_a_calm_404(block: Block) -> None:
    with block.console() as reader:
        answer = reader.client.get("/incident/99")
    assert answer.status_code == 404
    assert "没有这个页面" in answer.text


def test_the_fragment_brings_the_buttons_and_messages_of_the_new_state(fire: Block) -> None:
    with fire.console() as reader:
        before = reader.client.get("/incident/1/fragment").text
        assert 'id="act-handled"' not in before
        press(fire, reader, "arrived")
        after = reader.client.get("/incident/1/fragment").text
    assert 'id="act-handled"' in after
    assert 'id="messages" hx-swap-oob="true"' in after


@pytest.mark.parametrize(("number", "status"), [("9999999999", 404), ("9" * 30, 422), ("-1", 422)])
def test_a_number_no_incident_can_have_is_no_fault_of_ours(block: Block, number: str, status: int) -> None:
    with block.console() as reader:
        for path in (f"/incident/{number}", f"/incident/{number}/fragment", f"/api/incidents/{number}"):
            assert reader.client.get(path).status_code == status


def test_a_mark_stands_beside_the_sentence_and_not_in_it(block: Block) -> None:
    block.overload("501", Mark.ISOLATE)
    block.decide()
    with block.console() as reader:
        page = reader.client.get("/incident/1?lang=en").text
        board = reader.client.get("/?lang=en").text
    assert re.search(r"</span></p>\s*<p class=\"marks\"><span class=\"chip\">cut the power</span>", page)
    assert re.search(r"<span class=\"chip\">cut the power</span>\s", board)


def test_an_incident_without_marks_has_no_empty_line_for_them(fire: Block) -> None:
    with writing(fire.engine) as connection:
        connection.execute(update(schema.incident).values(tags=""))
    with fire.console() as reader:
        assert 'class="marks"' not in reader.client.get("/incident/1").text


def test_an_alarm_of_a_rule_that_is_off_is_said_to_need_a_person(block: Block) -> None:
    block.overload("501")
    block.decide()

    def off(connection: Connection, alarms: Sequence[AlarmLine]) -> Mapping[tuple[str, str], Why]:
        return {(one.rule, one.subject): Why("no earth", "未接地") for one in alarms}

    block.off = off
    with block.console() as reader:
        assert "only a person&#39;s reset or close ends this alarm:</strong> no earth" in (
            reader.client.get("/incident/1?lang=en").text
        )
        assert "须由人员复位或结束：</strong> 未接地" in reader.client.get("/incident/1?lang=zh-CN").text


def test_a_page_whose_rules_cannot_be_asked_goes_without(fire: Block) -> None:
    def off(connection: Connection, alarms: Sequence[AlarmLine]) -> Mapping[tuple[str, str], Why]:
        raise ValueError("a book of another release")

    fire.off = off
    with fire.console() as reader:
        assert reader.client.get("/incident/1").status_code == 200


def test_an_own_rule_is_called_by_its_title_on_board_and_page(block: Block) -> None:
    block.overload("501", title=Why("Meter cupboard warm", "表箱温度偏高"))
    block.decide()
    with block.console() as reader:
        pages = {
            language: [reader.client.get(f"{path}?lang={language}").text for path in ("/", "/incident/1")]
            for language in ("en", "zh-CN")
        }
    assert all("<strong>Meter cupboard warm</strong>" in page for page in pages["en"][:1])
    assert "O3 Meter cupboard warm</strong>" in pages["en"][1]
    assert all("表箱温度偏高" in page for page in pages["zh-CN"])


def test_each_message_shows_how_far_it_got_and_when(fire: Block) -> None:
    n = schema.notification
    with writing(fire.engine) as connection:

        def got(code: str, **values: object) -> None:
            mine = n.c.contact_id == fire.contacts[code]
            connection.execute(update(n).where(mine).values(**values))

        got("F501", delivered_us=fire.now_us + 61_000_000)
        got("N401", delivered_us=fire.now_us, read_us=fire.now_us)
        got("B1", medium="voice", delivered_us=fire.now_us, read_us=fire.now_us)
        got("M1", state="undelivered")
    fire.pass_s(30)
    fire.answers("W1", "acknowledge")
    fire.decide()
    with fire.console() as reader:
        page = reader.client.get("/incident/1").text
        rungs = dict(re.findall(r'<div class="soft small">(\w+)</div>.*?state-(\w+)', page))
        detail = reader.client.get("/api/incidents/1").json()
    assert rungs == {
        "F501": "delivered", "N401": "read", "B1": "picked_up", "M1": "undelivered", "W1": "answered",
        "D1": "accepted",
    }  # fmt: skip
    assert "已接听" in page and "未送达" in page
    assert re.search(r"已送达 (\d\d-\d\d )?\d\d:\d\d", page)
    (mine,) = [one for one in detail["messages"] if one["contact"] == "W1"]
    assert mine["answered_us"] == fire.now_us
