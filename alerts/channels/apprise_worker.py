"""The Apprise process: `python -m alerts.channels.apprise_worker`.

Reads orders from stdin and answers on stdout (`apprise_lines`); ends at once when stdin closes. Apprise
gets a process of its own because a send keeps its thread even when nobody waits for it any more, and
because more than 100 plugins are more code than the alerts process should trust with its life.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, Final

import msgspec
from apprise import Apprise, AppriseAsset, NotifyBase, NotifyType

from alerts.channels.apprise_lines import READY, Done, Drop, Order, Send, threads
from alerts.channels.apprise_sessions import keep_connections

_TO_LOAD_PLUGINS: Final = "json://localhost"
_MEMORY: Final = 1 << 30
"""Bytes of data this process may hold (chosen: some 60 MB and the stacks of 32 threads are ordinary).
Apprise reads an answer to its end, so that one without end would take all memory: beyond this that send
fails, or this process, which is started again."""


class Desk:
    """Takes orders and answers each that was begun, from threads, one whole line at a time."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self._lock = threading.Lock()
        self._pools = {urgent: ThreadPoolExecutor(threads(urgent)) for urgent in (True, False)}
        self._futures: dict[int, Future[None]] = {}
        self._asset = AppriseAsset(app_id="Gengfu", app_desc="Gengfu", app_url="", http_redirects=False)

    def take(self, order: Order) -> None:
        """Queues a send, or drops one that has not begun."""
        match order:
            case Send():
                future = self._pools[order.urgent].submit(self._carry_out, order)
                self._futures[order.id] = future
                future.add_done_callback(lambda _: self._futures.pop(order.id, None))
            case Drop():
                future_or_none = self._futures.get(order.id)
                if future_or_none is not None and future_or_none.cancel():
                    self.answer(Done(order.id, "dropped"))

    def _carry_out(self, order: Send) -> None:
        try:
            done = _notify(order, self._asset)
        except Exception as error:  # a plugin's fault is this one message's fault
            done = Done(order.id, f"apprise raised {type(error).__name__}")
        self.answer(done)

    def answer(self, done: Done) -> None:
        """Says one line."""
        line = msgspec.json.encode(done) + b"\n"
        with self._lock:
            self._answers.write(line)
            self._answers.flush()


def _notify(order: Send, asset: AppriseAsset) -> Done:
    """One object for each send: an Apprise object sleeps 5.5 s between two of its own."""
    service = Apprise.instantiate(order.url, asset=asset)
    if not isinstance(service, NotifyBase):
        return Done(order.id, "apprise does not know such an address", permanent=True)
    service.request_rate_per_sec = 0
    kind = NotifyType.FAILURE if order.urgent else NotifyType.WARNING
    if service.notify(body=order.body, title=order.title, notify_type=kind):
        return Done(order.id)
    return Done(order.id, "the provider refused or did not answer")


def _bound_memory() -> None:
    """Where the system can."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415  not on every system

        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))


def main() -> None:
    """Serves until stdin closes; what is under way then is left, for whoever asked is gone."""
    _bound_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the group; the end of stdin ends us
    logging.disable(logging.CRITICAL)  # Apprise logs whole URLs, and an address is personal data
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a plugin that prints cannot break the lines
    Apprise.instantiate(_TO_LOAD_PLUGINS)  # loads all plugins, once, before there are threads
    keep_connections()
    desk = Desk(answers)
    desk.answer(Done(READY))
    orders = msgspec.json.Decoder(Order)
    for line in sys.stdin.buffer:
        desk.take(orders.decode(line))
    os._exit(0)  # a normal exit would wait for threads that may hang


if __name__ == "__main__":
    main()
