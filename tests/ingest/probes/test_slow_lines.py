"""A slow line is told from a broker that does not serve us: the clock runs from the last sign of progress."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ingest.probes.caller import Caller
from ingest.probes.finding import Silent, TooSlow
from ingest.probes.terms import Login, Terms, Waits
from ingest.probes.trial import numbered
from tests.ingest.mosquitto import Mosquitto
from tests.ingest.probes.trying import BadLine, Spoil, dial_to, findings_of, red, trial_on

COUNT = 500
SLOW = Spoil(chunk_bytes=100, pause_s=0.02)
"""500 PUBACKs of 4 bytes in 0.4 s: more than the 0.2 s below, and never so long without any."""
IMPATIENT = Waits(still_s=0.2)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as broker:
        yield broker.port


def _caller(port: int, spoil: Spoil, waits: Waits) -> Caller:
    dial = dial_to(port)
    return Caller(lambda: BadLine(dial(), spoil), "", Login(), Terms(), waits)


def test_acknowledgements_may_take_longer_than_one_answer(port: int) -> None:
    with _caller(port, SLOW, IMPATIENT) as publisher:
        publisher.publish("slow/publish", numbered(COUNT, 20))


def test_messages_may_take_longer_than_one_answer(port: int) -> None:
    with _caller(port, SLOW, IMPATIENT) as reader, trial_on(port).publisher as publisher:
        reader.subscribe("slow/gather")
        publisher.publish("slow/gather", numbered(20, 200))
        reader.gather(20, acknowledge=False)
        assert len(reader.messages) == 20


class Pausing(BadLine):
    """Until a moment nothing comes."""

    until = 0.0

    def wait(self, timeout_s: float, *, reading: bool) -> bool:
        if time.monotonic() < self.until:
            time.sleep(timeout_s)
            return False
        return super().wait(timeout_s, reading=reading)


def test_a_pause_is_no_end_while_the_broker_has_more(port: int) -> None:
    line = Pausing(dial_to(port)(), Spoil())
    with Caller(lambda: line, "", Login(), Terms()) as reader, trial_on(port).publisher as publisher:
        reader.subscribe("slow/pause")
        publisher.publish("slow/pause", numbered(50, 200))
        line.until = time.monotonic() + 0.2
        reader.gather(50, acknowledge=False, quiet_s=0.05)
        assert len(reader.messages) == 50


def test_where_time_runs_out_after_progress_the_line_is_too_slow(port: int) -> None:
    publisher = _caller(port, SLOW, Waits(still_s=0.2, whole_s=0.3))
    with pytest.raises(TooSlow, match="too slow to tell"):
        publisher.publish("slow/late", numbered(COUNT, 20))
    assert publisher.gone


def test_where_nothing_comes_at_all_there_was_no_answer(port: int) -> None:
    class Swallows(Spoil):
        def going(self, data: bytes) -> bytes:
            return data if data[0] >> 4 == 1 else b""

    with pytest.raises(Silent), _caller(port, Swallows(), IMPATIENT) as caller:
        caller.publish("slow/never", [b"1"])


def test_a_check_over_a_line_too_slow_blames_nobody(port: int) -> None:
    trial = trial_on(port, Spoil(chunk_bytes=200, pause_s=0.02), Waits(still_s=0.2, whole_s=0.3))
    found = findings_of(trial)
    assert red(found) == {}
    assert found["broker proofs"].ok is None
    assert "too slow to tell" in found["broker proofs"].text
    assert not [one.text for one in found.values() if "credentials" in one.text]
