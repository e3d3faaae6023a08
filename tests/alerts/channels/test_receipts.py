from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.case import Act
from alerts.channels.aliyun_receipts import (
    read_aliyun_call,
    read_aliyun_details,
    read_aliyun_replies,
    read_aliyun_sms,
    read_aliyun_voice,
)
from alerts.channels.receipts import Posted, Receipt, ReceiptState, SmsReply, act_of
from alerts.channels.tencent_receipts import read_tencent_pull, read_tencent_sms, read_tencent_voice
from devices.model import Carrier

NOW_US = 1_795_363_352_000_000
AT_US = 1_795_276_800_000_000
"""2026-11-22 00:00:00 in China."""
READERS = (read_aliyun_sms, read_aliyun_replies, read_aliyun_voice, read_tencent_sms, read_tencent_voice)


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


def aliyun_report(**changes: Any) -> dict[str, Any]:
    return {
        "phone_number": "13900001234",
        "send_time": "2026-11-21 23:59:58",
        "report_time": "2026-11-22 00:00:00",
        "success": True,
        "err_code": "DELIVERED",
        "err_msg": "用户接收成功",
        "sms_size": "1",
        "biz_id": "900^0",
        "out_id": "7/1/first/0/3/sms",
    } | changes


def test_aliyuns_sms_report() -> None:
    failed = aliyun_report(success=False, err_code="MOBILE_NOT_ON_SERVICE", biz_id="901^0", out_id="")
    first = Receipt(
        Carrier.ALIYUN_SMS,
        "900^0",
        ReceiptState.DELIVERED,
        AT_US,
        "DELIVERED",
        own_id="7/1/first/0/3/sms",
        address_hint="+8613900001234",
    )
    second = Receipt(
        Carrier.ALIYUN_SMS,
        "901^0",
        ReceiptState.FAILED,
        AT_US,
        "MOBILE_NOT_ON_SERVICE",
        address_hint="+8613900001234",
    )
    assert read_aliyun_sms(body([aliyun_report(), failed]), NOW_US) == Posted((first, second))


def test_one_bad_entry_leaves_the_others_their_due() -> None:
    entries = [1, aliyun_report(), {}, aliyun_report(success="true"), aliyun_report(biz_id="")]
    posted = read_aliyun_sms(body([*entries, aliyun_report(biz_id=True)]), NOW_US)
    assert (len(posted.receipts), posted.unread) == (1, 5)


@pytest.mark.parametrize(
    "time", ["", "yesterday", "9999-01-01 00:00:00", "0001-01-01 00:00:00", "1970-01-01 08:00:00", 5, None]
)
def test_a_time_that_cannot_be_is_ours(time: object) -> None:
    posted = read_aliyun_sms(body([aliyun_report(report_time=time)]), NOW_US)
    assert posted.receipts[0].at_us == NOW_US


def test_aliyuns_replies() -> None:
    reply = {
        "phone_number": "13900001234",
        "send_time": "2026-11-22 00:00:00",
        "content": "１ 收到",
        "sign_name": "更夫",
        "dest_code": "1234",
        "sequence_id": 1234567890,
    }
    compact = reply | {"send_time": "20261122000000", "content": "电梯坏了", "sequence_id": "1234567891"}
    posted = read_aliyun_replies(body([reply, compact, {"phone_number": "x", "content": "1"}]), NOW_US)
    assert posted == Posted(
        replies=(
            SmsReply(Carrier.ALIYUN_SMS, "+8613900001234", "１ 收到", Act.ACKNOWLEDGE, AT_US, "1234567890"),
            SmsReply(Carrier.ALIYUN_SMS, "+8613900001234", "电梯坏了", None, AT_US, "1234567891"),
        ),
        unread=1,
    )


def call(**changes: Any) -> dict[str, Any]:
    return {
        "status_code": "200000",
        "callee": "13900001234",
        "ring_time": "2026-11-21 23:59:40",
        "duration": "10",
        "voice_type": "voice",
        "originate_time": "2026-11-21 23:59:34",
        "end_time": "2026-11-22 00:00:00",
        "call_id": "116^102",
        "caller": "05710000",
        "status_msg": "执行完成",
        "out_id": "abc",
        "dtmf": "",
    } | changes


def test_aliyuns_report_of_a_call() -> None:
    assert read_aliyun_voice(body([call()]), NOW_US).receipts == (
        Receipt(
            Carrier.ALIYUN_VOICE,
            "116^102",
            ReceiptState.ANSWERED,
            AT_US,
            "200000 10 s",
            own_id="abc",
            address_hint="+8613900001234",
        ),
    )


@pytest.mark.parametrize(
    ("changes", "state", "keys"),
    [
        ({"status_code": "200001"}, ReceiptState.ANSWERED, ""),
        ({"status_code": "200002", "duration": "0", "end_time": ""}, ReceiptState.FAILED, ""),
        ({"status_code": "200003"}, ReceiptState.FAILED, ""),
        ({"status_code": "200003", "dtmf": "1"}, ReceiptState.ANSWERED, "1"),
        ({"status_code": "200010", "duration": "0"}, ReceiptState.FAILED, ""),
        ({"status_code": "new"}, ReceiptState.FAILED, ""),
    ],
)
def test_a_call_is_answered_only_when_somebody_is_known_to_have_picked_up(
    changes: dict[str, Any], state: ReceiptState, keys: str
) -> None:
    receipt = read_aliyun_voice(body([call(**changes)]), NOW_US).receipts[0]
    assert (receipt.state, receipt.keys) == (state, keys)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("200101", ReceiptState.ACCEPTED),
        ("200201", ReceiptState.ACCEPTED),
        ("200102", ReceiptState.ANSWERED),
        ("200100", ReceiptState.ACCEPTED),
        ("200010", ReceiptState.FAILED),
    ],
)
def test_aliyuns_report_of_a_call_that_goes_on(code: str, state: ReceiptState) -> None:
    entry = {"call_id": "116^102", "status_code": code, "status_time": "2026-11-22 00:00:00", "out_id": "a"}
    receipt = read_aliyun_voice(body([entry]), NOW_US).receipts[0]
    assert (receipt.state, receipt.at_us, receipt.own_id) == (state, AT_US, "a")


@pytest.mark.parametrize(
    ("status", "state"), [(1, ReceiptState.ACCEPTED), (2, ReceiptState.FAILED), (3, ReceiptState.DELIVERED)]
)
def test_aliyuns_details(status: int, state: ReceiptState) -> None:
    detail = {
        "PhoneNum": "13900001234",
        "SendStatus": status,
        "ErrCode": "DELIVERED",
        "TemplateCode": "SMS_1",
        "Content": "【更夫】…",
        "SendDate": "2026-11-21 23:59:50",
        "ReceiveDate": "2026-11-22 00:00:00" if status != 1 else "",
        "OutId": "abc",
    }
    posted = read_aliyun_details({"SmsSendDetailDTOs": {"SmsSendDetailDTO": [detail]}}, "900^0", NOW_US)
    assert [(one.receipt, one.state, one.own_id) for one in posted.receipts] == [("900^0", state, "abc")]
    assert posted.receipts[0].at_us == (AT_US if status != 1 else AT_US - 10_000_000)


def test_aliyuns_answer_without_details_yet() -> None:
    assert read_aliyun_details({"SmsSendDetailDTOs": {"SmsSendDetailDTO": []}}, "900^0", NOW_US) == Posted()
    assert read_aliyun_details({"Code": "OK"}, "900^0", NOW_US) == Posted(unread=1)


def test_tencents_sms_status() -> None:
    status = {
        "user_receive_time": "2026-11-22 00:00:00",
        "nationcode": "86",
        "mobile": "13900001234",
        "report_status": "SUCCESS",
        "errmsg": "DELIVRD",
        "description": "用户短信送达成功",
        "sid": "5000:104",
    }
    failed = status | {"report_status": "FAIL", "errmsg": "停机", "sid": "5000:105"}
    posted = read_tencent_sms(body([status, failed, status | {"report_status": "?"}]), NOW_US)
    hint = "+8613900001234"
    carrier = Carrier.TENCENT_SMS
    assert posted == Posted(
        (
            Receipt(carrier, "5000:104", ReceiptState.DELIVERED, AT_US, "DELIVRD", address_hint=hint),
            Receipt(carrier, "5000:105", ReceiptState.FAILED, AT_US, "not zero", address_hint=hint),
        ),
        unread=1,
    )


def test_tencents_reply_comes_to_the_same_place() -> None:
    reply = {
        "extend": "",
        "mobile": "13900001234",
        "nationcode": "86",
        "sign": "更夫",
        "text": "3",
        "time": AT_US // 1_000_000,
    }
    assert read_tencent_sms(body(reply), NOW_US) == Posted(
        replies=(SmsReply(Carrier.TENCENT_SMS, "+8613900001234", "3", Act.NEED_HELP, AT_US),)
    )


def test_tencents_pulled_reports_and_replies() -> None:
    report = {
        "Description": "DELIVRD",
        "CountryCode": "86",
        "SubscriberNumber": "13900001234",
        "ReportStatus": "SUCCESS",
        "PhoneNumber": "+8613900001234",
        "SerialNo": "5000:104",
        "UserReceiveTime": AT_US // 1_000_000,
        "SessionContext": "7/1/first/0/3/sms",
    }
    reply = {
        "ReplyContent": "2误报",
        "ReplyUnixTime": AT_US // 1_000_000,
        "ExtendCode": "11",
        "ReplyTime": "2026-11-22 00:00:00",
        "Sign": "更夫",
        "PhoneNumber": "+8613900001234",
        "NationCode": "86",
    }
    pulled = read_tencent_pull({"PullSmsSendStatusSet": [report]}, NOW_US)
    assert [(one.receipt, one.state, one.at_us, one.own_id) for one in pulled.receipts] == [
        ("5000:104", ReceiptState.DELIVERED, AT_US, "7/1/first/0/3/sms")
    ]
    replies = read_tencent_pull({"PullSmsReplyStatusSet": [reply]}, NOW_US).replies
    assert [(one.address, one.act, one.at_us) for one in replies] == [
        ("+8613900001234", Act.FALSE_ALARM, AT_US)
    ]
    assert read_tencent_pull([], NOW_US) == read_tencent_pull({}, NOW_US) == Posted(unread=1)


def tencent_call(name: str, **inner: Any) -> Receipt:
    fields = {"call_from": "", "callid": "xyz", "mobile": "13900001234", "nationcode": "86"} | inner
    posted = read_tencent_voice(body({name: fields}), NOW_US)
    assert posted.unread == 0
    assert posted.receipts[0].receipt == "xyz"
    assert posted.receipts[0].address_hint == "+8613900001234"
    return posted.receipts[0]


@pytest.mark.parametrize(
    ("result", "state"),
    [("0", ReceiptState.ANSWERED), ("1", ReceiptState.FAILED), ("2", ReceiptState.FAILED)],
)
def test_tencents_status_of_a_call(result: str, state: ReceiptState) -> None:
    end = str(AT_US // 1_000_000)
    receipt = tencent_call("voiceprompt_callback", result=result, end_calltime=end, fee="1")
    assert (receipt.state, receipt.at_us, receipt.detail) == (state, AT_US, f"result {result}")


def test_tencents_key_and_failure_of_a_call() -> None:
    key = tencent_call("voicekey_callback", keypress="2")
    assert (key.state, key.keys, key.act) == (ReceiptState.ANSWERED, "2", Act.FALSE_ALARM)
    failure = tencent_call("voice_failure_callback", failure_code=8, failure_reason="空号")
    assert (failure.state, failure.detail, failure.act) == (ReceiptState.FAILED, "failure_code 8", None)


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("1", Act.ACKNOWLEDGE),
        (" 2 ", Act.FALSE_ALARM),
        ("3", Act.NEED_HELP),
        ("１", Act.ACKNOWLEDGE),
        ("①", Act.ACKNOWLEDGE),
        ("1 收到", Act.ACKNOWLEDGE),
        ("1收到。", Act.ACKNOWLEDGE),
        ("【1】", Act.ACKNOWLEDGE),
        ("1 OK!", Act.ACKNOWLEDGE),
        ("2、误报", Act.FALSE_ALARM),
        ("３．求助！！", Act.NEED_HELP),
        ("3 need help", Act.NEED_HELP),
        ("1 误报", None),
        ("12", None),
        ("1号楼没事", None),
        ("1 收到 2 误报 3 求助", None),
        ("4", None),
        ("收到", Act.ACKNOWLEDGE),
        ("误报！", Act.FALSE_ALARM),
        ("Help", Act.NEED_HELP),
        ("没有收到", None),
        ("", None),
        ("TD", None),
        ("1" * 5000, None),
    ],
)
def test_what_a_reply_means(text: str, act: Act | None) -> None:
    assert act_of(text) is act


def test_the_same_post_again_has_the_same_keys_and_others_have_others() -> None:
    first, again = (read_aliyun_sms(body([aliyun_report()]), now).receipts[0] for now in (NOW_US, NOW_US + 9))
    failed = read_aliyun_sms(body([aliyun_report(success=False)]), NOW_US).receipts[0]
    assert first.key == again.key != failed.key
    reply = {"mobile": "13900001234", "nationcode": "86", "text": "1", "time": 1_795_276_800}
    one, two, later = (
        read_tencent_sms(body(reply | {"time": reply["time"] + late}), NOW_US).replies[0]  # type: ignore[operator]
        for late in (0, 0, 60)
    )
    assert one.key == two.key != later.key


def test_numbers_stay_out_of_what_may_be_logged() -> None:
    receipt = read_aliyun_sms(body([aliyun_report()]), NOW_US).receipts[0]
    reply = SmsReply(Carrier.ALIYUN_SMS, "+8613900001234", "1", None, 1)
    assert "13900001234" not in repr(receipt) + repr(reply)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["biz_id", "success", "call_id", "status_code", "text", "mobile", "sid", "callid"]
            )
            | st.sampled_from(["voicekey_callback", "report_status", "phone_number", "content", "dtmf"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=300) | JSON.map(body))
def test_any_bytes_are_read(raw: bytes) -> None:
    for reader in READERS:
        posted = reader(raw, NOW_US)
        times = [one.at_us for one in posted.receipts] + [one.at_us for one in posted.replies]
        assert all(0 < at_us <= NOW_US + 86_400_000_000 for at_us in times)


@given(JSON)
def test_any_answer_is_read(answer: object) -> None:
    read_aliyun_call(answer, "x", NOW_US)
    read_aliyun_call({"Data": body(answer).decode()}, "x", NOW_US)
    read_aliyun_call({"Data": answer}, "x", NOW_US)
    read_aliyun_details(answer, "x", NOW_US)
    read_aliyun_details({"SmsSendDetailDTOs": {"SmsSendDetailDTO": answer}}, "x", NOW_US)
    read_tencent_pull({"PullSmsSendStatusSet": answer}, NOW_US)
    read_tencent_pull({"PullSmsReplyStatusSet": answer}, NOW_US)


def test_a_post_that_is_too_large_or_too_deep_is_not_read() -> None:
    assert read_aliyun_sms(b"[" + b" " * 1_048_576 + b"]", NOW_US) == Posted(unread=1)
    assert read_aliyun_sms(b"[" * 100_000, NOW_US) == Posted(unread=1)
    many = read_aliyun_sms(body([aliyun_report(err_msg="")] * 4_000 + [{}] * 2_000), NOW_US)
    assert (len(many.receipts), many.unread) == (4_000, 2_000)
