from __future__ import annotations

import asyncio

from alerts.channels.carriers import close_channels, open_channels, warm_channels
from alerts.channels.channel import Accepted, Outcome
from devices.model import Carrier
from simulators.phones import Phone, open_phones
from tests.alerts.channels.providers import message


def test_every_carrier_has_a_channel_that_reaches_a_phone() -> None:
    async def main() -> tuple[dict[Carrier, Outcome], dict[str, Phone]]:
        channels = open_channels()
        assert channels.keys() == set(Carrier)
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
