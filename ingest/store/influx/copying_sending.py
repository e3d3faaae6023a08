"""Points on their way into a server, a few requests at once, until each is there or refused."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Protocol

from ingest.store.influx.copying_waiting import Waiting
from ingest.store.influx.expiry import Expiry
from ingest.store.influx.lines import Named, bodies
from ingest.store.influx.putting import Outcasts, Putting, RefusedLine
from ingest.store.influx.server import Answer, Later, Refused, Taken
from ingest.store.points import Points

IN_FLIGHT: Final = 2
"""Requests at once (chosen: half of what live points take)."""
_AHEAD: Final = 2
"""Bodies that wait for each request, so that none waits for a body (chosen)."""


class Posts(Protocol):
    """What takes lines: `Server`."""

    def post(self, lines: bytes) -> Answer:
        """Sends lines once, from any thread."""

    def life(self) -> str | None:
        """What changes when the server starts anew; empty where it does not say, None without an answer."""


class Sending:
    """Sends all of a piece before the next one."""

    def __init__(
        self,
        server: Posts,
        waiting: Waiting,
        *,
        in_flight: int = IN_FLIGHT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server, self._waiting, self._monotonic = server, waiting, monotonic
        self._outcasts = Outcasts(monotonic)
        self._most = in_flight * (1 + _AHEAD)
        self._threads = ThreadPoolExecutor(in_flight, "copying")
        self.expiry = Expiry()

    def send(self, points: Points, names: Named) -> list[RefusedLine]:
        """What was refused, when all others are in the server; what is too old for it is not among them.
        Outages are waited for. Raises Stopped, Denied."""
        points = points[points.ts_ns > self.expiry.before_ns]
        refused: list[RefusedLine] = []
        under_way: deque[Future[list[RefusedLine]]] = deque()
        for body in bodies(points, names):
            under_way.append(self._threads.submit(self._carry, body.lines))
            if len(under_way) >= self._most:
                refused += under_way.popleft().result()
        for one in under_way:
            refused += one.result()
        return refused

    def close(self) -> None:
        """Lets go of threads. What is under way is answered first."""
        self._threads.shutdown(cancel_futures=True)

    def _carry(self, lines: bytes) -> list[RefusedLine]:
        while lines:
            answer = self._answer(lines)
            if isinstance(answer, Taken):
                return []
            if not self.expiry.is_why(answer):
                return self._without_refused(lines)
            young = self.expiry.apart(lines)
            if young == lines:
                self.expiry.learn(lines, self._answer)
                young = self.expiry.apart(lines)
            if young == lines:  # its words were not about age
                return self._without_refused(lines)
            lines = young
        return []

    def _without_refused(self, lines: bytes) -> list[RefusedLine]:
        putting, tries = Putting(lines), 0
        while deaf := putting.go_on(self._answer, self._outcasts):
            self._waiting.pause(deaf.why, tries, denied=deaf.denied)
            tries += 1
        return putting.refused

    def _answer(self, lines: bytes) -> Taken | Refused:
        """Asks until there is an answer."""
        tries = 0
        while isinstance(answer := self._server.post(lines), Later):
            self._waiting.pause(answer.why, tries, answer.wait_s, denied=answer.denied)
            tries += 1
        self._waiting.answered()
        return answer
