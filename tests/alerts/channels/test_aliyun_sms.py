from __future__ import annotations

import asyncio
import json

import pytest

from alerts.channels.accounts import CLOCK_WRONG, NO_MONEY
from alerts.channels.aliyun import AliyunKey, canonical_query, signed_headers
from alerts.channels.aliyun_sms import AliyunSmsChannel, AliyunSmsSettings
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.receipts import Posted, Receipt, ReceiptState
from alerts.channels.refusals import NOT_UNDERSTOOD
from alerts.channels.templates import Template, Variable
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
from tests.alerts.channels.vendors.aliyun import KEY_ID, KEY_SECRET, Aliyun

NOW_S = 1_795_363_352.0
TEMPLATE = Template(
    "SMS_1",
    "${place}${what}，立即查看：a.example/a/${code}",
    (Variable("place", "where", 35), Variable("what", "what", 35), Variable("code", "code", 35)),
)
TAKEN = Accepted(receipt="900619746936498440^0")
MOBILE = "139 0000 1234"


def channel_to(
    served: Provider,
    secret: str = KEY_SECRET,
    key_id: str = KEY_ID,
    now_s: float = NOW_S,
    timeout_s: float = 8.0,
) -> AliyunSmsChannel:
    settings = AliyunSmsSettings(
        AliyunKey(key_id, secret), "更夫", TEMPLATE, base_url=f"http://127.0.0.1:{served.port}"
    )
    return AliyunSmsChannel(settings, timeout_s, clock=lambda: now_s)


def outcome_of(answer: Answer, message: Message | None = None, timeout_s: float = 8.0) -> Outcome:
    outcomes, _ = send(lambda served: channel_to(served, timeout_s=timeout_s), answer, message or to(MOBILE))
    return outcomes[0]


def test_the_signature_is_the_one_of_the_vendors_own_example() -> None:
    query = canonical_query(
        {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}
    )
    headers = signed_headers(
        AliyunKey("YourAccessKeyId", "YourAccessKeySecret"),
        "ecs.cn-shanghai.aliyuncs.com",
        "RunInstances",
        "2014-05-26",
        query,
        1_698_315_752.9,
        "3156853299f313e23d1673dc12e1703d",
    )
    assert headers["authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;"
        "x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_the_query_is_written_as_the_vendor_signs_it() -> None:
    assert canonical_query({"b": "a b*c~d!", "A": "更"}) == "A=%E6%9B%B4&b=a%20b%2Ac~d%21"


def test_an_sms_is_taken_with_the_template_filled_from_the_parts() -> None:
    vendor = Aliyun(NOW_S)
    assert outcome_of(vendor) == TAKEN
    values = json.loads(vendor.taken[0].pop("TemplateParam"))
    assert values == {"place": "3栋2单元501厨房", "what": "烟雾报警", "code": "7-3-abcdefghijklmnopqrstuv"}
    assert vendor.taken[0] == {
        "PhoneNumbers": "13900001234",
        "SignName": "更夫",
        "TemplateCode": "SMS_1",
        "OutId": "7/1/first/0/3/sms",
    }


def test_odd_letters_in_values_do_not_break_the_signature() -> None:
    assert outcome_of(Aliyun(NOW_S), to(MOBILE, where="a+b&c=d*~'\"%2B/ 楼")) == TAKEN


def test_a_long_place_is_cut_and_never_refused() -> None:
    vendor = Aliyun(NOW_S)
    assert outcome_of(vendor, to(MOBILE, where="长" * 500)) == TAKEN
    assert json.loads(vendor.taken[0]["TemplateParam"])["place"] == "长" * 34 + "…"


def test_a_web_address_in_a_value_is_left_out() -> None:
    vendor = Aliyun(NOW_S)
    assert outcome_of(vendor, to(MOBILE, where="501 https://x.example/y 厨房 10.0.0.1")) == TAKEN
    assert json.loads(vendor.taken[0]["TemplateParam"])["place"] == "501 厨房"


def test_a_missing_part_does_not_stop_the_message() -> None:
    message = to(MOBILE)
    bare = Message(message.key, message.address, message.medium, message.text, message.link, urgent=True)
    assert outcome_of(Aliyun(NOW_S), bare) == TAKEN


def test_each_message_has_a_signature_of_its_own() -> None:
    outcomes, _ = send(channel_to, Aliyun(NOW_S), to(MOBILE), to("13800001234"))
    assert outcomes == [TAKEN, TAKEN]


def test_an_address_that_is_no_number_is_not_sent_at_all() -> None:
    outcomes, requests = send(channel_to, Aliyun(NOW_S), to("wang@example.org"))
    assert outcomes == [Failed("the address is no telephone number", permanent=True)]
    assert requests == []


def test_a_number_that_the_vendor_refuses_is_permanently_wrong() -> None:
    assert outcome_of(Aliyun(NOW_S), to("12345")) == Failed("Code isv.MOBILE_NUMBER_ILLEGAL", permanent=True)


def test_a_wrong_secret_is_permanent_and_a_wrong_clock_is_said() -> None:
    wrong, _ = send(lambda served: channel_to(served, secret="x"), Aliyun(NOW_S), to(MOBILE))
    assert wrong == [Failed("Code SignatureDoesNotMatch", permanent=True)]
    unknown, _ = send(lambda served: channel_to(served, key_id="x"), Aliyun(NOW_S), to(MOBILE))
    assert unknown == [Failed("Code InvalidAccessKeyId.NotFound", permanent=True)]
    late, _ = send(lambda served: channel_to(served, now_s=NOW_S - 1000), Aliyun(NOW_S), to(MOBILE))
    assert late == [Failed(CLOCK_WRONG)]


def test_the_51st_notice_of_a_day_is_tried_again_a_day_later() -> None:
    outcomes, _ = send(channel_to, Aliyun(NOW_S), *[to(MOBILE)] * 51)
    assert outcomes[:50] == [TAKEN] * 50
    assert outcomes[50] == Failed("Code isv.BUSINESS_LIMIT_CONTROL", retry_after_s=86_400.0)


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        ((200, "isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1"), (False, 60.0)),
        ((200, "isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5"), (False, 3_600.0)),
        ((200, "isv.BUSINESS_LIMIT_CONTROL", "业务级流控"), (False, 60.0)),
        ((200, "isv.DAY_LIMIT_CONTROL", ""), (False, 3_600.0)),
        ((400, "Throttling.User", "Request was denied due to user flow control."), (False, 1.0)),
        ((503, "ServiceUnavailable", ""), (False, 0.0)),
        ((500, "isp.SYSTEM_ERROR", ""), (False, 0.0)),
        ((200, "isp.SYSTEM_ERROR", ""), (False, 0.0)),
        ((200, "isp.RAM_PERMISSION_DENY", ""), (True, 0.0)),
        ((200, "isv.SMS_TEMPLATE_ILLEGAL", ""), (True, 0.0)),
        ((200, "isv.PARAM_LENGTH_LIMIT", ""), (True, 0.0)),
        ((200, "isv.ACCOUNT_ABNORMAL", ""), (False, 0.0)),
        ((404, "SomethingNew", ""), (True, 0.0)),
        ((502, "SomethingNew", ""), (False, 0.0)),
    ],
)
def test_what_a_code_means(refusal: tuple[int, str, str], outcome: tuple[bool, float]) -> None:
    vendor = Aliyun(NOW_S)
    vendor.refuse_with = refusal
    assert outcome_of(vendor) == Failed(f"Code {refusal[1]}", *outcome)


@pytest.mark.parametrize("code", ["isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE"])
def test_an_empty_account_has_a_reason_of_its_own(code: str) -> None:
    vendor = Aliyun(NOW_S)
    vendor.refuse_with = (200, code, "")
    assert outcome_of(vendor) == Failed(NO_MONEY)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (says("200 OK", "not json"), Failed(NOT_UNDERSTOOD)),
        (says("200 OK", "[]"), Failed(NOT_UNDERSTOOD)),
        (says("200 OK", '{"Code": 13900001234}'), Failed(NOT_UNDERSTOOD)),
        (says("502 Bad", "<html>"), Failed("HTTP 502")),
        (says("429 Busy", "", "Retry-After: 9"), Failed("HTTP 429", False, 9.0)),
        (says("200 OK", '{"Code": "号码 13900001234"}'), Failed("Code not zero")),
        (breaks_off_in_the_body, Failed("the connection broke off")),
    ],
)
def test_bad_answers_are_failures(answer: Answer, outcome: Failed) -> None:
    assert outcome_of(answer) == outcome


def test_broken_and_silent_vendors_are_failures() -> None:
    reset = outcome_of(resets)
    assert isinstance(reset, Failed) and not reset.permanent
    assert outcome_of(stays_silent, timeout_s=0.2) == Failed("no answer in time")


def test_readers_of_english_get_the_english_template() -> None:
    english = Template("SMS_1", "${place} ${what} ${code}", TEMPLATE.variables)
    chinese = Template("SMS_none", "", ())

    def open_channel(served: Provider) -> AliyunSmsChannel:
        url = f"http://127.0.0.1:{served.port}"
        key = AliyunKey(KEY_ID, KEY_SECRET)
        settings = AliyunSmsSettings(key, "更夫", chinese, english, base_url=url)
        return AliyunSmsChannel(settings, clock=lambda: NOW_S)

    outcomes, _ = send(open_channel, Aliyun(NOW_S), to(MOBILE, "en"), to(MOBILE))
    assert outcomes == [TAKEN, Failed("Code isv.SMS_TEMPLATE_ILLEGAL", permanent=True)]


def test_what_became_of_an_sms_is_asked_for_by_number_day_and_receipt() -> None:
    vendor = Aliyun(NOW_S)
    vendor.details = [{"PhoneNum": "13900001234", "SendStatus": 3, "ErrCode": "DELIVERED"}]

    async def main() -> object:
        async with provider(vendor) as served:
            channel = channel_to(served)
            posted = await channel.poll("+86 139 0000 1234", "900^0", 1_795_363_200_000_000, 5)
            vendor.refuse_with = (400, "Throttling.User", "")
            refused = await channel.poll("13900001234", "900^0", 0, 5)
            await channel.close()
        assert refused == Failed("Code Throttling.User", retry_after_s=1.0)
        return posted

    posted = asyncio.run(main())
    receipt = Receipt(
        Carrier.ALIYUN_SMS, "900^0", ReceiptState.DELIVERED, 5, "DELIVERED", address_hint="+8613900001234"
    )
    assert posted == Posted((receipt,))
    assert vendor.taken == [
        {
            "PhoneNumber": "13900001234",
            "BizId": "900^0",
            "SendDate": "20261123",
            "PageSize": "10",
            "CurrentPage": "1",
        }
    ]


def test_settings_do_not_show_their_secret() -> None:
    settings = AliyunSmsSettings(AliyunKey("id", "my-secret"), "更夫", TEMPLATE)
    assert "my-secret" not in repr(settings)
