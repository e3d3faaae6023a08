"""Of what a talkative mosquitto writes, the lines that matter reach the disk, and the disk stays bounded."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ingest.gate.sieve import LINE_MAX, BoundedLog, Sieve
from tests.gengfu.program import eventually

STAMP = b"2026-11-21T23:57:40: "
CHATTER = [
    b"Received PUBLISH from a (d0, q1, r0, m1, 't', ... (2 bytes))", b"Sending PUBACK to a (m1, rc0)",
    b"Received PINGREQ from a", b"Sending PINGRESP to a", b"No will message specified.", b"\t# (QoS 1)",
    b"Saving in-memory database to /x.", b"Received SUBSCRIBE from a",
]  # fmt: skip
KEPT = [
    b"New client connected from 1:2 as a (p5, c1, k60, u'a').", b"Reloading config.",
    b"Denied PUBLISH from a (d0, q1, r0, m1, 't', ... (2 bytes))", b"Sending CONNACK to 10.0.0.7 (0, 135)",
    b"Client <unknown> disconnected, not authorised.", b"mosquitto version 2.0.11 running", b"Warning: x",
    b"Socket error on client a, disconnecting.",
]  # fmt: skip


@given(st.lists(st.sampled_from(CHATTER + KEPT), max_size=30), st.lists(st.integers(0, 400), max_size=8))
def test_the_same_lines_are_kept_however_the_stream_is_cut(lines: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(STAMP + line + b"\n" for line in lines)
    sieve, out, start = Sieve(), b"", 0
    for end in [*sorted(cuts), len(stream)]:
        out += sieve.feed(stream[start:end])
        start = max(start, min(end, len(stream)))
    assert out == b"".join(STAMP + line + b"\n" for line in lines if line in KEPT)


def test_what_mosquitto_says_before_it_is_configured_is_kept() -> None:
    early = b"1795305379: Note: it is so\nError: out of candles\n"
    assert Sieve().feed(early) == early


def test_a_line_without_end_is_let_go() -> None:
    sieve = Sieve()
    assert sieve.feed(b"x" * (LINE_MAX + 1)) == b""
    forged = STAMP + b"Reloading config."
    assert sieve.feed(forged + b"\nError: y\n") == b"Error: y\n"


def test_the_log_is_turned_over_and_only_the_one_before_is_kept(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "log", limit=100)
    for n in range(50):
        log.put(b"%039d\n" % n)
    log.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1"]
    assert all(path.stat().st_size <= 100 for path in tmp_path.iterdir())
    assert (tmp_path / "log").read_bytes().endswith(b"49\n")
    assert log.dropped == 0


def test_a_log_that_cannot_be_written_drops_lines_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    log = BoundedLog(tmp_path / "log", limit=1 << 30)
    log.put(b"lost\n")
    log.close()
    assert log.dropped == 1


def test_what_was_dropped_is_said_in_the_log_on_a_line_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    log = BoundedLog(tmp_path / "log", limit=1 << 30)
    log.put(b"lost\n")
    eventually(lambda: log.dropped == 1, "the piece is dropped")
    (tmp_path / "log").rmdir()
    log.put(b"kept\n")
    log.put(b"too\n")
    log.close()
    lines = (tmp_path / "log").read_bytes().split(b"\n")
    assert [line for line in lines if line] == [b"gengfu: 1 pieces of this log are lost", b"kept", b"too"]


def test_a_piece_written_in_part_never_joins_two_lines(tmp_path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    log = BoundedLog(tmp_path / "log", limit=1 << 30)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (12, limit[1]))
        log.put(b"0123456789abcdef\n")
        eventually(lambda: log.dropped == 1, "the disk is full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, former)
    log.put(b"whole\n")
    log.close()
    lines = (tmp_path / "log").read_bytes().split(b"\n")
    assert lines[:1] == [b"0123456789ab"]
    assert lines[-2:] == [b"whole", b""]
