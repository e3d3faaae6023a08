from __future__ import annotations

import asyncio

from alerts.channels.aliyun import AliyunKey
from alerts.channels.aliyun_voice import AliyunVoiceChannel, AliyunVoiceSettings
from alerts.channels.carriers import NEEDING, Accounts, close_channels, open_channels, warm_channels
from alerts.channels.channel import Accepted, Failed, Outcome
from alerts.channels.intake import LIMITS
from alerts.channels.templates import Template
from devices.model import Carrier
from simulators.phones import Phone, open_phones
from tests.alerts.channels.providers import message


def test_webhook_and_apprise_reach_a_phone() -> None:
    async def main() -> tuple[dict[Carrier, Outcome], dict[str, Phone]]:
        channels = open_channels()
        async with open_phones("127.0.0.1", 0) as phones:
            await warm_channels(channels)
            outcomes = {
                carrier: await channels[carrier].send(message(address))
                for carrier, address in (
                    (Carrier.WEBHOOK, phones.address("webhook")),
                    (Carrier.APPRISE, phones.address("apprise").replace("http://", "json://")),
                )
            }
        await close_channels(channels)
        return outcomes, phones.phones

    outcomes, phones = asyncio.run(main())
    assert outcomes == {Carrier.WEBHOOK: Accepted(), Carrier.APPRISE: Accepted()}
    assert {name: phone.messages[0].link for name, phone in phones.items()} == {
        "webhook": "http://a.example/x",
        "apprise": "http://a.example/x",
    }


def test_every_carrier_has_a_channel() -> None:
    assert open_channels().keys() == set(Carrier)


def test_what_nobody_set_up_says_which_table_is_missing_and_leads_on_at_once() -> None:
    channels = open_channels()
    for carrier, table in NEEDING.items():
        outcome = asyncio.run(channels[carrier].send(message("13800001234")))
        assert outcome == Failed(f"this site has no [{table}] in its configuration", permanent=True)


def test_an_account_that_cannot_be_used_says_why() -> None:
    channels = open_channels(Accounts(broken={Carrier.SMTP: "[channels.smtp]: no secret"}))
    outcome = asyncio.run(channels[Carrier.SMTP].send(message("a@b.example")))
    assert outcome == Failed("[channels.smtp]: no secret", permanent=True)


def test_an_account_opens_its_channel() -> None:
    settings = AliyunVoiceSettings(AliyunKey("id", "secret"), Template("TTS_1", "火警", ()))
    channels = open_channels(Accounts({Carrier.ALIYUN_VOICE: settings}))
    assert isinstance(channels[Carrier.ALIYUN_VOICE], AliyunVoiceChannel)


def test_every_telephone_has_a_limit() -> None:
    assert {Carrier.ALIYUN_SMS, Carrier.ALIYUN_VOICE, Carrier.TENCENT_SMS, Carrier.TENCENT_VOICE} <= set(
        LIMITS
    )
