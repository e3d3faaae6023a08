"""All providers but one are slow or broken: a fire goes out by that one at once, and nothing is lost.

The channels are those that the service opens, the sender is the service's, the sockets are real. At once
means: it was handed over while every other message that had been begun was still under way.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from alerts.channels.aliyun import AliyunKey
from alerts.channels.aliyun_sms import AliyunSmsSettings
from alerts.channels.aliyun_voice import AliyunVoiceSettings
from alerts.channels.cap import CapSettings
from alerts.channels.carriers import NEEDING, Account, Accounts, close_channels, open_channels
from alerts.channels.intake import LIMITS
from alerts.channels.mqtt import MqttSettings
from alerts.channels.smtp import SmtpSettings
from alerts.channels.templates import Template
from alerts.channels.tencent import TencentKey
from alerts.channels.tencent_sms import TencentSmsSettings
from alerts.channels.tencent_voice import TencentVoiceSettings
from alerts.channels.wecom_app import WecomAppSettings
from alerts.handover import Handover
from alerts.meter import Tally
from alerts.outbox import due_retries
from alerts.sender import Sender
from alerts.settings import Settings
from devices.database import writing
from devices.model import Carrier, Medium, Severity
from tests.alerts.channels import troubled as trouble
from tests.alerts.channels.providers import Provider, provider, says
from tests.alerts.channels.test_aliyun_sms import TEMPLATE as ALIYUN_TEMPLATE
from tests.alerts.channels.troubled import Troubled, troubled
from tests.alerts.channels.vendors.aliyun import KEY_ID, KEY_SECRET, Aliyun
from tests.alerts.outboxes import NOW, SECOND, Outbox, PlainVault, open_outbox
from tests.databases import PATIENCE_S, TABLES_ONLY, sqlite_like

EACH = 3
"""People who are reached by each carrier."""
CROWD = 40
"""People who are reached by mail, whose sends need threads."""
SHARE = 16
"""Sends of fires through one provider, of 64 senders."""
HEARD = 16 << 20
"""Bytes that can be sent to a client who has stopped listening: the kernel holds them."""
ADDRESSES: Mapping[Carrier, str] = {
    Carrier.WEBHOOK: "{scheme}://{host}:{port}/{n}",
    Carrier.APPRISE: "json{s}://{host}:{port}/{n}",
    Carrier.DINGTALK: "{scheme}://{host}:{port}/robot/send?access_token={n}",
    Carrier.FEISHU: "{scheme}://{host}:{port}/open-apis/bot/v2/hook/{n}",
    Carrier.WECOM_BOT: "{scheme}://{host}:{port}/cgi-bin/webhook/send?key={n}",
    Carrier.SERVERCHAN: "{scheme}://{host}:{port}/{n}.send",
    Carrier.CAP: "{scheme}://{host}:{port}/cap/{n}",
    Carrier.WECOM_APP: "worker.{n}",
    Carrier.SMTP: "worker.{n}@site.example",
    Carrier.MQTT: "sirens/{n}",
}
NUMBER = "1390000{n:04d}"
_TEMPLATE = Template("1", "${w}", ())


def account(carrier: Carrier, at: Troubled | Provider, *, tls: bool) -> Account:
    """The site's account with that carrier, whose provider is that server."""
    host = at.host if isinstance(at, Troubled) else "127.0.0.1"
    url = f"http{'s' * tls}://{host}:{at.port}"
    aliyun, tencent = AliyunKey(KEY_ID, KEY_SECRET), TencentKey("id", "key")
    accounts: dict[Carrier, Account] = {
        Carrier.ALIYUN_SMS: AliyunSmsSettings(aliyun, "更夫", ALIYUN_TEMPLATE, base_url=url),
        Carrier.ALIYUN_VOICE: AliyunVoiceSettings(aliyun, _TEMPLATE, base_url=url),
        Carrier.TENCENT_SMS: TencentSmsSettings(tencent, "1", "更夫", _TEMPLATE, base_url=url),
        Carrier.TENCENT_VOICE: TencentVoiceSettings(tencent, "1", _TEMPLATE, base_url=url),
        Carrier.WECOM_APP: WecomAppSettings("corp", 1, "secret", url),
        Carrier.SMTP: SmtpSettings(host, "a@site.example", at.port, "tls" if tls else "none"),
        Carrier.MQTT: MqttSettings(host, at.port, tls=tls),
        Carrier.CAP: CapSettings("site.example", "更夫"),
    }
    return accounts[carrier]


def address(carrier: Carrier, at: Troubled, n: int, *, tls: bool) -> str:
    form = ADDRESSES.get(carrier, NUMBER)
    return form.format(scheme=f"http{'s' * tls}", s="s" * tls, host=at.host, port=at.port, n=n)


@dataclass
class Scene:
    """A sender with its outbox, the bad providers and the good one."""

    outbox: Outbox
    sender: Sender
    tally: Tally
    bad: dict[Carrier, Troubled]
    good: Provider
    bad_first: list[Handover]
    good_first: list[Handover]

    def submit(self) -> None:
        """The people of the bad providers come first."""
        self.sender.submit(self.bad_first)
        self.sender.submit(self.good_first)

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not happened():  # noqa: ASYNC110  outcomes are written by a thread
                await asyncio.sleep(0.005)

    def states(self, of: list[Handover]) -> set[str]:
        ids = {one.notification_id for one in of}
        return {row.state for row in self.outbox.notifications() if row.id in ids}

    def under_way(self, of: list[Handover]) -> int:
        ids = {one.notification_id for one in of}
        return sum(row.state == "sending" for row in self.outbox.notifications() if row.id in ids)

    def nothing_is_lost(self) -> None:
        """Whoever was not reached was told by the good one, and is due again by the first way."""
        ids = {one.notification_id for one in self.bad_first}
        rows = self.outbox.notifications()
        told = {row.contact_id for row in rows if row.state == "accepted"}
        assert told >= {one.contact_id for one in self.bad_first + self.good_first}
        assert {row.state for row in rows if row.id not in ids} == {"accepted"}
        waiting = {row.id: row.next_try_us for row in rows if row.state == "waiting"}
        assert min(waiting.values()) > NOW + SECOND
        with writing(self.outbox.engine) as connection:
            again = due_retries(connection, max(waiting.values()), 1_000)
        assert {one.notification_id for one in again} == waiting.keys()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with open_outbox(sqlite_like(TABLES_ONLY, tmp_path)) as opened:
        yield opened


@asynccontextmanager
async def scene(
    outbox: Outbox,
    behave: Callable[[Troubled, trouble.Streams], Awaitable[None]],
    healthy: Carrier = Carrier.WEBHOOK,
    *,
    tls: bool = False,
    without: tuple[Carrier, ...] = (Carrier.APPRISE,),
) -> AsyncIterator[Scene]:
    carriers = [one for one in Carrier if one is not healthy and one not in without]
    answer = Aliyun(time.time()) if healthy is Carrier.ALIYUN_SMS else says("200 OK", "{}")
    async with troubled(carriers, behave) as bad, provider(answer) as good:
        accounts = {one: account(one, bad[one], tls=tls) for one in NEEDING if one in bad}
        if healthy in NEEDING:
            accounts[healthy] = account(healthy, good, tls=False)
        channels = open_channels(Accounts(accounts))
        tally = Tally()
        sender = Sender(
            outbox.engine, PlainVault(), channels, Settings(b"", "", send_timeout_s=30.0),
            clock=lambda: NOW + SECOND, meter=tally, limits=LIMITS,
        )  # fmt: skip
        sender.start()
        first = people(outbox, bad, good, healthy, tls=tls)
        try:
            yield Scene(outbox, sender, tally, bad, good, *first)
        finally:
            next(iter(bad.values())).released.set()
            await sender.close(5.0)
            await close_channels(channels)
            await asyncio.sleep(0.1 if tls else 0)  # aiohttp ends half-made TLS connections a little later


def people(
    outbox: Outbox, bad: dict[Carrier, Troubled], good: Provider, healthy: Carrier, *, tls: bool
) -> tuple[list[Handover], list[Handover]]:
    """Everybody's second way is the good one; three have no other."""
    numbers = iter(range(1, 1_000))

    def well() -> tuple[Medium, Carrier, str]:
        n = next(numbers)
        return Medium.SMS, healthy, NUMBER.format(n=n) if healthy in NEEDING else f"{good.url()}/{n}"

    unlucky = [
        outbox.add_contact((Medium.PUSH, carrier, address(carrier, at, next(numbers), tls=tls)), well())[0]
        for carrier, at in bad.items()
        for _ in range(CROWD if carrier is Carrier.SMTP else EACH)
    ]
    lucky = [outbox.add_contact(well())[0] for _ in range(EACH)]
    return outbox.tell(unlucky, Severity.P0), outbox.tell(lucky, Severity.P0, NOW + 1)


HOLDS = {
    "half-open": (trouble.is_silent, Carrier.WEBHOOK, False),
    "no handshake": (trouble.is_silent, Carrier.ALIYUN_SMS, True),
    "dripping": (trouble.drips, Carrier.WEBHOOK, False),
}


@pytest.mark.parametrize("name", HOLDS)
def test_a_fire_goes_out_by_the_one_that_answers_while_all_others_hang(outbox: Outbox, name: str) -> None:
    """And when they break off, everybody is told by that one, at once."""
    behave, healthy, tls = HOLDS[name]
    without = () if name == "half-open" else (Carrier.APPRISE,)

    async def story() -> None:
        threads = threading.active_count()
        async with scene(outbox, behave, healthy, tls=tls, without=without) as here:
            here.submit()
            await here.until(lambda: here.states(here.good_first) == {"accepted"})
            assert here.under_way(here.bad_first) >= len(here.bad_first) - (CROWD - SHARE)
            if not tls:
                await here.until(lambda: here.bad[Carrier.SMTP].most_open >= SHARE)
            assert max(one.most_open for one in here.bad.values()) <= SHARE
            assert threading.active_count() - threads < 4 * SHARE
            here.bad[Carrier.SMTP].released.set()
            await here.sender.settle()
            here.nothing_is_lost()

    asyncio.run(story())


def test_behind_a_provider_that_hangs_nobody_waits_for_a_place(outbox: Outbox) -> None:
    """60 people whose first way hangs: who gets no place there is told by the second way, while all who got
    one still hang. One who has no second way is tried by the first again."""

    async def story() -> None:
        async with (
            troubled([Carrier.ALIYUN_SMS], trouble.is_silent) as bad,
            provider(says("200 OK", "{}")) as good,
        ):
            at = bad[Carrier.ALIYUN_SMS]
            settings = account(Carrier.ALIYUN_SMS, at, tls=False)
            channels = open_channels(Accounts({Carrier.ALIYUN_SMS: settings}))
            sender = Sender(
                outbox.engine, PlainVault(), channels, Settings(b"", "", send_timeout_s=PATIENCE_S),
                clock=lambda: NOW + SECOND, meter=Tally(), limits=LIMITS,
            )  # fmt: skip
            firsts = [outbox.add_contact(*ways)[0] for ways in sixty(good)]
            handovers = outbox.tell(firsts, Severity.P0)
            sender.start()
            sender.submit(handovers)
            async with asyncio.timeout(PATIENCE_S):
                await good.wait_for(60 - SHARE - 1)
            assert at.open == at.connections == SHARE
            at.released.set()
            await sender.settle()
            waiting = {row.id for row in outbox.notifications() if row.state == "waiting"}
            assert waiting == {one.notification_id for one in handovers}
            await sender.close(5.0)
            await close_channels(channels)

    asyncio.run(story())


def sixty(good: Provider) -> Iterator[list[tuple[Medium, Carrier, str]]]:
    for n in range(60):
        first = Medium.SMS, Carrier.ALIYUN_SMS, NUMBER.format(n=n)
        yield [first, (Medium.PUSH, Carrier.WEBHOOK, f"{good.url()}/{n}")][: 1 if n == 59 else 2]


AT_ONCE = {
    "resets": trouble.resets,
    "200 with an error code": trouble.refuses_with_200,
    "429": trouble.asks_to_wait,
    "an answer without an end": trouble.never_stops,
    "a head without an end": trouble.never_ends_its_head,
}


@pytest.mark.parametrize("name", AT_ONCE)
def test_what_the_others_refuse_goes_by_the_one_that_takes_it(outbox: Outbox, name: str) -> None:
    async def story() -> None:
        without = (Carrier.APPRISE, Carrier.MQTT) if "without" in name else (Carrier.APPRISE,)
        async with scene(outbox, AT_ONCE[name], without=without) as here:
            here.submit()
            await here.sender.settle()
            assert here.states(here.bad_first) <= {"waiting", "accepted"}
            assert all(one.given <= one.connections * HEARD for one in here.bad.values())
            if name == "429":
                waits = {r.next_try_us - NOW - SECOND for r in here.outbox.notifications() if r.next_try_us}
                assert waits == {2 * SECOND, 7 * SECOND}  # mail and sirens name no time
            here.nothing_is_lost()

    asyncio.run(story())
