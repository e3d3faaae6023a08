"""Whatever a WebSocket peer sends ends in bytes, a need for more, or a clean end with a reason."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.dial import Dialer
from ingest.frames import Frames
from ingest.link import Link, LinkLost
from ingest.look_up import LookUp
from ingest.transport import Transport
from ingest.websocket import WebSocketLink
from tests.ingest.sourcing import PATIENCE_S

TEXT, BINARY, CLOSE, PING, PONG, CONTINUED = 1, 2, 8, 9, 10, 0


def frame(
    opcode: int, content: bytes = b"", *, fin: bool = True, masked: bool = False, rsv: int = 0
) -> bytes:
    """A frame by the book (RFC 6455, 5.2), from a coder of its own so that ours is not its own judge."""
    head = bytes([fin << 7 | rsv << 4 | opcode])
    mask, length = masked << 7, len(content)
    if length < 126:
        head += bytes([mask | length])
    elif length < 1 << 16:
        head += bytes([mask | 126]) + length.to_bytes(2, "big")
    else:
        head += bytes([mask | 127]) + length.to_bytes(8, "big")
    return head + (b"\0\0\0\0" if masked else b"") + content


def answer_to(request: bytes, *, subprotocol: str = "mqtt") -> bytes:
    key = next(
        line[19:] for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key: ")
    )
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    said = f"Sec-WebSocket-Protocol: {subprotocol}\r\n".encode() if subprotocol else b""
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return head + b"Sec-WebSocket-Accept: " + accept + b"\r\n" + said + b"\r\n"


def opened() -> Frames:
    frames = Frames("broker:80", "/mqtt")
    assert frames.feed(answer_to(frames.request)) == b""
    assert frames.accepted
    return frames


def pieces(data: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    at = 0
    for cut in sorted(cut % (len(data) + 1) for cut in cuts):
        yield data[at:cut]
        at = cut
    yield data[at:]


CONTENT = st.binary(max_size=300)
CUTS = st.lists(st.integers(0, 5000), max_size=8)


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A binary message in one frame or several, with pings in the middle; its frames and its content."""
    parts = draw(st.lists(CONTENT, min_size=1, max_size=4))
    wire = b""
    for i, part in enumerate(parts):
        wire += frame(BINARY if i == 0 else CONTINUED, part, fin=i == len(parts) - 1)
        if draw(st.booleans()):
            wire += frame(draw(st.sampled_from([PING, PONG])), draw(st.binary(max_size=125)))
    return wire, b"".join(parts)


@given(st.lists(messages(), max_size=5), CUTS)
def test_what_is_in_binary_frames_comes_out_as_one_stream_however_it_was_cut(
    sent: list[tuple[bytes, bytes]], cuts: list[int]
) -> None:
    frames = opened()
    wire = b"".join(one for one, _ in sent)
    got = b"".join(frames.feed(piece) for piece in pieces(wire, cuts))
    assert got == b"".join(content for _, content in sent)
    assert frames.over is None


@given(st.lists(messages(), max_size=3), st.binary(max_size=200), CUTS)
@example([], b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", [])
@example([], b"\x88\x02\x03\xe8", [1])
@example([], b"\x88\x03\x03\xe8\xff", [])
@example([], b"\x81\x02\xff\xff", [])
def test_any_bytes_end_in_content_or_in_a_reason(
    sent: list[tuple[bytes, bytes]], noise: bytes, cuts: list[int]
) -> None:
    frames = opened()
    wire = b"".join(one for one, _ in sent) + noise
    got = b"".join(frames.feed(piece) for piece in pieces(wire, cuts))
    assert got.startswith(b"".join(content for _, content in sent))
    if frames.over:
        assert str(frames.over)
        assert frames.feed(frame(BINARY, b"late")) == b""
        with pytest.raises(LinkLost):
            frames.wrap(b"x")


@given(st.binary(max_size=400), CUTS)
@example(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", [])
@example(b"HTTP/1.1 100 Continue\r\n\r\n", [])
@example(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Protocol: \xff\r\n\r\n", [])
@example(b"x" * 400, [])
def test_any_answer_to_the_upgrade_ends_in_a_need_for_more_or_a_reason(noise: bytes, cuts: list[int]) -> None:
    frames = Frames("broker:80", "/mqtt")
    for piece in pieces(noise, cuts):
        assert frames.feed(piece) == b""
    assert not frames.accepted
    assert frames.over is None or frames.over.do


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (frame(TEXT, b"hello"), "text"),
        (frame(BINARY, b"hello", masked=True), "masked"),
        (frame(BINARY, b"hello", rsv=4), "Reserved"),
        (frame(3, b"hello"), "opcode"),
        (frame(PING, b"x" * 126), "125"),
        (frame(PING, b"x", fin=False), "fragment"),
        (frame(CONTINUED, b"x"), "CONTINUATION"),
        (frame(BINARY, b"a", fin=False) + frame(BINARY, b"b"), "CONTINUATION"),
        (frame(CLOSE, b"\x03\xe9bye"), "closed by the broker: 1001 bye"),
        (frame(CLOSE), "closed by the broker"),
        (frame(CLOSE, b"\x00"), "CLOSE"),
        (frame(CLOSE, b"\x03\xed"), "CLOSE"),
    ],
)
def test_a_frame_that_must_not_come_ends_it_after_what_came_before(hostile: bytes, reason: str) -> None:
    frames = opened()
    assert frames.feed(frame(BINARY, b"before") + hostile + frame(BINARY, b"behind"))[:6] == b"before"
    assert reason in str(frames.over)


def test_a_frame_longer_than_any_memory_is_passed_on_and_not_kept() -> None:
    frames = opened()
    head = b"\x82\x7f" + (1 << 60).to_bytes(8, "big")
    assert frames.feed(head) == b""
    for _ in range(100):
        assert frames.feed(b"x" * 65536) == b"x" * 65536


def test_a_header_without_an_end_is_not_kept_for_ever() -> None:
    frames = Frames("broker:80", "/mqtt")
    for _ in range(100):
        frames.feed(b"HTTP/1.1 101 Switching Protocols\r\nX: " + b"x" * 1024)
        if frames.over:
            break
    assert "WebSocket" in str(frames.over)


def test_a_broker_that_agrees_to_another_protocol_is_refused() -> None:
    for subprotocol in ("", "chat"):
        frames = Frames("broker:80", "/mqtt")
        frames.feed(answer_to(frames.request, subprotocol=subprotocol))
        assert not frames.accepted
        assert frames.over is not None
        assert frames.over.do


def test_of_many_pings_the_newest_is_answered() -> None:
    frames = opened()
    frames.feed(b"".join(frame(PING, b"%d" % i) for i in range(1000)))
    pong = frames.take_answer()
    assert (pong[0], pong[1], len(pong)) == (0x80 | PONG, 0x80 | 3, 2 + 4 + 3)
    assert bytes(a ^ b for a, b in zip(pong[6:], pong[2:5], strict=True)) == b"999"
    assert frames.take_answer() == b""


def test_our_frames_are_masked_each_with_another_key() -> None:
    frames = opened()
    one, other = frames.wrap(b"\xc0\x00"), frames.wrap(b"\xc0\x00")
    assert (one[0], one[1]) == (0x82, 0x82)
    assert one[2:6] != other[2:6]
    assert bytes(a ^ b for a, b in zip(one[6:], one[2:4], strict=True)) == b"\xc0\x00"


@pytest.mark.parametrize("host", ["broker..example", "x" * 64 + ".example"])
def test_a_host_that_cannot_be_asked_for_is_refused(host: str) -> None:
    with pytest.raises(LinkLost):
        Frames(host, "/mqtt")


@contextmanager
def served(behind: bytes) -> Iterator[tuple[Link, socket.socket]]:
    """An open link to a peer that sends `behind` in one piece with its agreement."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peers: list[socket.socket] = []

        def serve() -> None:
            peer, _ = listener.accept()
            peers.append(peer)
            peer.settimeout(PATIENCE_S)
            request = b""
            while b"\r\n\r\n" not in request:
                request += peer.recv(4096)
            peer.sendall(answer_to(request) + behind)

        thread = threading.Thread(target=serve)
        thread.start()
        dialer = Dialer(LookUp("127.0.0.1", listener.getsockname()[1], Transport("ws")), time.monotonic)
        while not (link := dialer.step(0.05)):
            pass
        thread.join()
        try:
            with peers[0]:
                yield link, peers[0]
        finally:
            link.close()


def test_what_came_in_one_piece_with_the_agreement_is_there_though_the_socket_is_empty() -> None:
    with served(frame(BINARY, b"early")) as (link, _):
        assert (link.pending, link.wait(0.0, reading=True)) == (True, True)
        assert link.receive(65536) == b"early"
        assert (link.pending, link.wait(0.0, reading=True)) == (False, False)


def test_tiny_frames_are_taken_a_bounded_number_at_a_time_and_all_in_the_end() -> None:
    many = 5000
    letters = [b"%c" % (65 + i % 26) for i in range(many)]
    with served(b"".join(frame(BINARY, one) for one in letters)) as (link, peer):
        got: list[bytes] = []
        until = time.monotonic() + PATIENCE_S
        while sum(map(len, got)) < many:
            assert time.monotonic() < until
            if link.wait(0.02, reading=True):
                got.append(link.receive(65536))
        assert b"".join(got) == b"".join(letters)
        assert max(map(len, got)) < 512
        assert not link.pending
        peer.sendall(frame(BINARY, b"x" * 60_000))
        large = b""
        while len(large) < 60_000:
            assert time.monotonic() < until
            if link.wait(0.02, reading=True):
                large += link.receive(65536)
        assert large == b"x" * 60_000


class Deaf:
    """A link whose peer asks in each read and reads nothing."""

    more, stage, pending = False, "", False

    def __init__(self) -> None:
        self.unsent = 0
        self._next = b""

    def fileno(self) -> int:
        return -1

    def interest(self, *, reading: bool) -> int:
        return 0

    def opened(self) -> bool:
        return True

    def wait(self, timeout_s: float, *, reading: bool) -> bool:
        return reading

    def receive(self, limit: int) -> bytes:
        return self._next

    def send(self, data: bytes) -> None:
        self.unsent += len(data)
        self._next = answer_to(data) if data.startswith(b"GET") else frame(PING, b"x" * 125)

    def close(self) -> None:
        pass


def test_a_peer_that_asks_and_never_reads_does_not_fill_our_memory() -> None:
    link = WebSocketLink(Deaf(), "broker", 80, Transport("ws"))
    assert link.opened()
    link.send(b"x")
    for _ in range(2000):
        assert link.receive(65536) == b""
    assert link.unsent < 1 << 17


def test_a_close_in_order_says_goodbye() -> None:
    with served(b"") as (link, peer):
        link.close()
        said = peer.recv(100)
        assert (said[0], said[1]) == (0x80 | CLOSE, 0x82)
        assert peer.recv(100) == b""


def test_after_a_close_of_the_broker_what_came_before_is_given_first() -> None:
    with served(frame(BINARY, b"last") + frame(CLOSE, b"\x03\xe8")) as (link, _):
        assert link.receive(65536) == b"last"
        with pytest.raises(LinkLost, match="closed by the broker"):
            link.receive(65536)
