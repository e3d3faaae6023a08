from __future__ import annotations

import pytest

from alerts.channels.accounts import NO_MONEY
from alerts.channels.channel import Accepted, Failed
from alerts.channels.templates import Template, Variable
from alerts.channels.tencent import TencentKey
from alerts.channels.tencent_voice import TencentVoiceChannel, TencentVoiceSettings
from tests.alerts.channels.dispatching import send, to
from tests.alerts.channels.providers import Provider, resets, says, stays_silent
from tests.alerts.channels.vendors.tencent import SECRET_ID, SECRET_KEY, Tencent

NOW_S = 1_795_363_352.0
TEMPLATE = Template("4356", "{1}，{2}，请按一确认", (Variable("1", "where", 100), Variable("2", "what", 20)))
TAKEN = Accepted(receipt="12582bce-403c-11eb")
MOBILE = "13900001234"


def channel_to(served: Provider, plays: int = 3, timeout_s: float = 8.0) -> TencentVoiceChannel:
    settings = TencentVoiceSettings(
        TencentKey(SECRET_ID, SECRET_KEY),
        "1400006666",
        TEMPLATE,
        plays=plays,
        base_url=f"http://127.0.0.1:{served.port}",
    )
    return TencentVoiceChannel(settings, timeout_s, clock=lambda: NOW_S)


def test_a_call_is_taken_with_the_values_in_the_vendors_order() -> None:
    vendor = Tencent("vms", NOW_S)
    assert send(channel_to, vendor, to(MOBILE))[0] == [TAKEN]
    assert vendor.taken == [
        {
            "CalledNumber": "+8613900001234",
            "VoiceSdkAppid": "1400006666",
            "TemplateId": "4356",
            "TemplateParamSet": ["3栋2单元501厨房", "烟雾报警"],
            "PlayTimes": 3,
            "SessionContext": "7/1/first/0/3/sms",
        }
    ]


@pytest.mark.parametrize(("plays", "sent"), [(0, 1), (2, 2), (9, 3)])
def test_the_plays_stay_within_the_vendors(plays: int, sent: int) -> None:
    vendor = Tencent("vms", NOW_S)
    assert send(lambda served: channel_to(served, plays), vendor, to(MOBILE))[0] == [TAKEN]
    assert vendor.taken[0]["PlayTimes"] == sent


def test_a_long_text_is_cut_to_what_the_vendor_reads() -> None:
    vendor = Tencent("vms", NOW_S)
    template = Template("4356", "{1}，{2}", (Variable("1", "where", 400), Variable("2", "what", 400)))

    def open_channel(served: Provider) -> TencentVoiceChannel:
        key = TencentKey(SECRET_ID, SECRET_KEY)
        url = f"http://127.0.0.1:{served.port}"
        settings = TencentVoiceSettings(key, "1400006666", template, base_url=url)
        return TencentVoiceChannel(settings, clock=lambda: NOW_S)

    outcomes, _ = send(open_channel, vendor, to(MOBILE, where="长" * 400, what="长" * 400))
    assert outcomes == [TAKEN]
    assert sum(map(len, vendor.taken[0]["TemplateParamSet"])) == 348


def test_a_second_call_within_30_seconds_waits_for_them() -> None:
    outcomes, _ = send(channel_to, Tencent("vms", NOW_S), to(MOBILE), to(MOBILE))
    assert outcomes == [TAKEN, Failed("Code LimitExceeded.DeliveryFrequencyLimit", retry_after_s=30.0)]


def test_an_empty_account_has_a_reason_of_its_own() -> None:
    vendor = Tencent("vms", NOW_S)
    vendor.refuse_with = "FailedOperation.InsufficientBalanceInVoicePackage"
    assert send(channel_to, vendor, to(MOBILE))[0] == [Failed(NO_MONEY)]


def test_bad_answers_are_failures() -> None:
    assert send(channel_to, says("200 OK", '{"Response": {}}'), to(MOBILE))[0] == [
        Failed("the answer names no call")
    ]
    (reset,), _ = send(channel_to, resets, to(MOBILE))
    assert isinstance(reset, Failed) and not reset.permanent
    silent, _ = send(lambda served: channel_to(served, timeout_s=0.2), stays_silent, to(MOBILE))
    assert silent == [Failed("no answer in time")]


def test_an_address_that_is_no_number_is_permanently_wrong() -> None:
    outcomes, _ = send(channel_to, Tencent("vms", NOW_S), to("x"))
    assert outcomes == [Failed("the address is no telephone number", permanent=True)]
