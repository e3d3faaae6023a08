"""Where lines are posted, and what the answers of real servers mean."""

from __future__ import annotations

import gzip
import math
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingest.store.influx.server import (
    LONGEST_WISH_S,
    Account,
    Answer,
    Later,
    Refused,
    Server,
    Taken,
    read_answer,
)

NOW_S = 1_790_000_000.0


def test_all_is_stored() -> None:
    assert read_answer(204, "", b"", NOW_S) == Taken()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_the_body_is_at_fault(status: int) -> None:
    answer = read_answer(status, "", b'{"error":"unable to\n parse"}', NOW_S)
    assert answer == Refused(f'HTTP {status}: {{"error":"unable to parse"}}')


@pytest.mark.parametrize("status", [200, 202, 301, 401, 403, 404, 405])
def test_somebody_has_to_set_something_right(status: int) -> None:
    assert read_answer(status, "", b"", NOW_S) == Later(f"HTTP {status}", denied=True)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_the_server_cannot_take_it_now(status: int) -> None:
    assert read_answer(status, "", b"", NOW_S) == Later(f"HTTP {status}")


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("100000", LONGEST_WISH_S),
        ("Mon, 21 Sep 2026 14:13:40 GMT", 20.0),
        ("soon", None),
        ("nan", None),
        ("", None),
    ],
)
def test_how_long_the_server_wants_us_to_wait(said: str, wait_s: float | None) -> None:
    answer = read_answer(429, said, b"", NOW_S)
    assert isinstance(answer, Later)
    if wait_s is None:
        assert answer.wait_s is None
    else:
        assert answer.wait_s is not None
        assert math.isclose(answer.wait_s, wait_s)


def test_a_server_says_as_much_as_it_likes_and_little_is_kept() -> None:
    answer = read_answer(400, "", b"\xff" * 10_000_000, NOW_S)
    assert isinstance(answer, Refused)
    assert len(answer.why) < 400


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<html><head>\n <title>Sign in</title>", "HTTP 200: a web page, 'Sign in'"),
        (b" <!doctype HTML><body>" + b"no title" * 10_000, "HTTP 200: a web page"),
        (b"<xml/>", "HTTP 200: <xml/>"),
    ],
)
def test_of_a_web_page_its_title_is_kept(body: bytes, shown: str) -> None:
    assert read_answer(200, "", body, NOW_S) == Later(shown, denied=True)


def test_the_address_of_1x_names_a_database_and_no_secret() -> None:
    account = Account("http://h:8086/", database="g f", retention_policy="raw", user="u", password="p&w")
    assert account.target == "http://h:8086/write?db=g+f&rp=raw&consistency=one"
    assert account.headers["Authorization"] == "Basic dTpwJnc="


def test_the_address_of_2x_names_organisation_and_bucket_and_no_secret() -> None:
    account = Account("http://h:8086", org="o", bucket="b", token="t")
    assert account.target == "http://h:8086/api/v2/write?org=o&bucket=b&precision=ns"
    assert account.headers["Authorization"] == "Token t"


class _Kept(BaseHTTPRequestHandler):
    """Keeps what was posted."""

    got: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.headers.get("Content-Encoding", ""), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def keeping() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    got: list[tuple[str, bytes]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Kept", (_Kept,), {"got": got}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("packed", [False, True])
def test_lines_arrive_as_they_are_or_packed(packed: bool) -> None:
    with keeping() as (url, got):
        server = Server(Account(url, bucket="b", gzip=packed), 1)
        assert server.post(b"m f=1 1\n") == Taken()
        server.close()
    encoding, body = got[0]
    assert (encoding, gzip.decompress(body) if packed else body) == ("gzip" if packed else "", b"m f=1 1\n")


def test_nobody_at_home_is_an_answer() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        answer = _post(f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert isinstance(answer, Later)
    assert not answer.denied


def test_what_is_no_web_server_is_an_answer() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=_babble, args=(listener,))
        thread.start()
        answer = _post(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert isinstance(answer, Later)


def _babble(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with closing(connection):
        connection.recv(1 << 16)
        connection.sendall(b"220 mail here\r\n")


def _post(url: str) -> Answer:
    server = Server(Account(url, bucket="b", token="secret"), 1)
    answer = server.post(b"m f=1 1\n")
    server.close()
    assert "secret" not in repr(answer)
    return answer
