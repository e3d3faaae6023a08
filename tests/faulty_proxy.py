"""A way to a server that can be cut, slowed down, or stay open and be of no use."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass

LOOK_S = 0.02
"""So soon an idle line sees that it is over."""
LIFETIME_S = 300.0
"""No line lasts longer: what a test forgot ends by itself."""
PIECE = 65536


@dataclass(frozen=True)
class Fault:
    """What befalls all lines while it holds.

    `refuse` resets new ones at once. With `deaf` nothing more is read from clients. With `swallow` what they
    send arrives and the answers are lost. Each piece of an answer waits `delay_s`.
    """

    refuse: bool = False
    deaf: bool = False
    swallow: bool = False
    delay_s: float = 0.0


NONE = Fault()


class FaultyProxy:
    """Passes bytes on to a loopback port; `fault` may be changed at any time and holds for open lines too.

    `cut_after` and `cut_sent_after` hold one number for each line to come: it is cut after so many bytes from
    the server, or to it. A cut is a reset in both directions, as when a machine dies.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.fault = NONE
        self.cut_after: list[int] = []
        self.cut_sent_after: list[int] = []
        self.connections = 0
        self.swallowed = 0
        """Bytes of answers that nobody got."""
        self._lines: list[_Line] = []
        self._stop, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Every line that is open now."""
        for line in list(self._lines):
            line.cut()

    def _run(self) -> None:
        while self._woken not in select.select([self._listener, self._woken], [], [])[0]:
            client, _ = self._listener.accept()
            if self.fault.refuse:
                _reset(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target), 10)
            except OSError:
                client.close()
                continue
            self.connections += 1
            self._lines = [line for line in self._lines if line.alive]
            self._lines.append(_Line(self, client, server))

    def __enter__(self) -> FaultyProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.send(b"x")
        self._thread.join()
        self.cut()
        for line in self._lines:
            line.join()
        for one in (self._listener, self._stop, self._woken):
            one.close()


class _Line:
    """A client's connection and its other half, a thread for each direction: neither waits for the other."""

    def __init__(self, proxy: FaultyProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._over = threading.Event()
        self._was_cut = False
        self._until = time.monotonic() + LIFETIME_S
        sent = proxy.cut_sent_after.pop(0) if proxy.cut_sent_after else None
        answered = proxy.cut_after.pop(0) if proxy.cut_after else None
        self._back = threading.Thread(target=self._pump, args=(server, client, answered), daemon=True)
        self._thread = threading.Thread(target=self._live, args=(sent,), daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def cut(self) -> None:
        self._was_cut = True
        self._over.set()

    def join(self) -> None:
        self._thread.join()

    def _live(self, sent: int | None) -> None:
        self._back.start()
        self._pump(self._client, self._server, sent)
        self._back.join()
        for one in (self._client, self._server):
            if self._was_cut:
                _reset(one)
            one.close()

    def _pump(self, source: socket.socket, target: socket.socket, left: int | None) -> None:
        """Until an end closes, which takes the other with it."""
        with contextlib.suppress(OSError):
            while self._ready(source, target, reading=True):
                if source is self._client and self._proxy.fault.deaf:
                    self._over.wait(LOOK_S)
                    continue
                data = source.recv(PIECE)
                if not data:
                    break
                if source is self._server and self._lost(data):
                    continue
                self._send(data if left is None else data[:left], source, target)
                if left is not None and (left := left - len(data)) <= 0:
                    self.cut()
        self._over.set()

    def _lost(self, answer: bytes) -> bool:
        """Whether it is swallowed; else it has waited as long as it should."""
        fault = self._proxy.fault
        if fault.swallow:
            self._proxy.swallowed += len(answer)
        else:
            self._over.wait(fault.delay_s)
        return fault.swallow

    def _send(self, data: bytes, source: socket.socket, target: socket.socket) -> None:
        while data and self._ready(source, target, reading=False):
            data = data[target.send(data, socket.MSG_DONTWAIT) :]

    def _ready(self, source: socket.socket, target: socket.socket, *, reading: bool) -> bool:
        """Waits until there is something to read, or room to write; false when the line is over."""
        while not self._over.is_set() and time.monotonic() < self._until:
            wanted = ([source], []) if reading else ([], [target])
            if any(select.select(*wanted, [], LOOK_S)):
                return True
        return False


def _reset(one: socket.socket) -> None:
    """What the other end sees is a reset, not an end."""
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    one.close()
