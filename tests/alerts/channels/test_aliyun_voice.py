from __future__ import annotations

import asyncio
import json

import pytest

from alerts.channels.accounts import NO_MONEY, own_id
from alerts.channels.aliyun import AliyunKey
from alerts.channels.aliyun_voice import OUT_ID_BYTES, AliyunVoiceChannel, AliyunVoiceSettings
from alerts.channels.channel import Accepted, Failed
from alerts.channels.receipts import Posted, Receipt, ReceiptState
from alerts.channels.templates import Template, Variable
from devices.model import Carrier
from tests.alerts.channels.dispatching import send, to
from tests.alerts.channels.providers import Provider, provider, resets, stays_silent
from tests.alerts.channels.vendors.aliyun import KEY_ID, KEY_SECRET, Aliyun

NOW_S = 1_795_363_352.0
TEMPLATE = Template(
    "TTS_1", "${place}，${what}，请按一确认", (Variable("place", "where", 35), Variable("what", "what", 35))
)
TAKEN = Accepted(receipt="116012854210^10281427****")


def channel_to(
    served: Provider, plays: int = 3, shown_number: str = "", timeout_s: float = 8.0
) -> AliyunVoiceChannel:
    settings = AliyunVoiceSettings(
        AliyunKey(KEY_ID, KEY_SECRET),
        TEMPLATE,
        shown_number=shown_number,
        plays=plays,
        base_url=f"http://127.0.0.1:{served.port}/",
    )
    return AliyunVoiceChannel(settings, timeout_s, clock=lambda: NOW_S)


def test_a_call_is_taken_with_the_text_filled_from_the_parts() -> None:
    vendor = Aliyun(NOW_S)
    outcomes, _ = send(channel_to, vendor, to("+86 13900001234"))
    assert outcomes == [TAKEN]
    values = json.loads(vendor.taken[0].pop("TtsParam"))
    assert values == {"place": "3栋2单元501厨房", "what": "烟雾报警"}
    assert vendor.taken[0] == {
        "CalledNumber": "13900001234",
        "TtsCode": "TTS_1",
        "PlayTimes": "3",
        "OutId": own_id("7/1/first/0/3/sms", OUT_ID_BYTES),
    }


@pytest.mark.parametrize(
    ("address", "dialled"),
    [("0571-12345678", "057112345678"), ("400 123 4567", "4001234567"), ("(010) 12345678", "01012345678")],
)
def test_landlines_and_service_numbers_are_dialled_as_inside_the_country(address: str, dialled: str) -> None:
    vendor = Aliyun(NOW_S)
    outcomes, _ = send(channel_to, vendor, to(address))
    assert outcomes == [TAKEN]
    assert vendor.taken[0]["CalledNumber"] == dialled


def test_the_bought_number_is_shown_and_the_plays_stay_within_the_vendors() -> None:
    vendor = Aliyun(NOW_S)
    send(lambda served: channel_to(served, plays=9, shown_number="05710000"), vendor, to("13900001234"))
    assert (vendor.taken[0]["CalledShowNumber"], vendor.taken[0]["PlayTimes"]) == ("05710000", "3")


def test_a_second_call_within_a_minute_waits_for_a_minute() -> None:
    outcomes, _ = send(channel_to, Aliyun(NOW_S), to("13900001234"), to("13900001234"))
    assert outcomes == [TAKEN, Failed("Code isv.BUSINESS_LIMIT_CONTROL", retry_after_s=60.0)]


def test_an_empty_account_has_a_reason_of_its_own() -> None:
    vendor = Aliyun(NOW_S)
    vendor.refuse_with = (200, "isv.AMOUNT_NOT_ENOUGH", "")
    assert send(channel_to, vendor, to("13900001234"))[0] == [Failed(NO_MONEY)]


def test_an_address_that_is_no_number_is_permanently_wrong() -> None:
    outcomes, _ = send(channel_to, Aliyun(NOW_S), to("https://x.example"))
    assert outcomes == [Failed("the address is no telephone number", permanent=True)]


def test_broken_and_silent_vendors_are_failures() -> None:
    (reset,), _ = send(channel_to, resets, to("13900001234"))
    assert isinstance(reset, Failed) and not reset.permanent
    silent, _ = send(lambda served: channel_to(served, timeout_s=0.2), stays_silent, to("13900001234"))
    assert silent == [Failed("no answer in time")]


def test_what_became_of_a_call_is_asked_for_by_its_receipt() -> None:
    vendor = Aliyun(NOW_S)

    async def main() -> list[object]:
        async with provider(vendor) as served:
            channel = channel_to(served)
            unknown: object = await channel.poll("116^102", 1_795_363_200_000_000, 5)
            vendor.call_detail = '{"state": "200003", "duration": 0, "callee": "13900001234", '
            vendor.call_detail += '"gmtCreate": "2026-11-22 23:59:00", "endDate": "2026-11-23 00:00:00"}'
            known: object = await channel.poll("116^102", 1_795_363_200_000_000, 1_795_363_260_000_000)
            await channel.close()
        return [unknown, known]

    failed = Receipt(
        Carrier.ALIYUN_VOICE,
        "116^102",
        ReceiptState.FAILED,
        1_795_363_200_000_000,
        "200003 0 s",
        address_hint="+8613900001234",
    )
    assert asyncio.run(main()) == [Posted(), Posted((failed,))]
    assert vendor.taken[0] == {
        "CallId": "116^102",
        "ProdId": "11000000300006",
        "QueryDate": "1795363200000",
    }


def test_a_short_key_is_sent_as_it_is_and_a_long_one_as_its_hash() -> None:
    assert own_id("7/1/a/0/3/voice", 15) == "7/1/a/0/3/voice"
    long = own_id("7/1/no_answer/0/3/voice", 15)
    assert len(long) == 15 and long.isalnum()
    assert long == own_id("7/1/no_answer/0/3/voice", 15) != own_id("8/1/no_answer/0/3/voice", 15)
    assert own_id("更", 255).isascii()
