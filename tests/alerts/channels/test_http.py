"""One exchange after another over real sockets: connections kept, not kept, and not trusted."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from alerts.channels.channel import Failed
from alerts.channels.http import Http, Reply
from tests.alerts.channels.providers import Answer, Provider, provider, says, stays_silent
from tests.ingest.listeners import make_certificates

OK = Reply(200, b"{}")
Ask = Callable[[], Awaitable[Reply | Failed]]


class Counting:
    """Counts the connections that a provider is asked over."""

    def __init__(self, answer: Answer) -> None:
        self.seen: set[int] = set()
        self._answer = answer

    async def __call__(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        self.seen.add(id(writer))
        await self._answer(request, writer)


def asked(answer: Answer, run: Callable[[Ask, Provider], Awaitable[None]], urgent: bool = True) -> int:
    """Runs with something that asks once; over how many connections it did."""
    counting = Counting(answer)

    async def main() -> None:
        http = Http()
        async with provider(counting) as served:
            await run(lambda: http.post(served.url(), b"x", {"X": "y"}, urgent=urgent), served)
        await http.close()

    asyncio.run(main())
    return len(counting.seen)


async def thrice(ask: Ask, _served: Provider) -> None:
    assert [await ask() for _ in range(3)] == [OK] * 3


def test_posts_one_after_another_go_over_one_connection() -> None:
    assert asked(says("200 OK", "{}"), thrice) == 1


def test_posts_at_the_same_time_have_a_connection_each() -> None:
    async def together(ask: Ask, _served: Provider) -> None:
        assert await asyncio.gather(*(ask() for _ in range(3))) == [OK] * 3

    assert asked(says("200 OK", "{}"), together) == 3


def test_a_connection_that_the_server_will_close_is_not_used_again() -> None:
    assert asked(says("200 OK", "{}", "Connection: close"), thrice) == 3


def test_a_connection_that_the_server_has_closed_is_not_used_again() -> None:
    async def closes(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async def later(ask: Ask, _served: Provider) -> None:
        for _ in range(2):
            assert await ask() == OK
            await asyncio.sleep(0.02)  # until its end is here

    assert asked(closes, later) == 2


def test_what_a_server_says_unasked_is_no_answer_to_the_next_message() -> None:
    async def says_twice(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1]")

    async def later(ask: Ask, _served: Provider) -> None:
        assert await ask() == OK
        await asyncio.sleep(0.1)
        assert await ask() == OK

    assert asked(says_twice, later) == 2


def test_an_answer_that_is_not_http_is_a_failure() -> None:
    async def shouts(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n\r\n")

    async def once(ask: Ask, _served: Provider) -> None:
        assert await ask() == Failed("the answer is not HTTP")

    asked(shouts, once)


def test_a_request_says_what_is_asked_and_nothing_else_can_be_put_into_it() -> None:
    async def main() -> tuple[bytes, Reply | Failed]:
        http = Http()
        async with provider(says("200 OK", "{}")) as served:
            url = f"http://u:p@127.0.0.1:{served.port}/a b?c=d#secret"
            await http.ask("POST", url, b"body", {"host": "signed.example", "X": "y"}, urgent=True)
            refused = await http.post(served.url(), b"", {"X": "y\r\nHost: other"}, urgent=True)
            await http.close()
            return served.requests[0], refused

    request, refused = asyncio.run(main())
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /a%20b?c=d HTTP/1.1"
    assert {"host: signed.example", "X: y", "Content-Length: 4", "Authorization: Basic dTpw"} < set(lines)
    assert not any(line.startswith("Host:") for line in lines)
    assert body == b"body"
    assert refused == Failed("a header would break the request")


def test_a_name_that_is_not_found_is_a_failure_that_never_reached_the_provider() -> None:
    async def main() -> Reply | Failed:
        http = Http()
        outcome = await http.post("http://nowhere.invalid/", b"", {}, urgent=False)
        await http.close()
        return outcome

    outcome = asyncio.run(main())
    assert outcome == Failed("the host name was not found")
    assert isinstance(outcome, Failed)
    assert outcome.unreached


@pytest.mark.parametrize("whole_s", [0.1, 30.0])
def test_a_connection_that_is_not_made_in_time_never_reached_the_provider(whole_s: float) -> None:
    """Whichever time ends first: that of the connection, or that of the whole exchange."""

    async def main() -> Reply | Failed:
        http = Http(whole_s, connect_s=0.1 if whole_s > 1 else 30.0)
        async with provider(stays_silent) as served:  # it takes the connection and says no hello
            url = f"https://127.0.0.1:{served.port}/"
            outcome = await http.post(url, b"x", {}, urgent=True)
            await http.close()
            return outcome

    outcome = asyncio.run(main())
    assert outcome == Failed("no connection in time")
    assert isinstance(outcome, Failed)
    assert outcome.unreached


def test_an_answer_that_does_not_come_in_time_may_have_reached_the_provider() -> None:
    async def main() -> Reply | Failed:
        http = Http(timeout_s=0.1)
        async with provider(stays_silent) as served:
            outcome = await http.post(served.url(), b"x", {}, urgent=True)
            await http.close()
            return outcome

    outcome = asyncio.run(main())
    assert isinstance(outcome, Failed)
    assert not outcome.unreached


def over_tls(certificates: Path, trust: ssl.SSLContext | None, host: str) -> Reply | Failed:
    """A post to a server with a certificate for 127.0.0.1."""
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_context.load_cert_chain(certificates / "server.crt", certificates / "server.key")

    async def main() -> Reply | Failed:
        http = Http(trust=(lambda: trust) if trust else None)
        served = Provider(says("200 OK", "{}"))
        server = await asyncio.start_server(served.serve, "127.0.0.1", 0, ssl=server_context)
        port = server.sockets[0].getsockname()[1]
        first = await http.post(f"https://{host}:{port}/", b"x", {}, urgent=True)
        second = await http.post(f"https://{host}:{port}/", b"x", {}, urgent=True)
        assert first == second
        server.close()
        await served.stop()
        await http.close()
        return first

    return asyncio.run(main())


def test_a_server_over_tls_is_believed_by_its_certificate_and_name_alone(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    trust = ssl.create_default_context(cafile=certificates / "ca.crt")
    failed = Failed("the secure connection failed")
    assert over_tls(certificates, trust, "127.0.0.1") == OK
    assert over_tls(certificates, trust, "localhost") == failed
    assert over_tls(certificates, None, "127.0.0.1") == failed
