from __future__ import annotations

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from alerts import sayings
from alerts.case import Hazard
from alerts.channels.channel import PARTS
from alerts.plain_words import plain_warning, since_text
from alerts.texts import Telling, compose, parts_of
from alerts.whereabouts import NAME_CHARS
from devices.model import Role, Severity

PLACE = "示范社区 3号楼 2单元 5层 501"
FIRE = Telling(
    "alarm", Severity.P0, Hazard.FIRE, Role.FAMILY, PLACE, "14:02", frozenset({"S1"}), 1, frozenset()
)
SAYINGS = (
    "alarm",
    "call",
    "next",
    "escalated",
    "unanswered",
    "repeat",
    "help",
    "isolate",
    "more",
    "more_unanswered",
    "moved",
    "all_clear",
)


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("saying", SAYINGS)
def test_a_chinese_message_has_no_english_words_and_fits_two_short_messages(
    severity: Severity, saying: str
) -> None:
    for role in Role:
        telling = replace(FIRE, severity=severity, saying=saying, role=role, asker="grid_worker")
        text = compose(telling, "zh-CN")
        assert not re.search("[a-z]", text)
        assert len(text) <= 134, text  # two UCS-2 segments


def test_the_first_word_of_a_fire_fits_one_short_message() -> None:
    for severity in (Severity.P0, Severity.P0_PLUS):
        for role in Role:
            assert len(compose(replace(FIRE, severity=severity, role=role), "zh-CN")) <= 70


def test_it_says_what_where_since_when_and_what_to_do() -> None:
    assert compose(FIRE, "zh-CN") == f"【火警】{PLACE}，14:02起烟雾报警。请立即核实并回复。"
    assert compose(FIRE, "en") == f"FIRE ALARM: {PLACE}, smoke alarm since 14:02. Check at once and answer."


def test_it_says_when_it_began_and_when_the_newest_alarm_was_raised() -> None:
    later = replace(FIRE, newest="14:40")
    assert compose(later, "zh-CN") == (f"【火警】{PLACE}，烟雾报警（14:02起，最新14:40）。请立即核实并回复。")
    assert compose(later, "en") == (
        f"FIRE ALARM: {PLACE}, smoke alarm (began 14:02, newest alarm 14:40). Check at once and answer."
    )


def test_a_neighbour_is_told_of_now_and_no_other_time() -> None:
    text = compose(replace(FIRE, role=Role.NEIGHBOUR, newest="14:40"), "en")
    assert "smoke alarm since 14:40." in text and "14:02" not in text


def test_with_both_times_the_first_word_of_a_fire_still_fits_one_short_message() -> None:
    for severity in (Severity.P0, Severity.P0_PLUS):
        for role in Role:
            telling = replace(FIRE, severity=severity, role=role, detectors=2, newest="14:40")
            assert len(compose(telling, "zh-CN")) <= 70


def test_news_that_nobody_has_answered_names_it() -> None:
    telling = replace(FIRE, saying="more_unanswered", others=(("故障电弧", "arc"),))
    assert "新报警无人回应：故障电弧。" in compose(telling, "zh-CN")
    assert "Nobody has answered: arc." in compose(telling, "en")


def test_helpers_learn_to_isolate_first_and_residents_to_leave() -> None:
    telling = replace(
        FIRE, severity=Severity.P0_PLUS, rules=frozenset({"S1", "X1"}), tags=frozenset({"electrical_first"})
    )
    assert "先断电" in compose(replace(telling, role=Role.MICRO_STATION), "zh-CN")
    assert "先断电" not in compose(replace(telling, role=Role.NEIGHBOUR), "zh-CN")
    assert "撤离" in compose(replace(telling, role=Role.NEIGHBOUR), "zh-CN")


def test_the_unanswered_step_names_who_has_received_it() -> None:
    telling = replace(FIRE, saying="unanswered", role=Role.DUTY_DESK)
    assert "未确认，无人应答" in compose(telling, "zh-CN")
    assert "未确认，仅家属收到" in compose(replace(telling, answered=("family",)), "zh-CN")


def test_late_second_and_undated_smoke_say_so() -> None:
    assert "迟报" in compose(replace(FIRE, tags=frozenset({"late"})), "zh-CN")
    assert "时间不明" in compose(replace(FIRE, tags=frozenset({"late", "age_unknown"})), "zh-CN")
    assert "再次" in compose(replace(FIRE, tags=frozenset({"second_fire"})), "zh-CN")


def test_times_are_local_with_the_date_when_it_is_another_day() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    at_us = 1_700_000_000_000_000  # 2023-11-15 06:13:20 in Shanghai
    assert since_text(at_us, at_us, zone) == "06:13"
    assert since_text(at_us, at_us + 86_400_000_000, zone) == "11-15 06:13"


def test_the_plainest_warning_names_the_device() -> None:
    for language in ("zh-CN", "en"):
        assert "z2m:0xabc" in plain_warning(Severity.P0, "z2m:0xabc", language)


def test_every_line_of_the_timeline_can_be_said_in_both_languages() -> None:
    for code, both in sayings.LINES.items():
        names = re.findall(r"{(\w+)}", both[0])
        assert sorted(names) == sorted(re.findall(r"{(\w+)}", both[1])), code
        words: dict[str, sayings.Words] = dict.fromkeys(names, sayings.Words(["family*2", "neighbour"]))
        packed = sayings.pack(code, "", **words)
        for language in ("zh-CN", "en"):
            said = sayings.render(packed, language)
            assert "{" not in said and "*" not in said


def test_a_saying_inside_a_saying_is_translated_too() -> None:
    reason = sayings.pack("not_yours", allowed=sayings.Words(["family", "grid_worker"]))
    packed = sayings.pack("act_refused", because=reason, act=sayings.Words(["act.confirm"]))
    assert sayings.render(packed, "zh-CN") == "确认真火（未生效：您的身份不能做此操作：家属、网格员）"


@pytest.mark.parametrize(
    "text", ["", "plain", '{"say":', '{"say":"gone"}', '{"say":"told"}', "{x}", '{"say":["a"]}']
)
def test_text_that_is_no_saying_is_shown_as_it_is(text: str) -> None:
    assert sayings.render(text, "en") == text


def told(rule: str, severity: Severity, hazard: Hazard, role: Role, language: str = "en") -> str:
    rules = frozenset({rule})
    return compose(
        replace(FIRE, severity=severity, hazard=hazard, role=role, rules=rules, detectors=0), language
    )


@pytest.mark.parametrize("role", [Role.FAMILY, Role.GRID_WORKER, Role.BUILDING_SECRETARY])
def test_smoke_that_rises_sends_people_to_look_for_a_fire_and_to_no_breaker(role: Role) -> None:
    text = told("S8", Severity.P1, Hazard.FIRE, role)
    assert "smoke is rising" in text and "fire" in text.rpartition("since")[2]
    assert not re.search("circuit|loads", text)
    assert "烟火" in told("S8", Severity.P1, Hazard.FIRE, role, "zh-CN")


@pytest.mark.parametrize("role", [Role.GRID_WORKER, Role.BUILDING_SECRETARY, Role.DUTY_DESK])
def test_a_dark_building_has_its_power_and_network_checked(role: Role) -> None:
    text = told("C3", Severity.P1, Hazard.FAULT, role)
    assert re.search("power(,| and) network", text) and "unwatched" in text
    assert not re.search("circuit|loads", text)
    assert "供电" in told("C3", Severity.P1, Hazard.FAULT, role, "zh-CN")


def test_the_family_in_a_dark_building_looks_after_its_people() -> None:
    assert "Look after your people" in told("C3", Severity.P1, Hazard.FAULT, Role.FAMILY)
    assert "家人" in told("C3", Severity.P1, Hazard.FAULT, Role.FAMILY, "zh-CN")


@pytest.mark.parametrize("rule", ["L2", "T2", "A1", "O3", "V1"])
def test_serious_matters_of_the_circuit_are_switched_off(rule: str) -> None:
    assert "switch the circuit off" in told(rule, Severity.P1, Hazard.ELECTRICAL, Role.GRID_WORKER)
    assert "断开该回路" in told(rule, Severity.P1, Hazard.ELECTRICAL, Role.GRID_WORKER, "zh-CN")


@pytest.mark.parametrize(
    ("rule", "hazard", "said"),
    [
        ("S1", Hazard.FIRE, "smoke reported long ago"),
        ("S6", Hazard.FAULT, "device removed or opened"),
        ("S5L", Hazard.FAULT, "battery low"),
        ("C1L", Hazard.FAULT, "device silent"),
        ("L5", Hazard.ELECTRICAL, "leakage current"),
    ],
)
def test_what_can_wait_asks_for_a_visit_whatever_it_is(rule: str, hazard: Hazard, said: str) -> None:
    text = told(rule, Severity.P2, hazard, Role.GRID_WORKER)
    assert text == f"PLEASE VISIT: {PLACE}, {said} since 14:02. Please visit and answer."


def test_devices_and_other_alarms_are_named_two_at_most_and_the_rest_counted() -> None:
    others = (("故障电弧（甲）", "arc (A)"), ("漏电", "leak"), ("过热", "hot"))
    telling = replace(FIRE, saying="more", devices=("甲", "乙", "丙", "丁"), others=others)
    assert "（甲、乙，另有2处），" in compose(telling, "zh-CN")
    assert "此处又有报警：故障电弧（甲）、漏电，另有1处。" in compose(telling, "zh-CN")
    assert "Another alarm here: arc (A), leak and 1 more." in compose(telling, "en")


def test_the_longest_names_of_devices_leave_room_for_the_rest() -> None:
    name = "配" * NAME_CHARS
    telling = replace(
        FIRE,
        place="示范社区 3号楼",
        devices=(name,),
        others=((f"烟（{name}）", ""),),
        since="11-02 14:02",
        newest="11-03 14:40",
    )
    for role in Role:
        for saying in ("more", "more_unanswered"):
            assert len(compose(replace(telling, role=role, saying=saying), "zh-CN")) <= 134


@pytest.mark.parametrize("saying", [one for one in SAYINGS if one != "all_clear"])
@pytest.mark.parametrize("there", ["示范社区 12号楼 3单元 17层 1702", ""])
def test_of_a_detector_registered_elsewhere_both_places_are_named(saying: str, there: str) -> None:
    for role in Role:
        for severity in (Severity.P0, Severity.P0_PLUS):
            telling = replace(
                FIRE, severity=severity, role=role, saying=saying, asker="grid_worker", moved_to=there,
                newest="11-03 14:40", since="11-02 14:02", tags=frozenset({"electrical_first"}),
            )  # fmt: skip
            text = compose(telling, "zh-CN")
            assert PLACE in text and (there or "别处") in text
            assert len(text) <= 134, text
            assert parts_of(telling, "zh-CN")["where"] in text


def test_who_goes_there_reads_the_place_that_holds_now_first() -> None:
    moved = replace(FIRE, moved_to="B3 302", place="B3 501")
    went = compose(replace(moved, role=Role.MICRO_STATION), "en")
    assert went.startswith("FIRE ALARM: B3 302 (its detector was registered at B3 501), smoke alarm since")
    home = compose(replace(moved, role=Role.FAMILY, saying="moved"), "en")
    assert home.startswith("FIRE ALARM: B3 501 (its detector is registered at B3 302 now), smoke alarm since")
    assert "The alarm is where it is now." in home


def test_what_a_person_wrote_is_never_a_template() -> None:
    for note in ("{act} 100%", '{"say":"ended"}', '["family"]'):
        packed = sayings.pack("act_note", act=sayings.Words(["act.note"]), note=note)
        assert sayings.render(packed, "en") == f"note: {note}"


def test_the_pieces_of_a_message_are_what_it_says() -> None:
    said = replace(FIRE, saying="call")
    for language in ("zh-CN", "en"):
        parts, text = parts_of(said, language), compose(said, language)
        assert parts.keys() <= set(PARTS)
        assert all(parts[name] in text for name in ("what", "where", "since", "do", "why_now"))
        assert parts["severity"] == said.severity


def test_an_all_clear_has_nothing_to_do() -> None:
    parts = parts_of(replace(FIRE, saying="all_clear"), "zh-CN")
    assert (parts["what"], parts["do"], parts["why_now"]) == ("火警解除", "", "")
