from __future__ import annotations

import asyncio

import pytest

from alerts.case import Act
from alerts.channels.accounts import CLOCK_WRONG, NO_MONEY
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.receipts import Posted, Receipt, ReceiptState, SmsReply
from alerts.channels.refusals import NOT_UNDERSTOOD
from alerts.channels.templates import Template, Variable
from alerts.channels.tencent import TencentKey, authorization
from alerts.channels.tencent_sms import TencentSmsChannel, TencentSmsSettings
from devices.model import Carrier
from tests.alerts.channels.dispatching import send, to
from tests.alerts.channels.providers import (
    Answer,
    Provider,
    breaks_off_in_the_body,
    provider,
    resets,
    says,
    stays_silent,
)
from tests.alerts.channels.vendors.tencent import SECRET_ID, SECRET_KEY, Tencent

NOW_S = 1_551_113_065.0
KEY = TencentKey(SECRET_ID, SECRET_KEY)
TEMPLATE = Template(
    "1110",
    "{1}{2}，立即查看：a.example/a/{3}",
    (Variable("1", "where", 12), Variable("2", "what", 12), Variable("3", "code", 35)),
)
TAKEN = Accepted(receipt="5000:1045710669157053657849499619")
MOBILE = "139-0000-1234"


def channel_to(
    served: Provider, key: TencentKey = KEY, now_s: float = NOW_S, timeout_s: float = 8.0
) -> TencentSmsChannel:
    settings = TencentSmsSettings(
        key, "1400006666", "更夫", TEMPLATE, base_url=f"http://127.0.0.1:{served.port}"
    )
    return TencentSmsChannel(settings, timeout_s, clock=lambda: now_s)


def outcome_of(answer: Answer, message: Message | None = None, timeout_s: float = 8.0) -> Outcome:
    outcomes, _ = send(lambda served: channel_to(served, timeout_s=timeout_s), answer, message or to(MOBILE))
    return outcomes[0]


def test_the_signature_is_the_one_of_the_vendors_own_example() -> None:
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    assert authorization(KEY, "cvm", "cvm.tencentcloudapi.com", body, 1_551_113_065) == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host, "
        "Signature=2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c"
    )


def test_an_sms_is_taken_with_the_values_in_the_vendors_order() -> None:
    vendor = Tencent("sms", NOW_S)
    assert outcome_of(vendor) == TAKEN
    assert vendor.taken == [
        {
            "PhoneNumberSet": ["+8613900001234"],
            "SmsSdkAppId": "1400006666",
            "SignName": "更夫",
            "TemplateId": "1110",
            "TemplateParamSet": ["3栋2单元501厨房", "烟雾报警", "7-3-abcdefghijklmnopqrstuv"],
            "SessionContext": "7/1/first/0/3/sms",
        }
    ]


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("13900001234", "+8613900001234"),
        ("0086 13900001234", "+8613900001234"),
        ("86 13900001234", "+8613900001234"),
        ("１３９００００１２３４", "+8613900001234"),
        ("+852 5123 4567", "+85251234567"),
        ("00852 5123 4567", "+85251234567"),
        ("010-12345678", "+861012345678"),
    ],
)
def test_numbers_go_out_with_their_country(address: str, number: str) -> None:
    vendor = Tencent("sms", NOW_S)
    assert outcome_of(vendor, to(address)) == TAKEN
    assert vendor.taken[0]["PhoneNumberSet"] == [number]


def test_a_long_place_is_cut_and_never_refused() -> None:
    vendor = Tencent("sms", NOW_S)
    assert outcome_of(vendor, to(MOBILE, where="长" * 500)) == TAKEN
    assert vendor.taken[0]["TemplateParamSet"][0] == "长" * 11 + "…"


def test_a_200_whose_number_was_refused_is_a_failure() -> None:
    vendor = Tencent("sms", NOW_S)
    vendor.number_refused_with = "FailedOperation.PhoneNumberInBlacklist"
    assert outcome_of(vendor) == Failed("Code FailedOperation.PhoneNumberInBlacklist", permanent=True)


def test_a_second_sms_within_30_seconds_waits_for_them() -> None:
    outcomes, _ = send(channel_to, Tencent("sms", NOW_S), to(MOBILE), to(MOBILE))
    assert outcomes == [TAKEN, Failed("Code LimitExceeded.PhoneNumberThirtySecondLimit", retry_after_s=30.0)]


@pytest.mark.parametrize(
    ("code", "permanent", "wait_s"),
    [
        ("RequestLimitExceeded.UinLimitExceeded", False, 1.0),
        ("LimitExceeded.PhoneNumberOneHourLimit", False, 3_600.0),
        ("LimitExceeded.PhoneNumberDailyLimit", False, 86_400.0),
        ("LimitExceeded.AppDailyLimit", False, 3_600.0),
        ("InternalError.Timeout", False, 0.0),
        ("InternalError", False, 0.0),
        ("FailedOperation.AccessUpstreamTimeout", False, 0.0),
        ("FailedOperation.TemplateIncorrectOrUnapproved", True, 0.0),
        ("InvalidParameterValue.TemplateParameterLengthLimit", True, 0.0),
        ("UnauthorizedOperation.SmsSdkAppIdVerifyFail", True, 0.0),
        ("SomethingNew", False, 0.0),
    ],
)
@pytest.mark.parametrize("of_the_number", [True, False])
def test_what_a_code_means(code: str, permanent: bool, wait_s: float, of_the_number: bool) -> None:
    vendor = Tencent("sms", NOW_S)
    vendor.number_refused_with, vendor.refuse_with = (code, "") if of_the_number else ("", code)
    assert outcome_of(vendor) == Failed(f"Code {code}", permanent, wait_s)


@pytest.mark.parametrize(
    "code",
    ["FailedOperation.InsufficientBalanceInSmsPackage", "UnauthorizedOperation.ServiceSuspendDueToArrears"],
)
def test_an_empty_account_has_a_reason_of_its_own(code: str) -> None:
    vendor = Tencent("sms", NOW_S)
    vendor.number_refused_with = code
    assert outcome_of(vendor) == Failed(NO_MONEY)


def test_a_wrong_secret_is_permanent_and_a_wrong_clock_is_said() -> None:
    wrong_key = TencentKey(SECRET_ID, "x")
    wrong, _ = send(lambda served: channel_to(served, wrong_key), Tencent("sms", NOW_S), to(MOBILE))
    assert wrong == [Failed("Code AuthFailure.SignatureFailure", permanent=True)]
    late, _ = send(lambda served: channel_to(served, now_s=NOW_S - 400), Tencent("sms", NOW_S), to(MOBILE))
    assert late == [Failed(CLOCK_WRONG)]


def test_the_signatures_day_is_of_utc() -> None:
    before_midnight = 1_795_391_999.0
    outcomes, _ = send(
        lambda served: channel_to(served, now_s=before_midnight), Tencent("sms", before_midnight), to(MOBILE)
    )
    assert outcomes == [TAKEN]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (says("200 OK", "not json"), Failed(NOT_UNDERSTOOD)),
        (says("200 OK", '{"Response": []}'), Failed(NOT_UNDERSTOOD)),
        (says("200 OK", '{"Response": {}}'), Failed("the answer names no number")),
        (says("200 OK", '{"Response": {"SendStatusSet": [1]}}'), Failed("the answer names no number")),
        (says("200 OK", '{"Response": {"SendStatusSet": [{}]}}'), Failed("Code not zero")),
        (says("502 Bad", "<html>"), Failed("HTTP 502")),
        (says("429 Busy", "", "Retry-After: 9"), Failed("HTTP 429", False, 9.0)),
        (breaks_off_in_the_body, Failed("the connection broke off")),
    ],
)
def test_bad_answers_are_failures(answer: Answer, outcome: Failed) -> None:
    assert outcome_of(answer) == outcome


def test_broken_and_silent_vendors_are_failures() -> None:
    reset = outcome_of(resets)
    assert isinstance(reset, Failed) and not reset.permanent
    assert outcome_of(stays_silent, timeout_s=0.2) == Failed("no answer in time")


def test_an_address_that_is_no_number_is_not_sent_at_all() -> None:
    outcomes, requests = send(channel_to, Tencent("sms", NOW_S), to("wang@example.org"))
    assert outcomes == [Failed("the address is no telephone number", permanent=True)]
    assert requests == []


def test_what_came_since_the_last_poll_is_given_once() -> None:
    vendor = Tencent("sms", NOW_S)
    vendor.pulls = {
        "PullSmsSendStatus": [{"SerialNo": "5000:1", "ReportStatus": "SUCCESS", "Description": "DELIVRD"}],
        "PullSmsReplyStatus": [{"PhoneNumber": "+8613900001234", "ReplyContent": "1 收到"}],
    }

    async def main() -> list[object]:
        async with provider(vendor) as served:
            channel = channel_to(served)
            answers: list[object] = [
                await channel.poll(5),
                await channel.poll_replies(5),
                await channel.poll(5),
            ]
            await channel.close()
        return answers

    reports, replies, again = asyncio.run(main())
    assert reports == Posted((Receipt(Carrier.TENCENT_SMS, "5000:1", ReceiptState.DELIVERED, 5, "DELIVRD"),))
    assert replies == Posted(
        replies=(SmsReply(Carrier.TENCENT_SMS, "+8613900001234", "1 收到", Act.ACKNOWLEDGE, 5),)
    )
    assert again == Failed("Code InvalidAction", permanent=True)
    assert vendor.taken[0] == {"SmsSdkAppId": "1400006666", "Limit": 100}


def test_one_number_can_be_asked_about_again_and_again() -> None:
    """Of the shapes of version 2021-01-11, whose replies give their time as ReplyTime."""
    vendor = Tencent("sms", NOW_S)
    report = {"SerialNo": "5000:1", "ReportStatus": "FAIL", "Description": "GONE"}
    numbers = {"PhoneNumber": "+8613900001234"}, {"PhoneNumber": "+8613900009999"}
    vendor.by_number = {
        "PullSmsSendStatus": [{**report, **number} for number in numbers],
        "PullSmsReplyStatus": [{"ReplyContent": "3", "ReplyTime": 1_551_113_060, **numbers[0]}],
    }
    now_us = int(NOW_S) * 1_000_000
    reply = SmsReply(Carrier.TENCENT_SMS, "+8613900001234", "3", Act.NEED_HELP, 1_551_113_060_000_000)
    failed = Receipt(Carrier.TENCENT_SMS, "5000:1", ReceiptState.FAILED, now_us, "GONE")

    async def main() -> list[object]:
        async with provider(vendor) as served:
            channel = channel_to(served)
            answers: list[object] = [
                await channel.ask(MOBILE, now_us - 60_000_000, now_us),
                await channel.ask(MOBILE, 0, now_us, settled=True),
                await channel.ask("wang@example.org", 0, now_us),
            ]
            await channel.close()
        return answers

    whole, replies, none = asyncio.run(main())
    assert isinstance(whole, Posted) and whole.replies == (reply,)
    assert [(one.receipt, one.state) for one in whole.receipts] == [(failed.receipt, failed.state)]
    assert replies == Posted(replies=(reply,))
    assert isinstance(none, Failed) and none.permanent
