"""Asking a server: for points, what it is, what it has. Bounded in bytes and time.

SeriesUnread           points cannot be read; the text says why and of which server, and holds no secret
├── Away               no answer, or one that says: not now
├── Refused            it does not give what is asked for: rights, a missing database or bucket, a limit
└── NotUnderstood      it answers with something else than points
    └── TooMuch        its answer is larger than what is taken into memory
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlencode

import urllib3

from ingest.store.history import SeriesUnread
from ingest.store.influx.product import METRICS_BYTES, Make, Product, product_of
from ingest.store.influx.server import CONNECT_S, Account, words_of
from ingest.store.influx.unanswered import unanswered

ANSWER_S: Final = 30.0
"""Between two pieces of an answer (chosen)."""
WHOLE_S: Final = 120.0
"""For a whole answer (chosen: a server that sends a little at a time does not hold us)."""
MOST_BYTES: Final = 64 << 20
"""Of one answer (chosen: some hundred thousand points)."""
_PIECE: Final = 1 << 16
_NOT_NOW: Final = frozenset({408, 425, 429})


class Away(SeriesUnread):
    """No answer, or not now."""


class Refused(SeriesUnread):
    """The server does not give it."""


class NotUnderstood(SeriesUnread):
    """That is no answer to the question."""


class TooMuch(NotUnderstood):
    """More than `most_bytes`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one answer."""

    connect_s: float = CONNECT_S
    answer_s: float = ANSWER_S
    whole_s: float = WHOLE_S
    most_bytes: int = MOST_BYTES


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Asking:
    """Questions to one server. Not for several threads at once."""

    def __init__(self, account: Account, limits: Limits = LIMITS) -> None:
        self.url = account.url.rstrip("/")
        self._limits = limits
        of_writing = {"Content-Type", "Content-Encoding"}
        self._headers = {key: said for key, said in account.headers.items() if key not in of_writing}
        self._pool = urllib3.PoolManager(
            retries=False, timeout=urllib3.Timeout(connect=limits.connect_s, read=limits.answer_s)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of its connections."""
        self._pool.clear()

    def get(self, path: str, words: Mapping[str, str]) -> bytes:
        """The whole answer to GET. Raises SeriesUnread."""
        return self._given(self._ask("GET", f"{path}?{urlencode(words)}"))

    def post(self, path: str, words: Mapping[str, str], body: bytes, kind: str) -> bytes:
        """The whole answer to POST of a body of this media type. Raises SeriesUnread."""
        return self._given(self.said(f"{path}?{urlencode(words)}", body, kind))

    def said(self, path: str, body: bytes | None, kind: str, method: str = "POST") -> Said:
        """What is answered, whatever the status. Raises Away, TooMuch."""
        return self._ask(method, path, body, {"Content-Type": kind})

    def ping(self) -> Mapping[str, str]:
        """What the server says of itself in headers. Raises Away where there is no answer."""
        return self._ask("GET", "/ping", first=0).headers

    def beginning(self, path: str, most: int) -> bytes:
        """The first `most` bytes of a page; none where there is no such page. Raises Away."""
        said = self._ask("GET", path, first=most)
        return said.body if said.status == 200 else b""

    def product(self) -> Product:
        """Which product answers. Raises Away where nothing does."""
        pinged = self.ping()
        found = product_of(pinged)
        if found.make != Make.UNKNOWN:
            return found
        return product_of(pinged, self.beginning("/metrics", METRICS_BYTES))

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        more: Mapping[str, str] | None = None,
        *,
        first: int | None = None,
    ) -> Said:
        """`first`: no more of the answer than so many bytes."""
        try:
            reply = self._pool.request(
                method,
                self.url + path,
                body=body,
                headers=self._headers | dict(more or {}),
                redirect=False,
                preload_content=False,
            )
            try:
                said = self._whole(reply) if first is None else self._first(reply, first)
            except BaseException:
                reply.close()
                raise
            reply.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Away(f"{self.url}: {unanswered(error)}") from None
        return Said(reply.status, reply.headers, said)

    def _whole(self, reply: urllib3.BaseHTTPResponse) -> bytes:
        said = bytearray()
        for piece in self._pieces(reply):
            said += piece
            if len(said) > self._limits.most_bytes:
                raise TooMuch(f"{self.url}: answers with more than {self._limits.most_bytes} bytes")
        return bytes(said)

    def _first(self, reply: urllib3.BaseHTTPResponse, most: int) -> bytes:
        """The connection is of no use any more where there is more."""
        said = bytearray()
        for piece in self._pieces(reply):
            said += piece
            if len(said) > most:
                reply.close()
                break
        return bytes(said[:most])

    def _pieces(self, reply: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        deadline = time.monotonic() + self._limits.whole_s
        while piece := reply.read1(_PIECE):
            yield piece
            if time.monotonic() > deadline:
                raise Away(f"{self.url}: no whole answer within {self._limits.whole_s:g} s")

    def _given(self, said: Said) -> bytes:
        if said.status != 200:
            raise _unread(self.url, said)
        return said.body


def _unread(url: str, said: Said) -> SeriesUnread:
    text = words_of(said.body)
    why = f"{url}: HTTP {said.status}: {text}" if text else f"{url}: HTTP {said.status}"
    if said.status >= 500 or said.status in _NOT_NOW:
        return Away(why)
    return Refused(why) if said.status >= 400 else NotUnderstood(why)
