"""The loop of the load generator: when to send, when to read, when to reconnect, when to stop."""

from __future__ import annotations

import selectors
import time
from typing import Final

from simulators.publisher import Publisher
from simulators.wire import DISCONNECT, BrokerRefused

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0
"""Between attempts to reconnect: doubled from the first to the longest (chosen)."""
READ_S: Final = 0.005
"""How often acknowledgements are read while nothing waits for them (chosen): the kernel holds them, and
reading a few at each tick costs as much as sending."""


class Pacing:
    """Drives publishers through one run in the calling thread. Reads the clock; that is its job.

    After `run`: `sent_s` is when the last message was with the kernel, `ended_s` when the last
    acknowledgement came or the time was over, both in seconds after the start.
    """

    def __init__(
        self, publishers: list[Publisher], seconds: float, drain_s: float, batch: int, tick_s: float
    ) -> None:
        self._publishers = publishers
        self._seconds, self._drain_s, self._batch, self._tick_s = seconds, drain_s, batch, tick_s
        self._selector = selectors.DefaultSelector()
        self._pause_s: dict[Publisher, float] = {}
        self._retry_at_s: dict[Publisher, float] = {}
        self._start_s = 0.0
        self._start_ms = 0
        self._draining = False
        self._read_at_s = 0.0
        self._late: list[Publisher] = []
        self.reconnects = 0
        self.sent_s = 0.0
        self.ended_s = 0.0

    def run(self) -> None:
        """Opens all connections, then sends until the time or the messages are over, then drains.

        Raises OSError or BrokerRefused when a connection cannot be opened at the start.
        """
        try:
            for publisher in self._publishers:
                publisher.open()
                self._watch(publisher)
            self._start_s, self._start_ms = time.perf_counter(), time.time_ns() // 1_000_000
            while not self._turn():
                pass
        finally:
            for publisher in self._publishers:
                publisher.close(DISCONNECT)
            self._selector.close()

    def _elapsed_s(self) -> float:
        return time.perf_counter() - self._start_s

    def _turn(self) -> bool:
        """One round over all connections; True when the run is over."""
        self._read()
        elapsed_s = self._elapsed_s()
        last = elapsed_s >= self._seconds and not self._draining
        late: list[Publisher] = []
        for publisher in self._publishers:
            if publisher.socket is None:
                self._reopen(publisher, elapsed_s)
            elif publisher.sending or not self._draining:
                taken = self._send(publisher, elapsed_s)
                while last and taken and publisher.paced and publisher.late(elapsed_s):
                    taken = self._send(publisher, elapsed_s)
            if publisher.socket is not None and publisher.late(elapsed_s):
                late.append(publisher)
        self._late = late
        self._draining = elapsed_s >= self._seconds  # from the next turn on: this one sent all that was due
        return self._over(elapsed_s)

    def _over(self, elapsed_s: float) -> bool:
        if elapsed_s >= self._seconds + self._drain_s or all(each.done for each in self._publishers):
            return True
        return self._draining and all(not each.sending and not each.unanswered for each in self._publishers)

    def _read(self) -> None:
        """Waits, then reads what has come.

        When the last round left nothing over it sleeps a tick, so that messages and acknowledgements move in
        bunches and not one by one (which took 25 us a message); so it does when the kernel's buffer, which
        holds thousands of messages, is full. Where the window is full each acknowledgement counts.
        """
        wait_s = 0.0
        if self._draining or all(each.sending for each in self._late):
            time.sleep(self._tick_s)
            elapsed_s = self._elapsed_s()
            if not self._draining and elapsed_s < self._read_at_s:
                return
            self._read_at_s = elapsed_s + READ_S
        elif not any(each.room > 0 and not each.sending for each in self._late):
            wait_s = self._tick_s
        for key, mask in self._selector.select(wait_s):
            if mask & selectors.EVENT_READ:
                self._receive(key.data)

    def _receive(self, publisher: Publisher) -> None:
        try:
            publisher.receive()
            self.ended_s = self._elapsed_s()
        except (OSError, BrokerRefused):
            self._lost(publisher)

    def _send(self, publisher: Publisher, elapsed_s: float) -> int:
        """Sends what is due, one batch of it at most; returns the bytes that the kernel took."""
        was_sending = publisher.sending
        try:
            taken = publisher.send(elapsed_s, self._start_ms, self._batch, self._elapsed_s)
        except OSError:
            self._lost(publisher)
            return 0
        if taken:
            self.sent_s = self.ended_s = self._elapsed_s()
        if publisher.sending != was_sending:
            self._watch(publisher)
        return taken

    def _watch(self, publisher: Publisher) -> None:
        """Reading is always of interest, writing only while the kernel's buffer is full."""
        assert publisher.socket is not None
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if publisher.sending else 0)
        if publisher.socket in self._selector.get_map():
            self._selector.modify(publisher.socket, events, publisher)
        else:
            self._selector.register(publisher.socket, events, publisher)

    def _lost(self, publisher: Publisher) -> None:
        if publisher.socket is not None:
            self._selector.unregister(publisher.socket)
            publisher.close()
        pause_s = self._pause_s.get(publisher, FIRST_PAUSE_S)
        self._retry_at_s[publisher] = self._elapsed_s() + pause_s
        self._pause_s[publisher] = min(pause_s * 2, LONGEST_PAUSE_S)

    def _reopen(self, publisher: Publisher, elapsed_s: float) -> None:
        """Tries again when its pause is over. The connections wait for each other meanwhile: a broker that is
        away is away for all."""
        if elapsed_s < self._retry_at_s[publisher]:
            return
        try:
            publisher.open()
        except (OSError, BrokerRefused):
            self._lost(publisher)
            return
        self.reconnects += 1
        self._pause_s.pop(publisher, None)
        self._watch(publisher)
