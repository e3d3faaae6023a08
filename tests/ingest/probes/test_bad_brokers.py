"""What no setting of mosquitto breaks is broken on the line: exactly the lines that say so turn red."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import mqtt5
import pytest

from tests.ingest.mosquitto import Mosquitto
from tests.ingest.packets import encode_publish
from tests.ingest.probes.trying import CONNACK, PUBLISH, SUBACK, Spoil, findings_of, red, trial_on


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as broker:
        yield broker.port


def _is(frame: bytes, kind: int, topic: bytes = b"") -> bool:
    return frame[0] >> 4 == kind and topic in frame[:60]


class PromisesLittle(Spoil):
    def coming(self, frame: bytes) -> Iterator[bytes]:
        if not _is(frame, CONNACK):
            yield frame
            return
        packet = mqtt5.read(memoryview(frame))[0]
        assert isinstance(packet, mqtt5.ConnAckPacket)
        yield mqtt5.ConnAckPacket(
            session_present=packet.session_present,
            session_expiry_interval=3600,
            server_keep_alive=2,
            wildcard_subscription_available=False,
        ).write()


class ForgetsDup(Spoil):
    def coming(self, frame: bytes) -> Iterator[bytes]:
        yield bytes([frame[0] & ~0x08]) + frame[1:] if _is(frame, PUBLISH) else frame


class GivesNewPacketIds(Spoil):
    """To what comes again: the first and the second swap theirs, which acknowledges both all the same."""

    def coming(self, frame: bytes) -> Iterator[bytes]:
        at = frame.find(b"/live") + 5
        if _is(frame, PUBLISH, b"/live") and frame[0] & 8:
            number = int.from_bytes(frame[at : at + 2], "big")
            swapped = {4: 5, 5: 4}.get(number, number)
            frame = frame[:at] + swapped.to_bytes(2, "big") + frame[at + 2 :]
        yield frame


class SwapsAndAbbreviates(Spoil):
    """Two messages change places, and those of `qos0` name their topic by a number."""

    def coming(self, frame: bytes) -> Iterator[bytes]:
        if _is(frame, PUBLISH, b"/qos0"):
            packet = mqtt5.read(memoryview(frame))[0]
            assert isinstance(packet, mqtt5.PublishPacket)
            yield mqtt5.PublishPacket(
                packet.topic, packet.payload, qos=packet.qos, packet_id=packet.packet_id, topic_alias=3
            ).write()
        elif _is(frame, PUBLISH, b"/away") and b"000007." in frame:
            self.said.append(frame)
        else:
            yield frame
            if _is(frame, PUBLISH, b"/away") and b"000009." in frame:
                yield from self.said
                self.said.clear()


class KeepsTheRetainBit(Spoil):
    def coming(self, frame: bytes) -> Iterator[bytes]:
        yield bytes([frame[0] | 1]) + frame[1:] if _is(frame, PUBLISH, b"/retain") else frame


@dataclass
class ReplaysAtEachSubscription(Spoil):
    topic: str = ""
    subscribed: int = 0

    def coming(self, frame: bytes) -> Iterator[bytes]:
        yield frame
        if _is(frame, PUBLISH, b"/retain") and not self.topic:
            end = frame.find(b"/retain") + 7
            self.topic = frame[frame.find(b"gengfu-check/") : end].decode()
        elif _is(frame, SUBACK):
            self.subscribed += 1
            if self.subscribed == 2:
                yield encode_publish(self.topic, b"kept", qos=0, retain=True)


class LosesWhatWasRetained(Spoil):
    def coming(self, frame: bytes) -> Iterator[bytes]:
        if not (_is(frame, PUBLISH, b"/retain") and frame[0] & 1):
            yield frame


class KeepsNoSession(Spoil):
    def going(self, data: bytes) -> bytes:
        return data.replace(b"\x11\x00\x00\x01\x2c", b"\x11\x00\x00\x00\x00")


class AnswersOneSubscriptionTwice(Spoil):
    def coming(self, frame: bytes) -> Iterator[bytes]:
        yield bytes([frame[0], frame[1] + 1]) + frame[2:] + b"\x01" if _is(frame, SUBACK) else frame


class RewritesPayloads(Spoil):
    def coming(self, frame: bytes) -> Iterator[bytes]:
        yield frame.replace(b"000009.", b"nought.") if _is(frame, PUBLISH, b"/away") else frame


class GrantsQos0(Spoil):
    def coming(self, frame: bytes) -> Iterator[bytes]:
        yield frame[:-1] + b"\x00" if _is(frame, SUBACK) else frame


BAD: dict[str, tuple[Spoil, set[str]]] = {
    "promises little": (
        PromisesLittle(),
        {"broker wildcards", "broker keep alive", "broker session expiry"},
    ),
    "redelivers as new": (ForgetsDup(), {"broker redelivery"}),
    "redelivers under other ids": (GivesNewPacketIds(), {"broker redelivery"}),
    "swaps and abbreviates": (SwapsAndAbbreviates(), {"broker order", "broker topic alias"}),
    "keeps the retain bit": (KeepsTheRetainBit(), {"broker retain"}),
    "replays": (ReplaysAtEachSubscription(), {"broker resubscribe"}),
    "loses what was retained": (LosesWhatWasRetained(), {"broker retained"}),
    "sends little ahead": (Spoil(window=20), {"broker in flight"}),
    "lets two share a client id": (Spoil(hides_end=True), {"broker takeover"}),
    "keeps no session": (KeepsNoSession(), {"broker session"}),
    "answers a subscription twice": (AnswersOneSubscriptionTwice(), {"broker subscription"}),
    "rewrites payloads": (RewritesPayloads(), {"broker order"}),
    "grants QoS 0": (GrantsQos0(), {"broker subscription"}),
}


@pytest.mark.parametrize("what", BAD)
def test_a_broker_that(port: int, what: str) -> None:
    spoil, expected = BAD[what]
    found = findings_of(trial_on(port, spoil))
    assert red(found).keys() == expected


def test_a_line_that_changes_nothing_leaves_every_proof_standing(port: int) -> None:
    assert red(findings_of(trial_on(port, Spoil()))) == {}
