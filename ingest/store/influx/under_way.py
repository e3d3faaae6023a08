"""Requests that end at a time, whatever the other side does: a byte of a header a second would else hold one
for ever, for every byte that comes is an answer in time.

Who asks says how long the whole may take; another thread ends the connection then. A connection's second
handle is held for that, for TLS takes the first one over.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_LOOK_S: Final = 0.5
"""Between two looks at what is under way, and so how much later than wanted it ends (chosen)."""


class _Request:
    """One of a thread's, and the connection that it uses."""

    def __init__(self, until_s: float) -> None:
        self.until_s, self.ended = until_s, False
        self._handle: socket.socket | None = None
        self._left: list[socket.socket] = []
        self._lock = threading.Lock()

    def use(self, handle: socket.socket) -> None:
        with self._lock:
            self._handle = handle
            if self.ended:
                _shut(handle)

    def leave(self, handle: socket.socket) -> None:
        """The connection is closed, but its answer may still be read."""
        self._left.append(handle)

    def end(self) -> None:
        with self._lock:
            self.ended = True
            if self._handle:
                _shut(self._handle)

    def over(self) -> None:
        with self._lock:
            self._handle = None
        for handle in self._left:
            handle.close()


class _OfThread(threading.local):
    request: _Request | None = None


_of_this_thread = _OfThread()


class UnderWay:
    """The requests of one server. For several threads."""

    def __init__(self) -> None:
        self._requests: set[_Request] = set()
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._looks: threading.Thread | None = None

    @contextmanager
    def within(self, whole_s: float) -> Iterator[None]:
        """What a pool of `seen` does here in this thread takes no longer. Raises TimeoutError where it did,
        and after `close`."""
        request = self._begin(time.monotonic() + whole_s)
        try:
            yield
        except Exception:
            if request.ended:
                raise TimeoutError from None
            raise
        finally:
            with self._lock:
                self._requests.discard(request)
            _of_this_thread.request = None
            request.over()
        if request.ended:
            raise TimeoutError

    def close(self) -> None:
        """Ends all there are, and each that begins later."""
        with self._lock:
            self._closed.set()
            for request in self._requests:
                request.end()

    def _begin(self, until_s: float) -> _Request:
        request = _Request(until_s)
        with self._lock:
            if self._closed.is_set():
                raise TimeoutError
            self._requests.add(request)
            if self._looks is None:
                self._looks = threading.Thread(target=self._look, name="ends requests", daemon=True)
                self._looks.start()
        _of_this_thread.request = request
        return request

    def _look(self) -> None:
        while not self._closed.wait(_LOOK_S):
            now_s = time.monotonic()
            with self._lock:
                for request in self._requests:
                    if now_s > request.until_s:
                        request.end()


def seen(pool: PoolManager) -> PoolManager:
    """The same, with connections that can be ended from outside."""
    pool.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
    return pool


class _Seen(HTTPConnection):
    """Says which connection a thread uses."""

    _handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        self._handle = made.dup()
        self._say()
        return made

    def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as urllib3 has them
        self._say()
        super().request(*args, **kwargs)

    def close(self) -> None:
        super().close()
        handle, self._handle = self._handle, None
        if handle:
            request = _of_this_thread.request
            (request.leave if request else socket.socket.close)(handle)

    def _say(self) -> None:
        if self._handle and _of_this_thread.request:
            _of_this_thread.request.use(self._handle)


class _Tls(_Seen, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Seen


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


def _shut(handle: socket.socket) -> None:
    """Closes nothing: who reads from it finds its end."""
    with suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)
