from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from alerts.channels.apprise import AppriseChannel
from alerts.channels.apprise_lines import LESSER_THREADS, URGENT_THREADS
from alerts.channels.channel import Accepted, Failed, Outcome
from devices.model import Medium
from tests.alerts.channels.providers import Answer, Provider, message, provider, says, stays_silent

T = TypeVar("T")

DIED = Failed("the apprise process ended")


def with_apprise(answer: Answer, run: Callable[[AppriseChannel, Provider], Awaitable[T]]) -> T:
    """Runs against a real Apprise process and a real provider; the process is gone afterwards."""

    async def main() -> T:
        channel = AppriseChannel()
        try:
            async with provider(answer) as served:
                return await run(channel, served)
        finally:
            pid = channel.pid
            await channel.close()
            assert pid is None or not _runs(pid)

    return asyncio.run(main())


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_push_arrives_with_title_text_link_and_urgency() -> None:
    async def run(channel: AppriseChannel, served: Provider) -> tuple[Outcome, bytes]:
        return await channel.send(message(served.url("json"))), served.requests[0]

    outcome, request = with_apprise(says("200 OK"), run)
    body = json.loads(request.partition(b"\r\n\r\n")[2])
    assert outcome == Accepted()
    assert (body["title"], body["message"]) == ("更夫 Gengfu", "厨房 smoke\nhttp://a.example/x")
    assert body["type"] == "failure"


def test_an_sms_has_no_title() -> None:
    async def run(channel: AppriseChannel, served: Provider) -> bytes:
        await channel.send(message(served.url("json"), medium=Medium.SMS))
        return served.requests[0]

    assert json.loads(with_apprise(says("200 OK"), run).partition(b"\r\n\r\n")[2])["title"] == ""


def test_a_refusal_is_a_failure_without_the_address() -> None:
    async def run(channel: AppriseChannel, served: Provider) -> Outcome:
        return await channel.send(message(served.url("json")))

    assert with_apprise(says("500 Broken"), run) == Failed("the provider refused or did not answer")


def test_a_redirect_is_not_followed() -> None:
    async def run(channel: AppriseChannel, served: Provider) -> tuple[Outcome, int]:
        return await channel.send(message(served.url("json"))), len(served.requests)

    outcome, requests = with_apprise(says("307 Elsewhere", "", "Location: /other"), run)
    assert isinstance(outcome, Failed)
    assert requests == 1


def test_an_address_apprise_does_not_know_is_permanently_wrong() -> None:
    async def run(channel: AppriseChannel, _served: Provider) -> Outcome:
        return await channel.send(message("nonsense://x"))

    assert with_apprise(says("200 OK"), run) == Failed(
        "apprise does not know such an address", permanent=True
    )


def test_the_parts_of_a_long_message_do_not_wait_for_each_other() -> None:
    """Apprise's own pause of 5.5 s between two sends of one object would outlast the sender's patience."""

    async def run(channel: AppriseChannel, served: Provider) -> tuple[Outcome, int]:
        address = served.url("ntfy") + "?overflow=split"
        async with asyncio.timeout(5.0):
            outcome = await channel.send(message(address, text="x" * 10_000))
        return outcome, len(served.requests)

    assert with_apprise(says("200 OK"), run) == (Accepted(), 2)


def test_a_process_killed_in_the_middle_fails_what_it_had_and_is_started_again() -> None:
    async def run(channel: AppriseChannel, served: Provider) -> tuple[Outcome, Outcome]:
        send = asyncio.create_task(channel.send(message(served.url("json"))))
        await served.arrived.wait()
        assert channel.pid is not None
        os.kill(channel.pid, signal.SIGKILL)
        cut_off = await send
        served.answer = says("200 OK")
        return cut_off, await channel.send(message(served.url("json")))

    clock = iter(range(0, 1000, 10))

    async def main() -> tuple[Outcome, Outcome]:
        channel = AppriseChannel(now_s=lambda: next(clock))
        async with provider(stays_silent) as served:
            outcomes = await run(channel, served)
        await channel.close()
        return outcomes

    assert asyncio.run(main()) == (DIED, Accepted())


def test_a_process_that_dies_at_once_is_not_started_again_within_a_second() -> None:
    async def main() -> list[Outcome]:
        channel = AppriseChannel((sys.executable, "-c", ""), now_s=lambda: 100.0)
        outcomes = [await channel.send(message("json://127.0.0.1:9")) for _ in range(2)]
        await channel.close()
        return outcomes

    assert asyncio.run(main()) == [DIED, Failed("the apprise process cannot be started")]


def test_a_program_that_is_not_there_is_a_failure() -> None:
    async def main() -> Outcome:
        channel = AppriseChannel(("/nowhere/apprise",))
        return await channel.send(message("json://127.0.0.1:9"))

    assert asyncio.run(main()) == Failed("the apprise process cannot be started")


def test_slow_lesser_messages_leave_the_urgent_ones_their_threads() -> None:
    async def silent_but_to_urgent(request: bytes, writer: asyncio.StreamWriter) -> None:
        await (says("200 OK") if b'"failure"' in request else stays_silent)(request, writer)

    async def run(channel: AppriseChannel, served: Provider) -> Outcome:
        sends = [
            asyncio.create_task(channel.send(message(served.url("json"), urgent=False)))
            for _ in range(2 * LESSER_THREADS)
        ]
        await served.wait_for(LESSER_THREADS)
        outcome = await channel.send(message(served.url("json"), urgent=True))
        assert not any(send.done() for send in sends)
        for send in sends:
            send.cancel()
        await asyncio.gather(*sends, return_exceptions=True)
        return outcome

    assert with_apprise(silent_but_to_urgent, run) == Accepted()


def test_a_process_whose_threads_are_all_held_is_replaced() -> None:
    async def run(channel: AppriseChannel, served: Provider) -> tuple[int | None, int | None, Outcome]:
        sends = [
            asyncio.create_task(channel.send(message(served.url("json"), urgent=False)))
            for _ in range(LESSER_THREADS)
        ]
        await served.wait_for(LESSER_THREADS)
        first = channel.pid
        for send in sends:
            send.cancel()
        await asyncio.gather(*sends, return_exceptions=True)
        served.answer = says("200 OK")
        outcome = await channel.send(message(served.url("json"), urgent=False))
        return first, channel.pid, outcome

    clock = iter(range(0, 1000, 10))

    async def main() -> tuple[int | None, int | None, Outcome]:
        channel = AppriseChannel(now_s=lambda: next(clock))
        async with provider(stays_silent) as served:
            result = await run(channel, served)
        await channel.close()
        return result

    first, second, outcome = asyncio.run(main())
    assert first != second
    assert outcome == Accepted()


def test_messages_share_connections_and_no_cookie() -> None:
    connections: set[asyncio.StreamWriter] = set()

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        await says("200 OK", "", "Set-Cookie: a=b")(request, writer)

    async def run(channel: AppriseChannel, served: Provider) -> tuple[list[Outcome], list[bytes]]:
        sends = [await channel.send(message(served.url("json"))) for _ in range(2 * URGENT_THREADS)]
        return sends, served.requests

    outcomes, requests = with_apprise(answer, run)
    assert set(outcomes) == {Accepted()}
    assert len(connections) < len(requests) == 2 * URGENT_THREADS  # each thread has its own
    assert not any(b"cookie" in request.lower() for request in requests)


def test_a_process_with_all_its_threads_in_hand_is_helped_by_a_second() -> None:
    async def never_ends_but_for_a_few(request: bytes, writer: asyncio.StreamWriter) -> None:
        await (drips if b"hang" in request else says("200 OK"))(request, writer)

    async def drips(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        while True:  # longer than Apprise waits for a byte
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.5)

    async def run(channel: AppriseChannel, served: Provider) -> Outcome:
        hanging = [
            asyncio.create_task(channel.send(message(served.url("json"), text="hang")))
            for _ in range(URGENT_THREADS + 1)
        ]
        async with asyncio.timeout(30.0):
            outcome = None
            while outcome is None:  # until the second is ready
                send = asyncio.create_task(channel.send(message(served.url("json"))))
                done, _ = await asyncio.wait({send}, timeout=0.1)
                outcome = send.result() if done else None
                send.cancel()
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        return outcome

    assert with_apprise(never_ends_but_for_a_few, run) == Accepted()


def test_the_process_ends_when_its_stdin_closes() -> None:
    async def main() -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "alerts.channels.apprise_worker", stdin=asyncio.subprocess.PIPE
        )
        assert process.stdin
        process.stdin.close()
        return await process.wait()

    assert asyncio.run(main()) == 0


def test_an_answer_without_an_end_cannot_take_all_memory() -> None:
    """Apprise reads answers whole: the process may hold a gigabyte, and no more."""

    async def run(channel: AppriseChannel, served: Provider) -> str:
        await channel.send(message(served.url("json")))
        return await asyncio.to_thread(Path(f"/proc/{channel.pid}/limits").read_text)

    limits = with_apprise(says("200 OK"), run).splitlines()
    [most] = [line.split()[3] for line in limits if line.startswith("Max data size")]
    assert most == str(1 << 30)
