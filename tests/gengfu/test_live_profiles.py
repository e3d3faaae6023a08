"""Profiles come, change, break and are mended while devices report, and no message is lost."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import insert

from alerts.troubles import troubles_in
from devices.database import open_database, reading, writing
from devices.schema import device
from gengfu.config import Broker, Config
from gengfu.ledger import SqlInbox
from gengfu.run_ingest import Ingest, compose
from ingest.journal_reader import JournalReader
from ingest.live_profiles import FORMER
from ingest.mqtt_source import MqttSource
from ingest.notes import filters_held, stored_notes
from ingest.record import Record
from ingest.source_settings import SourceSettings
from tests.databases import MIGRATED, sqlite_like
from tests.gengfu.program import eventually
from tests.ingest.mosquitto import Mosquitto, RawPublisher

ACME = """\
name = "acme"
version = {version}
device = ["acme:{{id}}"]
[[message]]
name = "report"
topics = {topics}
[message.values]
n = "current"
smoke = {{metric = "smoke.alarm", hold_s = 2}}
{more}
"""
REPLY = '[message.reply]\ntopic = "acme/{id}/down"\npayload = "thanks"\n'


def write(folder: Path, version: int, topics: str, more: str = "") -> None:
    """As an editor would: another file, put in place of the old one."""
    folder.mkdir(exist_ok=True)
    fresh = folder / "acme.toml~"
    fresh.write_text(ACME.format(version=version, topics=topics, more=more), encoding="utf-8")
    fresh.replace(folder / "acme.toml")


@pytest.fixture
def site(config: Config, tmp_path: Path) -> Iterator[tuple[Config, Mosquitto]]:
    """Two devices, our own format and the profiles of a folder, on a broker as we ship it."""
    config.data_dir.mkdir()
    engine = open_database(sqlite_like(MIGRATED, config.data_dir))
    facts = {"kind": "electrical", "profile": "own", "registered_us": 1, "registered_by": "test"}
    with writing(engine) as connection:
        connection.execute(insert(device), [{"uid": uid, **facts} for uid in ("own:load", "acme:d1")])
    engine.dispose()
    with Mosquitto(tmp_path) as broker:
        words = msgspec.structs.replace(
            config.ingest,
            reserve_mb=0,
            ballast_mb=0,
            profiles_dir=str(tmp_path / "profiles"),
            profiles=("own", "acme"),
            replies_for=("acme",),
        )
        there = Broker(host="127.0.0.1", port=broker.port, anonymous=True)
        yield msgspec.structs.replace(config, broker=there, ingest=words), broker


@contextmanager
def running(config: Config) -> Iterator[Ingest]:
    """The parts of the process and its loop, in a thread; connected."""
    ingest = compose(config, look_s=0.05)
    stop, failed = threading.Event(), list[BaseException]()

    def turn() -> None:
        try:
            while not stop.is_set():
                if ingest.tick.at_rest:
                    ingest.live.step()
                ingest.tick.run_once(0.01)
        except BaseException as error:
            failed.append(error)

    loop = threading.Thread(target=turn)
    loop.start()
    ingest.live.start()
    try:
        eventually(lambda: ingest.source.counters[""].connected, "connected")
        yield ingest
    finally:
        stop.set()
        loop.join()
        ingest.live.stop()
        assert isinstance(ingest.parts.inbox, SqlInbox)
        ingest.parts.inbox.close()
        ingest.source.close()
        ingest.journal.close()
        ingest.engine.dispose()
    assert not failed


class Reporting:
    """Publishes numbers to topics at a steady rate, each acknowledged by the broker, until it is stopped."""

    def __init__(self, port: int, client_id: str, topics: list[str], body: bytes) -> None:
        self.count = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(port, client_id, topics, body))
        self._thread.start()

    def _run(self, port: int, client_id: str, topics: list[str], body: bytes) -> None:
        with RawPublisher(port, client_id) as publisher:
            while not self._stop.is_set():
                publisher.publish(topics[self.count % len(topics)], body % self.count)
                self.count += 1
                time.sleep(0.002)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def values(ingest: Ingest, uid: str) -> Counter[float]:
    """All that was journalled of a device's current."""
    reader = JournalReader(Path(ingest.journal._folder), 0)
    found: Counter[float] = Counter()
    for part in iter(reader.read, []):
        for record in part:
            if isinstance(record, Record):
                for slot, value in zip(record.batch.slot.tolist(), record.batch.value.tolist(), strict=True):
                    found[value] += ingest.index.uid_of(slot) == uid
    reader.close()
    return +found


def versions(ingest: Ingest) -> dict[str, int]:
    return {one.name: one.version for one in ingest.intake.decoder.profiles}


def in_use(ingest: Ingest, filters: set[str]) -> bool:
    """Whether the broker holds just these subscriptions of ours, and the database says so."""
    with reading(ingest.engine) as connection:
        noted = filters_held(connection)
    return set(ingest.source.held[""]) == filters == set(noted[""])


def test_profiles_are_added_changed_broken_and_mended_and_every_message_is_counted(
    site: tuple[Config, Mosquitto],
) -> None:
    config, broker = site
    folder = Path(config.ingest.profiles_dir)
    with running(config) as ingest:
        own = Reporting(broker.port, "own", ["gengfu/load/readings"], b'{"values": {"current": %d}}')
        try:
            eventually(lambda: in_use(ingest, {"gengfu/#"}), "only our own format is heard")
            write(folder, 1, '["acme/{id}/up"]')
            eventually(lambda: in_use(ingest, {"gengfu/#", "acme/+/up"}), "acme is heard")
            acme = Reporting(broker.port, "acme", ["acme/d1/up"], b'{"n": %d}')
            try:
                eventually(lambda: acme.count > 50, "some reports")
                write(folder, 2, '["acme/{id}/up", "acme2/{id}/up"]')
                eventually(lambda: versions(ingest)["acme"] == 2, "a second version is in use")
                eventually(lambda: in_use(ingest, {"gengfu/#", "acme/+/up", "acme2/+/up"}), "and heard")
                write(folder, 3, '["acme/{id}/up"]', "nonsense = 1")
                eventually(lambda: bool(ingest.live.refused), "a third one is refused")
                assert versions(ingest)["acme"] == 2
                [why] = ingest.live.refused.values()
                assert why.startswith("acme.toml:10: message[0].values.nonsense")
                said = ingest.health()
                assert said["ok"]
                assert troubles_in(str(said["trouble"])) == frozenset({"profile.acme.toml"})
                before = acme.count
                eventually(lambda: acme.count > before + 50, "it goes on")
                write(folder, 4, '["acme/{id}/{kind:up|sideways}"]')
                eventually(lambda: versions(ingest)["acme"] == 4, "a fourth one is in use")
                assert not ingest.live.refused
                assert ingest.health()["trouble"] == ""
                eventually(lambda: in_use(ingest, {"gengfu/#", "acme/+/+"}), "and heard otherwise")
                before = acme.count
                eventually(lambda: acme.count > before + 50, "it goes on")
            finally:
                acme.stop()
        finally:
            own.stop()
        eventually(lambda: values(ingest, "own:load").total() >= own.count, "all of our own format")
        eventually(lambda: len(values(ingest, "acme:d1")) >= acme.count, "all of acme's")
        assert values(ingest, "own:load") == Counter(map(float, range(own.count)))
        heard = values(ingest, "acme:d1")
        assert set(heard) == set(map(float, range(acme.count)))
        # Only where acme/+/+ was there already and acme/+/up still: the time of two packets.
        assert heard.total() - acme.count < 50
        assert ingest.live.changes == 3


def test_what_is_taken_away_is_let_go_of_also_by_a_later_process_and_what_a_former_release_left(
    site: tuple[Config, Mosquitto],
) -> None:
    config, broker = site
    folder = Path(config.ingest.profiles_dir)
    left = SourceSettings("127.0.0.1", broker.port, config.broker.client_id, FORMER)
    former = MqttSource(left, now_us=lambda: time.time_ns() // 1000)
    until = time.monotonic() + 20
    while not former.counters.connected and time.monotonic() < until:
        former.poll(0.02)
    former.close()
    write(folder, 1, '["acme/{id}/up"]')
    with running(config) as ingest:
        eventually(lambda: in_use(ingest, {"gengfu/#", "acme/+/up"}), "zigbee2mqtt/# is let go of")
    (folder / "acme.toml").unlink()
    with running(config) as ingest:
        eventually(lambda: in_use(ingest, {"gengfu/#"}), "acme/+/up is let go of")
        with RawPublisher(broker.port) as publisher:
            for topic in ("zigbee2mqtt/x", "acme/d1/up", "gengfu/load/readings"):
                publisher.publish(topic, b'{"values": {"current": 1}}')
        eventually(lambda: ingest.intake.figures.messages > 0, "our own is heard")
        assert ingest.intake.figures.messages == 1


def test_answers_go_out_after_the_message_is_acknowledged_and_flags_that_are_said_once_end(
    site: tuple[Config, Mosquitto],
) -> None:
    config, broker = site
    write(Path(config.ingest.profiles_dir), 1, '["acme/{id}/up"]', REPLY)
    listener = MqttSource(
        SourceSettings("127.0.0.1", broker.port, "listener", ("acme/+/down",)),
        now_us=lambda: time.time_ns() // 1000,
    )
    got: list[tuple[str, bytes]] = []

    def heard(count: int) -> bool:
        if raw := listener.poll(0.02):
            got.extend(zip(raw.topics, raw.payloads, strict=True))
            listener.commit(raw)
        return len(got) >= count if count else listener.counters.connected

    eventually(lambda: heard(0), "the device listens")
    with running(config) as ingest:
        eventually(lambda: in_use(ingest, {"gengfu/#", "acme/+/up"}), "acme is heard")
        with RawPublisher(broker.port) as publisher:
            publisher.publish("acme/d1/up", b'{"n": 1, "smoke": true}')
        eventually(lambda: heard(1), "an answer")
        assert got == [("acme/d1/down", b"thanks")]
        eventually(lambda: ingest.intake.replies.sent == 1, "it is counted")
        with reading(ingest.engine) as connection:
            assert len(stored_notes(connection, "", "hold")) == 1
        eventually(lambda: len(ingest.intake.holds) == 0, "the flag counts as false")
        eventually(lambda: values(ingest, "acme:d1")[0.0] == 1, "and it is journalled")

        def left() -> int:
            with reading(ingest.engine) as connection:
                return len(stored_notes(connection, "", "hold"))

        eventually(lambda: left() == 0, "and its note is gone with the tick")
    listener.close()
