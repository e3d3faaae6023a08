"""A link keeps what the socket does not take, and says when it is over."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from ingest.dial import Dialer
from ingest.link import Link, LinkLost
from ingest.look_up import LookUp
from tests.ingest.mosquitto import free_port


def _dial(host: str, port: int) -> Link:
    dialer = Dialer(LookUp(host, port), time.monotonic)
    while True:
        link = dialer.step(0.05)
        if link:
            return link


@pytest.fixture
def pair() -> Iterator[tuple[Link, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        link = _dial("127.0.0.1", listener.getsockname()[1])
        peer, _ = listener.accept()
        peer.settimeout(10)
    with peer:
        yield link, peer
    link.close()


def test_what_the_socket_does_not_take_is_kept_and_sent_later_in_order(
    pair: tuple[Link, socket.socket],
) -> None:
    link, peer = pair
    pieces = [bytes([i]) * (1 << 20) for i in range(24)]
    for piece in pieces:
        link.send(piece)  # returns at once although nobody reads
    assert link.unsent > 0
    came = bytearray()
    while len(came) < 24 << 20:
        link.wait(0.0, reading=False)
        came += peer.recv(1 << 20)
    assert came == b"".join(pieces)
    assert link.unsent == 0


def test_reading_gives_what_is_there_nothing_or_the_end(pair: tuple[Link, socket.socket]) -> None:
    link, peer = pair
    assert not link.wait(0.0, reading=True)
    assert link.receive(100) == b""
    peer.sendall(b"abc")
    assert not link.wait(0.0, reading=False)
    assert link.wait(5.0, reading=True)
    assert link.receive(2) + link.receive(100) == b"abc"
    peer.close()
    assert link.wait(5.0, reading=True)
    with pytest.raises(LinkLost, match="closed"):
        link.receive(100)


def test_a_port_nobody_listens_on_and_a_name_nobody_has_are_lost() -> None:
    for host in ("127.0.0.1", "no-such-host.invalid"):
        with pytest.raises(LinkLost):
            _dial(host, free_port())


def test_a_name_with_several_addresses_is_tried_until_one_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _dial("localhost", listener.getsockname()[1]).close()
