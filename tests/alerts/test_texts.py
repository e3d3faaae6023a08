from __future__ import annotations

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from alerts import sayings
from alerts.case import Hazard
from alerts.texts import Telling, compose, plain_warning, since_text
from devices.model import Role, Severity

PLACE = "示范社区 3号楼 2单元 5层 501"
FIRE = Telling(
    "alarm", Severity.P0, Hazard.FIRE, Role.FAMILY, PLACE, "14:02", frozenset({"S1"}), 1, frozenset()
)
SAYINGS = ("alarm", "call", "next", "escalated", "unanswered", "repeat", "help", "isolate", "all_clear")


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


def test_what_a_person_wrote_is_never_a_template() -> None:
    for note in ("{act} 100%", '{"say":"ended"}', '["family"]'):
        packed = sayings.pack("act_note", act=sayings.Words(["act.note"]), note=note)
        assert sayings.render(packed, "en") == f"note: {note}"
