"""Each way to a broker does the same: nothing lost, nothing blocked, back by itself."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.dial import Dialer, connect_link
from ingest.link import LinkLost
from ingest.look_up import LookUp
from ingest.source import RawBatch
from ingest.transport import Kind, Transport
from tests.faulty_proxy import FaultyProxy
from tests.ingest.listeners import (
    KINDS,
    LONG_AGO,
    NOW,
    listening,
    make_certificates,
    make_client,
)
from tests.ingest.mosquitto import Mosquitto, RawPublisher, free_port
from tests.ingest.sourcing import (
    PATIENCE_S,
    TOPIC,
    connect,
    numbers,
    payloads,
    poll_until,
    running,
    take,
)

kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
def test_messages_arrive_in_order_and_are_acknowledged_for_good(kind: Kind, tmp_path: Path) -> None:
    with listening(tmp_path) as broker, RawPublisher(broker.ports["tcp"]) as publisher:
        with running(broker.settings(kind)) as source:
            connect(source)
            publisher.publish(TOPIC, *numbers(3000), b"x" * 200_000)
            assert payloads(take(source, 3001)) == [*numbers(3000), b"x" * 200_000]
            poll_until(source, lambda: source.progress.confirmed == source.progress.commits)
        with running(broker.settings(kind)) as source:
            connect(source)
            publisher.publish(TOPIC, b"next")
            assert payloads(take(source, 1)) == [b"next"]


@kinds
def test_what_was_not_committed_comes_again_with_dup(kind: Kind, tmp_path: Path) -> None:
    with listening(tmp_path) as broker, RawPublisher(broker.ports["tcp"]) as publisher:
        with running(broker.settings(kind)) as source:
            connect(source)
            publisher.publish(TOPIC, *numbers(20))
            poll_until(source, lambda: source.counters.received == 20)
        with running(broker.settings(kind)) as source:
            again = take(source, 20)
            assert payloads(again) == numbers(20)
            assert all(flag for raw in again for flag in raw.dup)


@kinds
def test_connections_cut_in_the_middle_of_packets_lose_and_invent_nothing(kind: Kind, tmp_path: Path) -> None:
    sent = [b"%05d" % i + b"." * 200 for i in range(400)]
    with listening(tmp_path) as broker, FaultyProxy(broker.ports[kind]) as proxy:
        with RawPublisher(broker.ports["tcp"]) as publisher:
            with running(broker.settings(kind)) as source:
                connect(source)
            publisher.publish(TOPIC, *sent)
        proxy.cut_after = [7, 1200, 2603, 9001, 20_011, 31_013]
        got: list[RawBatch] = []
        with running(broker.settings(kind, port=proxy.port), jitter=0.02) as source:

            def last() -> list[bytes]:
                return [one for raw in got if raw.epoch == got[-1].epoch for one in raw.payloads]

            until = time.monotonic() + PATIENCE_S
            while proxy.connections < 7 or len(last()) < len(sent):
                assert time.monotonic() < until, source.counters
                if raw := source.poll(0.02):
                    got.append(raw)
            assert set(payloads(got)) == set(sent)
            assert last() == sent  # nothing was acknowledged, so the last connection brought all, in order
            assert source.counters.malformed == 0


def test_a_client_certificate_is_shown_to_a_broker_that_asks_for_it(tmp_path: Path) -> None:
    with listening(tmp_path) as broker:
        settings = replace(
            broker.settings("tls", port=broker.mutual),
            transport=make_client(broker.tls),
        )
        with running(settings) as source, RawPublisher(broker.ports["tcp"]) as publisher:
            connect(source)
            publisher.publish(TOPIC, b"1")
            assert payloads(take(source, 1)) == [b"1"]
        with capture_logs() as logs, running(broker.settings("tls", port=broker.mutual)) as source:
            poll_until(source, lambda: any(line["event"] == "broker_lost" for line in logs))
        said = next(line for line in logs if line["event"] == "broker_lost")
        assert "client_certificate" in said["do"], said


@pytest.mark.parametrize("kind", ["tls", "wss"])
@pytest.mark.parametrize(
    ("wrong", "reason", "do"),
    [
        ("authority", "self.signed|local issuer", "server_authority"),
        ("expired", "expired", "renew"),
        ("name", "mismatch", "host"),
    ],
)
def test_a_certificate_that_does_not_hold_is_refused_with_what_to_do(
    kind: Kind, wrong: str, reason: str, do: str, tmp_path: Path
) -> None:
    names = ["other.example"] if wrong == "name" else ["127.0.0.1"]
    with listening(tmp_path, names, LONG_AGO if wrong == "expired" else NOW) as broker:
        other = make_certificates(tmp_path / "other")
        authority = other / "ca.crt" if wrong == "authority" else broker.tls / "ca.crt"
        with pytest.raises(LinkLost, match=reason) as lost:
            connect_link("127.0.0.1", broker.ports[kind], Transport(kind, authority=str(authority)), 20.0)
        assert do in lost.value.do
        with pytest.raises(LinkLost):  # nor by the authorities that the system trusts
            connect_link("127.0.0.1", broker.ports[kind], Transport(kind), 20.0)


def test_what_answers_in_another_way_than_asked_is_named(tmp_path: Path) -> None:
    with listening(tmp_path) as broker:
        pairs: list[tuple[Kind, Kind]] = [
            ("tls", "tcp"), ("ws", "tcp"), ("ws", "tls"), ("tls", "ws"), ("wss", "tls"),
        ]  # fmt: skip
        for kind, other in pairs:
            with pytest.raises(LinkLost) as lost:
                connect_link("127.0.0.1", broker.ports[other], broker.transport(kind), 20.0)
            assert lost.value.do, f"{kind} at a listener of {other}: {lost.value}"


@pytest.mark.parametrize(
    ("files", "key"),
    [
        ({"authority": "none"}, "server_authority"),
        ({"authority": "text"}, "server_authority"),
        ({"certificate": "none"}, "client_certificate"),
        ({"certificate": "tls/server.crt", "certificate_key": "other/server.key"}, "client_certificate"),
        ({"certificate": "tls/server.crt", "certificate_key": "text"}, "client_certificate"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(files: dict[str, str], key: str, tmp_path: Path) -> None:
    make_certificates(tmp_path / "tls")
    make_certificates(tmp_path / "other")
    (tmp_path / "text").write_text("no certificate")
    paths = {name: str(tmp_path / file) for name, file in files.items()}
    with pytest.raises(LinkLost, match=str(tmp_path)) as lost:
        connect_link("127.0.0.1", free_port(), Transport("tls", **paths), 20.0)
    assert key in lost.value.do


def test_a_renewed_certificate_is_trusted_from_the_next_connection_on(tmp_path: Path) -> None:
    with listening(tmp_path) as broker, running(broker.settings("tls")) as source:
        connect(source)
        for old in broker.tls.iterdir():
            old.unlink()
        broker.mosquitto.stop()
        make_certificates(broker.tls)
        poll_until(source, lambda: not source.counters.connected)
        broker.mosquitto.start()
        connect(source)


def test_a_broker_that_never_shakes_hands_is_given_up_in_time(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        broker.freeze()  # connects, as the kernel does that, and says nothing
        stages: list[tuple[Kind, str]] = [("tls", "TLS handshake"), ("ws", "WebSocket upgrade")]
        for kind, stage in stages:
            ticks = itertools.count(step=0.5)
            with pytest.raises(LinkLost, match=f"no answer to the {stage}"):
                _dial(lambda: next(ticks), broker.port, Transport(kind))  # noqa: B023


def _dial(clock: Callable[[], float], port: int, transport: Transport) -> None:
    dialer = Dialer(LookUp("127.0.0.1", port, transport), clock)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        dialer.step(0.02)
    raise AssertionError("it was never given up")
