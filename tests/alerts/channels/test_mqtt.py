"""Against a real mosquitto, and against brokers that misbehave."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import aiomqtt
import pytest

from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.mqtt import MqttChannel, MqttSettings
from gengfu.ports import free_port
from tests.alerts.channels.dispatching import to
from tests.alerts.channels.providers import provider, resets, stays_silent
from tests.ingest.listeners import make_certificates
from tests.ingest.mosquitto import Mosquitto

NOW_S = 1_795_363_352.0
TOPIC = "sirens/3-2"
USER, PASSWORD = "gengfu", "secret-password"


@dataclass(frozen=True)
class Broker:
    """`open` takes anybody; `closed` and `tls` are one that asks for the password and keeps all but
    `sirens/` to itself."""

    open: int
    closed: int
    tls: int
    authority: str

    def settings(self) -> MqttSettings:
        return MqttSettings("127.0.0.1", self.open)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("siren-broker")
    tls = make_certificates(folder / "tls")
    passwords, rights = folder / "passwords", folder / "rights"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), USER, PASSWORD], check=True)
    rights.write_text(f"user {USER}\ntopic readwrite sirens/#\n")
    encrypted = free_port()
    secured = f"allow_anonymous false\npassword_file {passwords}\nacl_file {rights}"
    extra = f"\nlistener {encrypted} 127.0.0.1\ncertfile {tls / 'server.crt'}\nkeyfile {tls / 'server.key'}\n"

    def secure(text: str) -> str:
        return text.replace("allow_anonymous true", secured) + extra

    with Mosquitto(folder / "open") as anybody, Mosquitto(folder / "closed", secure) as closed:
        yield Broker(anybody.port, closed.port, encrypted, str(tls / "ca.crt"))


async def send_once(settings: MqttSettings, message: Message, timeout_s: float = 8.0) -> Outcome:
    channel = MqttChannel(settings, timeout_s, clock=lambda: NOW_S)
    try:
        outcome = await channel.send(message)
    finally:
        await channel.close()
    if isinstance(outcome, Failed):
        assert TOPIC not in outcome.reason and PASSWORD not in outcome.reason
    return outcome


def with_siren(
    broker: Broker, settings: MqttSettings, topic: str = TOPIC
) -> tuple[Outcome, list[aiomqtt.Message]]:
    """A siren listens on the same broker; what it heard."""
    closed = bool(settings.user)

    async def main() -> tuple[Outcome, list[aiomqtt.Message]]:
        async with aiomqtt.Client(
            "127.0.0.1",
            broker.closed if closed else broker.open,
            username=USER if closed else None,
            password=PASSWORD if closed else None,
            protocol=aiomqtt.ProtocolVersion.V5,
        ) as siren:
            await siren.subscribe(TOPIC, qos=1)
            outcome = await send_once(settings, to(topic))
            heard = []
            if isinstance(outcome, Accepted):
                heard.append(await anext(aiter(siren.messages)))
            return outcome, heard

    return asyncio.run(main())


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_the_siren_hears_the_command(broker: Broker, version: str) -> None:
    settings = replace(broker.settings(), version=version)  # type: ignore[arg-type]
    outcome, heard = with_siren(broker, settings)
    assert outcome == Accepted()
    assert (str(heard[0].topic), heard[0].qos, heard[0].retain) == (TOPIC, 1, False)
    assert isinstance(heard[0].payload, bytes)
    assert json.loads(heard[0].payload) == {
        "command": "alarm",
        "key": "7/1/first/0/3/sms",
        "severity": "P0",
        "what": "烟雾报警",
        "where": "3栋2单元501厨房",
        "text": "3栋2单元501厨房 14:02 烟雾报警",
        "urgent": True,
        "sent_at": "2026-11-22T16:02:32+00:00",
    }


def test_a_command_expires_at_the_broker(broker: Broker) -> None:
    _, heard = with_siren(broker, replace(broker.settings(), expiry_s=120))
    assert 115 <= vars(heard[0].properties)["MessageExpiryInterval"] <= 120


def test_a_topic_where_nobody_listens_is_a_failure(broker: Broker) -> None:
    outcome = asyncio.run(send_once(broker.settings(), to("sirens/none")))
    assert outcome == Failed("nobody listens on the topic")


def test_a_siren_that_is_away_gets_the_command_when_it_returns(broker: Broker) -> None:
    def siren(clean: bool) -> aiomqtt.Client:
        return aiomqtt.Client("127.0.0.1", broker.open, identifier="siren-away", clean_session=clean)

    async def main() -> tuple[Outcome, object]:
        async with siren(False) as first:
            await first.subscribe("sirens/away", qos=1)
        outcome = await send_once(broker.settings(), to("sirens/away"))
        async with siren(False) as again:
            payload = (await anext(aiter(again.messages))).payload
        async with siren(True):
            pass
        return outcome, payload

    outcome, payload = asyncio.run(main())
    assert outcome == Accepted()
    assert b'"alarm"' in payload  # type: ignore[operator]


def test_the_link_stays_out_of_the_topic(broker: Broker) -> None:
    link = "https://a.example/a/7-3-abcdefghijklmnopqrstuv"

    async def main() -> object:
        async with aiomqtt.Client("127.0.0.1", broker.open) as siren:
            await siren.subscribe(TOPIC, qos=1)
            await send_once(broker.settings(), to(TOPIC, text=f"烟雾 {link}", link=link))
            return (await anext(aiter(siren.messages))).payload

    payload = asyncio.run(main())
    assert isinstance(payload, bytes) and b"a.example" not in payload and b"7-3-" not in payload


def test_password_and_tls_are_used(broker: Broker) -> None:
    plain = MqttSettings("127.0.0.1", broker.closed, USER, PASSWORD)
    encrypted = MqttSettings("127.0.0.1", broker.tls, USER, PASSWORD, True, broker.authority)
    for settings in (plain, encrypted):
        assert with_siren(broker, settings)[0] == Accepted()


def test_a_wrong_password_is_permanent(broker: Broker) -> None:
    wrong = MqttSettings("127.0.0.1", broker.closed, USER, "wrong")
    assert asyncio.run(send_once(wrong, to(TOPIC))) == Failed("MQTT reason 0x87", permanent=True)
    old = replace(wrong, version="3.1.1")
    outcome = asyncio.run(send_once(old, to(TOPIC)))
    assert isinstance(outcome, Failed) and outcome.permanent


def test_a_topic_that_we_may_not_use_is_permanent(broker: Broker) -> None:
    settings = MqttSettings("127.0.0.1", broker.closed, USER, PASSWORD)
    assert asyncio.run(send_once(settings, to("doors/3-2"))) == Failed("MQTT reason 0x87", permanent=True)


def test_a_certificate_of_a_stranger_is_a_failure(broker: Broker) -> None:
    settings = MqttSettings("127.0.0.1", broker.tls, USER, PASSWORD, True)
    assert asyncio.run(send_once(settings, to(TOPIC))) == Failed("the secure connection failed")


@pytest.mark.parametrize("topic", ["", "a/#", "a/+", "x" * 70_000])
def test_a_topic_that_is_none_is_permanently_wrong(broker: Broker, topic: str) -> None:
    outcome = asyncio.run(send_once(broker.settings(), to(topic)))
    assert isinstance(outcome, Failed) and outcome.permanent


def test_a_broker_that_resets_or_falls_silent_is_a_failure() -> None:
    async def main(silent: bool) -> Outcome:
        async with provider(stays_silent if silent else resets) as served:
            settings = MqttSettings("127.0.0.1", served.port)
            return await send_once(settings, to(TOPIC), timeout_s=0.4 if silent else 8.0)

    assert asyncio.run(main(silent=True)) == Failed("no answer in time")
    with _closing_broker() as port:
        reset = asyncio.run(send_once(MqttSettings("127.0.0.1", port), to(TOPIC)))
    assert isinstance(reset, Failed) and not reset.permanent


def test_a_broker_that_freezes_after_connack_is_a_failure() -> None:
    with _closing_broker(b"\x20\x03\x00\x00\x00", close=False) as port:
        outcome = asyncio.run(send_once(MqttSettings("127.0.0.1", port), to(TOPIC), timeout_s=0.5))
    assert outcome == Failed("no answer in time")


def test_a_port_where_nobody_listens_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert asyncio.run(send_once(MqttSettings("127.0.0.1", port), to(TOPIC))) == Failed("no connection")


def test_settings_do_not_show_their_secret() -> None:
    assert PASSWORD not in repr(MqttSettings("h", password=PASSWORD))


@contextmanager
def _closing_broker(answer: bytes = b"", close: bool = True) -> Iterator[int]:
    """Takes one CONNECT, answers `answer`, and closes or says nothing more."""
    done = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listener.accept()
        client.recv(4096)
        client.sendall(answer)
        if not close:
            done.wait(30)
        client.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        done.set()
        thread.join()
        listener.close()
