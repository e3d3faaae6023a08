"""Several brokers at once: each with its own session, and none in another's way."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from devices.model import UInt16, UInt32
from ingest.journal_reader import JournalReader
from ingest.mqtt_source import MqttSource
from ingest.record import Record
from ingest.redelivery import Tail, checksum
from ingest.source import RawBatch
from ingest.source_settings import SourceSettings
from ingest.sources import Sources
from ingest.tick import Tick
from ingest.transport import Transport
from tests.faulty_proxy import FaultyProxy
from tests.ingest.fuse import Fuse, Killed
from tests.ingest.house import House
from tests.ingest.listeners import KINDS, Listeners, listening, make_certificates
from tests.ingest.mosquitto import Mosquitto, RawPublisher, free_port
from tests.ingest.packets import CONNACK, SUBACK, encode_publish
from tests.ingest.plain import Alarm
from tests.ingest.sourcing import PATIENCE_S, TOPIC, Scripted, numbers, settings_for


def plain(name: str, port: int) -> SourceSettings:
    return replace(settings_for(port), name=name, filters=("gengfu/#", "t/#"))


def making(settings: list[SourceSettings]) -> Sources:
    return Sources([MqttSource(one, now_us=_now_us, jitter=lambda: 0.02) for one in settings])


@contextmanager
def hearing(*settings: SourceSettings) -> Iterator[Sources]:
    sources = making(list(settings))
    try:
        yield sources
    finally:
        sources.close()


def _now_us() -> int:
    return time.time_ns() // 1000


def poll_until(sources: Sources, done: Callable[[list[RawBatch]], bool], *, commit: bool) -> list[RawBatch]:
    got: list[RawBatch] = []
    until = time.monotonic() + PATIENCE_S
    while not done(got):
        assert time.monotonic() < until, sources.counters
        raw = sources.poll(0.02)
        if raw:
            got.append(raw)
            if commit:
                sources.commit(raw)
    return got


def connected(sources: Sources, *names: str) -> Callable[[list[RawBatch]], bool]:
    return lambda _: all(
        one.connected for name, one in sources.counters.items() if name in names or not names
    )


def by_source(batches: list[RawBatch]) -> dict[str, list[bytes]]:
    got: dict[str, list[bytes]] = {}
    for raw in batches:
        got.setdefault(raw.source, []).extend(raw.payloads)
    return got


def test_two_brokers_with_the_same_packet_ids_are_acknowledged_each_to_its_own(tmp_path: Path) -> None:
    with ExitStack() as stack:
        one, two = (stack.enter_context(Mosquitto(tmp_path / name)) for name in ("one", "two"))
        settings = plain("", one.port), plain("two", two.port)
        with hearing(*settings) as sources:
            poll_until(sources, connected(sources), commit=True)
            for broker, text in ((one, b"one %d"), (two, b"two %d")):
                with RawPublisher(broker.port) as publisher:
                    publisher.publish(TOPIC, *[text % i for i in range(20)])
            got = poll_until(
                sources, lambda _: all(one.received == 20 for one in sources.counters.values()), commit=False
            )
            ids = {
                name: [i for raw in got if raw.source == name for i in raw.packet_ids] for name in ("", "two")
            }
            assert ids[""] == ids["two"]  # as brokers give them: from 1 on
            for raw in got:
                if raw.source == "two":
                    sources.commit(raw)
            assert sources.counters["two"].acked == 20
            assert sources.counters[""].acked == 0
            poll_until(
                sources, lambda _: sources.progress.confirmed == sources.progress.commits, commit=False
            )
        with hearing(*settings) as sources:
            again = poll_until(sources, lambda _: sources.counters[""].received == 20, commit=False)
            with RawPublisher(two.port) as publisher:
                publisher.publish(TOPIC, b"next")
            again += poll_until(sources, lambda _: sources.counters["two"].received == 1, commit=False)
        assert by_source(again) == {"": [b"one %d" % i for i in range(20)], "two": [b"next"]}


def test_a_batch_of_a_former_connection_is_not_acknowledged_on_the_next(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path) as broker,
        FaultyProxy(broker.port) as proxy,
        hearing(plain("", free_port()), plain("two", proxy.port)) as sources,
    ):
        poll_until(sources, connected(sources, "two"), commit=True)
        with RawPublisher(broker.port) as publisher:
            publisher.publish(TOPIC, b"x")
        old = poll_until(sources, bool, commit=False)[0]
        proxy.cut()
        poll_until(sources, lambda _: sources.counters["two"].connects == 2, commit=False)
        sources.commit(old)
        assert sources.counters["two"].acked == 0


@pytest.mark.parametrize("step", ["journal.before", "journal.torn", "journal.after", "evaluate"])
def test_killed_at_any_step_each_message_of_each_broker_is_journalled_once(step: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        brokers = {
            name: stack.enter_context(listening(tmp_path / (name or "first")))
            for name in ("", "two", "three")
        }
        settings = [
            brokers[""].settings("tcp"),
            brokers["two"].settings("tls", name="two"),
            brokers["three"].settings("wss", name="three"),
        ]
        proxies = [stack.enter_context(FaultyProxy(one.port)) for one in settings]
        settings = [replace(one, port=proxy.port) for one, proxy in zip(settings, proxies, strict=True)]
        house = House(tmp_path)
        with hearing(*settings) as sources:
            poll_until(sources, connected(sources), commit=True)
        for life in range(6):
            for broker in brokers.values():  # alike on each of them, and so are the packet ids
                _publish(broker, [b'{"amps": %d}' % i for i in range(10 * life, 10 * life + 10)])
            fuse = Fuse()
            house.start(fuse)
            fuse.step, fuse.after = (step if life < 5 else ""), 1 + life % 2
            sources = making(settings)
            try:
                _run(house, sources, 30 * life + 30)
                assert life == 5
            except Killed:
                for proxy in proxies:
                    proxy.cut()  # without a word to the brokers, as when a process is killed
            finally:
                house.stop()
                sources.close()
        texts = [b'{"amps": %d}' % i for i in range(60)]
        crcs = checksum(["t/d1"] * 60, texts).tolist()
        expected = Counter((name, crc) for name in brokers for crc in crcs)
        assert _journalled(house) == expected


def _publish(broker: Listeners, texts: list[bytes]) -> None:
    with RawPublisher(broker.ports["tcp"]) as publisher:
        publisher.publish("t/d1", *texts)


def _run(house: House, sources: Sources, count: int) -> None:
    """Ticks until all brokers' messages are in the journal and acknowledged."""
    parts = replace(house.parts, source=sources)
    tick: Tick[Alarm] = Tick(parts, last_input_id=0, clock_us=_now_us, wait=lambda _: None)
    until = time.monotonic() + PATIENCE_S
    while sum(_journalled(house).values()) < count or any(
        one.acked < one.received for one in sources.counters.values()
    ):
        assert time.monotonic() < until, sources.counters
        tick.run_once(0.02)


def _journalled(house: House) -> Counter[tuple[str, int]]:
    reader = JournalReader(house.folder / "journal", 0)
    found: Counter[tuple[str, int]] = Counter()
    try:
        while records := reader.read():
            for record in records:
                assert isinstance(record, Record)
                found.update((record.source, int(crc)) for crc in record.messages.checksum)
    finally:
        reader.close()
    return found


def test_a_snapshot_keeps_every_brokers_tail_and_an_old_one_is_of_the_first() -> None:
    tail = Tail()
    for source, packet_id in (("", 7), ("two", 7), ("a-b", 9)):
        ids, crcs = _columns(packet_id, len(source))
        tail.remember(ids, crcs, source=source)
    back = Tail()
    back.restore(tail.snapshot())
    assert back.sources == {"", "two", "a-b"}
    assert {name: array.tolist() for name, array in back.snapshot().items()} == {
        name: array.tolist() for name, array in tail.snapshot().items()
    }
    old = Tail()
    ids, crcs = _columns(3, 4)
    old.restore({"packet_id": ids, "checksum": crcs})
    assert len(old) == 1
    assert old.sources == {""}
    back.keep_only(["two"])
    assert back.sources == {"", "two"}


def _columns(packet_id: int, crc: int) -> tuple[UInt16, UInt32]:
    return np.array([packet_id], np.uint16), np.array([crc], np.uint32)


def test_brokers_that_are_away_slow_or_silent_do_not_keep_another_from_being_heard(tmp_path: Path) -> None:
    silent = Scripted()  # takes connections in the kernel and never says a word
    with Mosquitto(tmp_path) as broker:
        others = [
            plain("away", free_port()),
            plain("silent", silent.port),
            replace(plain("nowhere", 1883), host="no-such-host.invalid"),
            replace(plain("lost", 1883), host="192.0.2.1"),  # nobody answers there (RFC 5737)
        ]
        with hearing(plain("", broker.port), *others) as sources:
            poll_until(sources, connected(sources, ""), commit=True)
            with RawPublisher(broker.port) as publisher:
                publisher.publish(TOPIC, *numbers(2000))
            got = poll_until(sources, lambda got: sum(map(len, got)) >= 2000, commit=True)
            assert by_source(got) == {"": numbers(2000)}
            assert [name for name, one in sources.counters.items() if one.connected] == [""]
            assert sources.connected == {name: name == "" for name in sources.counters}
    silent.close()


def test_a_broker_that_floods_us_does_not_starve_another() -> None:
    loud, quiet = Scripted(), Scripted()
    settings = [
        replace(plain("loud", loud.port), receive_maximum=1),
        replace(plain("quiet", quiet.port), receive_maximum=1),
    ]
    sources = making(settings)
    messages = [encode_publish(TOPIC, b"x" * 30_000, packet_id=i) for i in range(1, 401)]
    flood = CONNACK + SUBACK + b"".join(messages)
    for script in (quiet, loud):
        _accept(script, sources)
    quiet.peer.sendall(CONNACK + SUBACK + encode_publish(TOPIC, b"smoke", packet_id=1))
    loud.peer.setblocking(False)
    sent = loud.peer.send(flood)  # more than it takes: from now on there is always something to read
    assert sent < len(flood)
    loud.peer.settimeout(PATIENCE_S)
    sender = threading.Thread(target=loud.peer.sendall, args=(flood[sent:],))
    sender.start()
    turns = [raw.source for raw in poll_until(sources, lambda got: len(got) >= 3, commit=True)]
    assert "quiet" in turns[:2]
    poll_until(sources, lambda _: sources.counters["loud"].received >= 400, commit=True)
    sender.join()
    sources.close()
    loud.close()
    quiet.close()


def _accept(script: Scripted, sources: Sources) -> None:
    """Takes the connection without letting the source read."""
    script.listener.settimeout(0.02)
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        sources.poll(0.01)
        try:
            script.peers.append(script.listener.accept()[0])
        except TimeoutError:
            continue
        script.peer.settimeout(PATIENCE_S)
        return
    raise AssertionError("nobody came")


def test_a_record_that_is_not_tls_behind_a_message_ends_that_connection_and_nothing_else(
    tmp_path: Path,
) -> None:
    tls, silent = make_certificates(tmp_path), Scripted()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls / "server.crt", tls / "server.key")
    message = encode_publish(TOPIC, b"smoke", packet_id=1)
    go, sent, over = threading.Event(), threading.Event(), threading.Event()

    def serve() -> None:
        with context.wrap_socket(listener.accept()[0], server_side=True) as peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.sendall(CONNACK + SUBACK)
            go.wait(PATIENCE_S)
            peer.sendall(message)
            with socket.socket(fileno=os.dup(peer.fileno())) as below:
                below.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
                sent.set()
                over.wait(PATIENCE_S)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        settings = replace(
            plain("bad", listener.getsockname()[1]),
            receive_maximum=1,
            transport=Transport("tls", authority=str(tls / "ca.crt")),
        )
        with hearing(settings, plain("silent", silent.port)) as sources:
            poll_until(sources, connected(sources, "bad"), commit=True)
            go.set()
            assert sent.wait(PATIENCE_S)
            [raw] = poll_until(sources, bool, commit=False)
            for _ in range(3):
                assert sources.poll(0.0) is None
            sources.commit(raw)
            poll_until(sources, lambda _: not sources.counters["bad"].connected, commit=True)
            assert raw.payloads == [b"smoke"]
        over.set()
        thread.join()
    silent.close()


def test_ten_restarts_of_a_broker_are_survived_on_every_transport(tmp_path: Path) -> None:
    with listening(tmp_path) as broker:
        settings = [replace(broker.settings(kind, name=kind), client_id=f"ingest-{kind}") for kind in KINDS]
        with hearing(*settings) as sources:
            for turn in range(10):
                poll_until(sources, connected(sources), commit=True)
                with RawPublisher(broker.ports["tcp"]) as publisher:
                    publisher.publish(TOPIC, b"%d" % turn)
                got = poll_until(sources, lambda got: sum(map(len, got)) >= 4, commit=True)
                assert by_source(got) == {kind: [b"%d" % turn] for kind in KINDS}
                broker.mosquitto.stop()
                poll_until(
                    sources,
                    lambda _: not any(one.connected for one in sources.counters.values()),
                    commit=True,
                )
                broker.mosquitto.start()
            poll_until(sources, connected(sources), commit=True)
            for one in sources.counters.values():
                assert (one.connects, one.sessions_lost, one.malformed) == (11, 0, 0)
