"""What is made of what was seen, where no broker at hand shows it."""

from __future__ import annotations

import mqtt5
import pytest

from ingest.probes.away import AWAY, queue_finding
from ingest.probes.greeting import expiry_finding, greeting_findings
from ingest.probes.live import in_flight, redelivery, resubscribe
from ingest.probes.proofs import whole_findings
from tests.ingest.probes.trying import Heard


def test_a_session_shorter_than_a_day_is_too_short_and_silence_proves_nothing() -> None:
    assert expiry_finding(86_399, 259_200, ours=False).ok is False
    assert expiry_finding(86_400, 259_200, ours=False).ok is True
    assert expiry_finding(None, 259_200, ours=False).ok is None
    assert expiry_finding(None, 259_200, ours=True).ok is True


@pytest.mark.parametrize(
    ("asked_s", "kept_to"), [(None, True), (5, True), (600, True), (4, False), (601, False), (0, False)]
)
def test_a_keep_alive_that_ingest_cannot_live_with_is_said(asked_s: int | None, kept_to: bool) -> None:
    greeting = mqtt5.ConnAckPacket(server_keep_alive=asked_s)
    found = {one.name: one.ok for one in greeting_findings(greeting)}
    assert found["broker keep alive"] is kept_to


def test_a_window_as_large_as_what_ingest_asks_for_is_no_cap() -> None:
    assert in_flight(20, 20).ok
    assert not in_flight(499, 10_000).ok
    assert in_flight(500, 10_000).ok


def test_a_bound_of_bytes_is_told_from_one_of_messages() -> None:
    assert "max_queued_messages" in queue_finding(980, 1000, 1000).text
    assert "about 100000 bytes" in queue_finding(480, 500, 125).text
    assert str(AWAY) in queue_finding(480, 500, 125).text


TOPIC = "gengfu-check/1/live"


def _judged(*payloads: bytes) -> dict[str, bool | None]:
    arrived = [mqtt5.PublishPacket(TOPIC, one) for one in payloads]
    return {one.name: one.ok for one in whole_findings([Heard(arrived)], [TOPIC])}


def test_what_nothing_arrived_for_was_not_tried() -> None:
    assert [one.ok for one in whole_findings([], [TOPIC])] == [None, None]
    assert _judged() == {"broker order": None, "broker topic alias": None}
    assert _judged(b"000000.") == {"broker order": None, "broker topic alias": True}
    assert redelivery([], []).ok is None
    assert resubscribe([], "gengfu-check/1/marker").ok is None


def test_what_arrived_out_of_order_or_rewritten_is_said() -> None:
    assert _judged(b"000000.", b"000001.")["broker order"] is True
    assert _judged(b"000001.", b"000000.")["broker order"] is False
    assert _judged(b"000000.", b"rewritten")["broker order"] is False
    assert _judged(b"", b"000001.")["broker order"] is False
