"""Who sends a little at a time, or without end, holds nobody; and whoever wants to end a request can."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from ingest.store.influx.server import MOST_BYTES, Account, Later, Server, Taken
from ingest.store.influx.unanswered import Cause

Serve = Callable[[socket.socket], None]
PATIENCE_S = 20.0
"""Bounds only failures."""
STORED = b"HTTP/1.1 204 No Content\r\n\r\n"


class Peer:
    """Does the same on each connection. `ended` of them were closed by us."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = self.ended = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._serve(connection)
        self.ended += 1

    def close(self) -> None:
        self._listener.close()


@contextmanager
def peer(serve: Serve) -> Iterator[Peer]:
    found = Peer(serve)
    try:
        yield found
    finally:
        found.close()


def server_at(url: str, whole_s: float = 1.0) -> Server:
    return Server(Account(url, database="d"), 1, whole_s=whole_s)


def drips(beginning: bytes) -> Serve:
    """Each byte comes long before anybody would call it late."""

    def serve(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(beginning)
        while True:
            connection.sendall(b"a")
            time.sleep(0.05)

    return serve


def eventually(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@pytest.mark.parametrize(
    "beginning",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 204 No Content\r\nX: ",
        b"HTTP/1.1 400 Bad\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 502 Bad\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 502 Bad\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n",
    ],
)
def test_a_byte_at_a_time_is_no_answer(beginning: bytes) -> None:
    """Not in headers and not in what follows them; and no connection stays."""
    with peer(drips(beginning)) as found:
        server = server_at(found.url)
        answers = [server.post(b"m f=1 1\n") for _ in range(2)]
        assert [isinstance(one, Later) and one.cause == Cause.LATE for one in answers] == [True, True]
        eventually(lambda: found.ended == found.connections == 2, "its connections are closed")
        server.close()


def test_a_handshake_of_a_byte_at_a_time_is_none() -> None:
    """TLS waits for a long record: each byte of it comes in time."""
    with peer(drips(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xf0")) as found:
        server = server_at(found.url.replace("http:", "https:"))
        answer = server.post(b"m f=1 1\n")
        assert isinstance(answer, Later) and answer.cause == Cause.LATE
        eventually(lambda: found.ended == 1, "its connection is closed")
        server.close()


def test_an_answer_without_end_is_read_in_part() -> None:
    sent = 0

    def serve(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 502 Bad\r\n\r\n")
        while True:
            sent += connection.send(b"<html>" * 10_000)

    with peer(serve) as found:
        server = server_at(found.url, PATIENCE_S)
        for n in range(3):
            answer = server.post(b"m f=1 1\n")
            assert answer == Later("HTTP 502: a web page")
            assert found.connections == n + 1
        eventually(lambda: found.ended == 3, "its connections are closed")
        server.close()
    assert sent < 3 * (MOST_BYTES + (16 << 20)), "but for what the system takes by itself"


def test_one_connection_serves_one_request_after_the_other() -> None:
    """And is closed with the server."""

    def serve(connection: socket.socket) -> None:
        while piece := connection.recv(1 << 16):
            if piece.endswith(b"f=1 1\n"):
                connection.sendall(STORED)

    with peer(serve) as found:
        server = server_at(found.url)
        assert [server.post(b"m f=1 1\n") for _ in range(50)] == [Taken()] * 50
        assert found.connections == 1
        server.close()
        eventually(lambda: found.ended == 1, "it is closed")


def test_what_took_long_before_is_not_held_against_the_next() -> None:
    with peer(drips(b"HTTP/1.1 200 OK\r\nX: ")) as found:
        server = server_at(found.url)
        begin_s = time.monotonic()
        server.post(b"m f=1 1\n")
        server.post(b"m f=1 1\n")
        assert time.monotonic() - begin_s >= 2.0, "each has its time"
        server.close()


def test_a_look_at_its_life_ends_too() -> None:
    with peer(drips(b"HTTP/1.1 200 OK\r\nX: ")) as found:
        server = server_at(found.url, PATIENCE_S)
        assert server.life() is None
        server.close()


def test_closing_ends_what_is_under_way_and_lets_nothing_begin() -> None:
    def serve(connection: socket.socket) -> None:
        while connection.recv(1 << 16):
            pass

    with peer(serve) as found:
        server = server_at(found.url, 10 * PATIENCE_S)
        answers: list[object] = []
        thread = threading.Thread(target=lambda: answers.append(server.post(b"m f=1 1\n")), daemon=True)
        thread.start()
        eventually(lambda: found.connections == 1, "it is under way")
        server.close()
        thread.join(PATIENCE_S)
        assert isinstance(answers[0], Later)
        assert isinstance(server.post(b"m f=1 1\n"), Later)
        eventually(lambda: found.ended == 1, "its connection is closed")
        assert found.connections == 1
