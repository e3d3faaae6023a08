"""The source against a real mosquitto: nothing lost, nothing blocked, back by itself."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from structlog.testing import capture_logs

from ingest.redelivery import Tail
from tests.ingest.mosquitto import Mosquitto, RawPublisher, free_port
from tests.ingest.sourcing import (
    PATIENCE_S,
    TOPIC,
    connect,
    numbers,
    payloads,
    poll_until,
    running,
    settings_for,
    take,
)


def test_messages_come_in_order_with_all_that_belongs_to_them(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, running(settings_for(broker.port)) as source:
        connect(source)
        with RawPublisher(broker.port) as publisher:
            publisher.publish(TOPIC, *numbers(500))
        got = take(source, 500)
        assert payloads(got) == numbers(500)
        first = got[0]
        assert (first.epoch, first.queued, first.topics[0]) == (1, False, TOPIC)
        assert all(0 < packet_id < 65536 for raw in got for packet_id in raw.packet_ids)
        assert not any(flag for raw in got for flag in raw.retain + raw.dup)
        assert source.counters.received == source.counters.acked == 500


def test_uncommitted_messages_come_again_with_dup_and_the_tail_knows_the_journalled_ones(
    tmp_path: Path,
) -> None:
    tail = Tail()
    with Mosquitto(tmp_path) as broker:
        with running(settings_for(broker.port)) as source:
            connect(source)
            with RawPublisher(broker.port) as publisher:
                publisher.publish(TOPIC, *numbers(20))
            raw = poll_until(source, lambda: source.counters.received == 20)
            first = tail.split(raw[0], source.progress)
            assert first.keep.all()
            # Journalled, then killed before the acknowledgement; the rest was read and not even journalled.
        rebuilt = Tail()
        rebuilt.remember(first.packet_ids, first.checksums)
        with running(settings_for(broker.port)) as source:
            again = poll_until(source, lambda: source.counters.received == 20)
            assert payloads(again) == numbers(20)
            assert all(flag for raw in again for flag in raw.dup)
            kept = [
                payload
                for raw in again
                for payload, keep in zip(
                    raw.payloads, rebuilt.split(raw, source.progress).keep.tolist(), strict=True
                )
                if keep
            ]
            assert kept == numbers(20)[len(first.keep) :]


def test_committed_messages_do_not_come_again(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        with running(settings_for(broker.port)) as source:
            connect(source)
            with RawPublisher(broker.port) as publisher:
                publisher.publish(TOPIC, *numbers(50))
            take(source, 50)
        with running(settings_for(broker.port)) as source, RawPublisher(broker.port) as publisher:
            connect(source)
            publisher.publish(TOPIC, b"next")
            assert payloads(take(source, 1)) == [b"next"]


def test_acknowledgements_are_proven_by_a_ping(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, running(settings_for(broker.port)) as source:
        connect(source)
        with RawPublisher(broker.port) as publisher:
            publisher.publish(TOPIC, b"x")
        take(source, 1)
        assert source.progress.commits == 1
        poll_until(source, lambda: source.progress.confirmed == 1)


def test_a_qos_0_message_published_while_away_arrives_flagged_queued_and_later_ones_are_live(
    tmp_path: Path,
) -> None:
    with Mosquitto(tmp_path) as broker:
        with running(settings_for(broker.port)) as source:
            connect(source)
        with RawPublisher(broker.port) as publisher:
            publisher.publish(TOPIC, b"smoke", qos=0)
            with running(settings_for(broker.port)) as source:
                held = take(source, 1)
                assert (payloads(held), held[0].queued) == ([b"smoke"], True)
                assert source.progress.session == 0
                poll_until(source, lambda: source.progress.confirmed == source.progress.commits)
                publisher.publish(TOPIC, b"live")
                live = take(source, 1)
                assert (payloads(live), live[0].queued) == ([b"live"], False)


def test_a_backlog_of_many_windows_is_flagged_to_its_end(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        settings = replace(settings_for(broker.port), receive_maximum=200)
        with running(settings) as source:
            connect(source)
        with RawPublisher(broker.port) as publisher:
            publisher.publish(TOPIC, *numbers(5000))
            with running(settings) as source:
                held = take(source, 5000)
                assert payloads(held) == numbers(5000)
                assert all(raw.queued for raw in held)
                poll_until(source, lambda: source.progress.confirmed == source.progress.commits)
                publisher.publish(TOPIC, b"live")
                assert not take(source, 1)[0].queued


def test_a_live_message_with_the_retain_bit_is_not_flagged_retained(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, RawPublisher(broker.port) as publisher:
        publisher.publish("gengfu/v1/old", b"kept", retain=True)
        with running(settings_for(broker.port)) as source:
            got = connect(source)
            publisher.publish(TOPIC, b"live", retain=True)
            got += take(source, 2 - sum(map(len, got)))
            flags = {p: r for raw in got for p, r in zip(raw.payloads, raw.retain, strict=True)}
            assert flags == {b"kept": True, b"live": False}


def test_a_killed_broker_is_found_again_and_poll_never_blocks_longer_than_asked(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, running(settings_for(broker.port)) as source:
        connect(source)
        broker.kill()
        poll_until(source, lambda: not source.counters.connected)
        before = time.monotonic()
        for _ in range(50):
            assert source.poll(0.01) is None
        assert time.monotonic() - before < PATIENCE_S
        broker.start()
        connect(source)
        with RawPublisher(broker.port) as publisher:
            publisher.publish(TOPIC, b"back")
        assert payloads(take(source, 1)) == [b"back"]
        assert source.counters.connects == 2


def test_a_restarted_broker_still_holds_what_it_saved(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, running(settings_for(broker.port)) as source:
        connect(source)
        with RawPublisher(broker.port) as publisher:
            publisher.publish(TOPIC, *numbers(30))
        unacknowledged = poll_until(source, lambda: source.counters.received == 30)
        broker.stop()
        broker.start()
        again = take(source, 30)
        assert payloads(again) == payloads(unacknowledged) == numbers(30)
        assert all(flag for raw in again for flag in raw.dup)
        source.commit(unacknowledged[0])  # of a connection that is over: ignored
        assert source.counters.acked == 30


def test_a_broker_that_forgot_the_session_is_told_to_redelivery(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, running(settings_for(broker.port)) as source:
        connect(source)
        assert source.progress.session == 1
        broker.stop()
        (broker.file.folder / "mosquitto.db").unlink()
        broker.start()
        poll_until(source, lambda: source.counters.connects == 2)
        assert source.progress.session == 2
        assert source.counters.sessions_lost == 1


def test_reading_stops_when_enough_is_uncommitted_and_goes_on_after_the_commit(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        settings = replace(settings_for(broker.port), receive_maximum=100)
        with running(settings) as source:
            connect(source)
            with RawPublisher(broker.port) as publisher:
                publisher.publish(TOPIC, *(b"%0500d" % i for i in range(2000)))
            held = poll_until(source, lambda: source.counters.received >= 100)
            for _ in range(20):
                assert source.poll(0.01) is None
            assert source.counters.received < 100 + 150  # and one read of 64 KiB
            for raw in held:
                source.commit(raw)
            rest = take(source, 2000 - source.counters.received)
            assert sum(map(len, held + rest)) == 2000


def test_an_oversized_message_is_dropped_by_the_broker_and_what_is_behind_it_arrives(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        settings = replace(settings_for(broker.port), max_packet_bytes=2000)
        with running(settings) as source:
            connect(source)
            with RawPublisher(broker.port) as publisher:
                publisher.publish(TOPIC, b"before", bytes(5000), b"behind")
            assert payloads(take(source, 2)) == [b"before", b"behind"]
            assert source.counters.connects == 1


def test_another_service_with_our_client_id_is_named_and_the_tries_get_rarer(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path) as broker,
        running(settings_for(broker.port)) as first,
        running(settings_for(broker.port)) as second,
        capture_logs() as lines,
    ):
        until = time.monotonic() + PATIENCE_S
        while not any(line["event"] == "session_taken_over" for line in lines):
            assert time.monotonic() < until
            first.poll(0.01)
            second.poll(0.01)
    delays = [line["again_in_s"] for line in lines if "again_in_s" in line]
    assert max(delays) >= 4 * min(delays)


def test_a_silent_broker_is_left_after_one_and_a_half_keep_alives(tmp_path: Path) -> None:
    ahead_s = [0.0]
    with (
        Mosquitto(tmp_path) as broker,
        running(settings_for(broker.port), lambda: time.monotonic() + ahead_s[0]) as source,
    ):
        connect(source)
        broker.freeze()
        ahead_s[0] += 44.0
        source.poll(0.0)
        assert source.counters.connected
        ahead_s[0] += 2.0
        source.poll(0.0)
        assert not source.counters.connected


def test_a_name_that_cannot_be_looked_up_is_tried_again_without_blocking() -> None:
    settings = replace(settings_for(free_port()), host="no-such-host.invalid")
    with running(settings) as source:
        for _ in range(30):
            assert source.poll(0.01) is None
        assert source.counters.connects == 0


def test_localhost_reaches_the_broker_over_whichever_address_answers(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path) as broker,
        running(replace(settings_for(broker.port), host="localhost")) as source,
    ):
        connect(source)
