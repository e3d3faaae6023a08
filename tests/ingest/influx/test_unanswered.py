"""Why there was no answer: of real sockets and certificates, in words that somebody can act on."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import urllib3

from gengfu.ports import free_port
from gengfu.tls import make_authority, make_server
from ingest.store.influx.asking import Asking, Away, Limits
from ingest.store.influx.server import Account, Later, Server
from ingest.store.influx.unanswered import Cause, unanswered
from tests.ingest.influx.answering import answering, saying

SHORT = Limits(connect_s=1.0, answer_s=0.3)


def cause_at(url: str) -> Cause | None:
    """What asking and writing say of it, which has to be the same."""
    account = Account(url, bucket="b", token="very-secret")
    with Asking(account, SHORT) as asking, pytest.raises(Away) as told:
        asking.get("/query", {})
    server = Server(account, 1, answer_s=SHORT.answer_s)
    answer = server.post(b"m f=1 1\n")
    server.close()
    assert isinstance(answer, Later)
    assert not answer.denied
    assert str(told.value) == f"{url}: {answer.why}"
    assert answer.why.startswith(f"no answer from the server: {answer.cause}")
    assert "very-secret" not in answer.why
    return answer.cause


def certified(folder: Path, name: str, at: datetime | None = None) -> ssl.SSLContext:
    """A server's certificate for a name, of an authority of its own (`ca.crt`)."""
    now = at or datetime.now(UTC)
    make_authority(folder, "site", now)
    make_server(folder, [name], now)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return context


def test_nothing_listens() -> None:
    assert cause_at(f"http://127.0.0.1:{free_port()}") == Cause.REFUSED


def test_a_name_that_nobody_knows() -> None:
    assert cause_at("http://no-such-host.invalid:8086") == Cause.NAME


def test_an_address_that_is_none() -> None:
    assert cause_at("http://127.0.0.1:99999") == Cause.ADDRESS


def test_one_who_takes_the_connection_and_says_nothing() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        assert cause_at(f"http://127.0.0.1:{listener.getsockname()[1]}") == Cause.LATE


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (b"", Cause.BROKEN),
        (b"220 mail here\r\n", Cause.NOT_HTTP),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", Cause.BROKEN),
    ],
)
def test_one_who_speaks_otherwise_or_hangs_up(said: bytes, cause: Cause) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=_say_twice, args=(listener, said), daemon=True)
        thread.start()
        assert cause_at(f"http://127.0.0.1:{listener.getsockname()[1]}") == cause


def _say_twice(listener: socket.socket, said: bytes) -> None:
    for _ in range(2):
        connection, _ = listener.accept()
        with closing(connection):
            connection.recv(1 << 16)
            connection.sendall(said)


def test_tls_where_there_is_none() -> None:
    with answering(saying(b"")) as url:
        assert cause_at(url.replace("http:", "https:")) == Cause.NO_TLS


def test_a_certificate_of_an_authority_that_nobody_named(tmp_path: Path) -> None:
    with answering(saying(b""), certified(tmp_path, "127.0.0.1")) as url:
        assert cause_at(url) == Cause.UNTRUSTED


@pytest.mark.parametrize(
    ("name", "age", "cause"),
    [
        ("influx.example", timedelta(), Cause.NAMED_OTHERWISE),
        ("127.0.0.1", timedelta(days=20_000), Cause.OUT_OF_TIME),
    ],
)
def test_a_certificate_that_is_trusted_and_does_not_fit(
    tmp_path: Path, name: str, age: timedelta, cause: Cause
) -> None:
    """Of an authority that is trusted here: the pool of a test, since ours trusts what the system does."""
    with answering(saying(b""), certified(tmp_path, name, datetime.now(UTC) - age)) as url:
        pool = urllib3.PoolManager(retries=False, ca_certs=str(tmp_path / "ca.crt"))
        with pytest.raises(urllib3.exceptions.SSLError) as told:
            pool.request("GET", url)
        pool.clear()
    assert unanswered(told.value).cause == cause


def test_what_is_not_known_is_named_by_its_kind() -> None:
    assert (
        str(unanswered(RuntimeError("x"))) == "no answer from the server: the request failed (RuntimeError)"
    )


def test_a_network_that_is_not_there() -> None:
    error = OSError(101, "Network is unreachable")
    assert (
        str(unanswered(error)) == "no answer from the server: it cannot be reached (Network is unreachable)"
    )
