"""Asking a server for points, bounded in bytes and time.

SeriesUnread           points cannot be read; the text says why and of which server, and holds no secret
├── Away               no answer, or one that says: not now
├── Refused            it does not give what is asked for: rights, a missing database or bucket, a limit
└── NotUnderstood      it answers with something else than points
    └── TooMuch        its answer is larger than what is taken into memory
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlencode

import urllib3

from ingest.store.influx.server import CONNECT_S, Account

ANSWER_S: Final = 30.0
"""Between two pieces of an answer (chosen)."""
WHOLE_S: Final = 120.0
"""For a whole answer (chosen: a server that sends a little at a time does not hold us)."""
MOST_BYTES: Final = 64 << 20
"""Of one answer (chosen: some hundred thousand points)."""
_PIECE: Final = 1 << 16
_SAID: Final = 300
_NOT_NOW: Final = frozenset({408, 425, 429})


class SeriesUnread(Exception):
    """Points cannot be read."""


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
        return self._ask("GET", f"{path}?{urlencode(words)}")[1]

    def post(self, path: str, words: Mapping[str, str], body: bytes, kind: str) -> bytes:
        """The whole answer to POST of a body of this media type. Raises SeriesUnread."""
        return self._ask("POST", f"{path}?{urlencode(words)}", body, {"Content-Type": kind})[1]

    def ping(self) -> Mapping[str, str]:
        """What the server says of itself in headers. Raises Away where there is no answer."""
        return self._ask("GET", "/ping", any_status=True)[0]

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        more: Mapping[str, str] | None = None,
        *,
        any_status: bool = False,
    ) -> tuple[Mapping[str, str], bytes]:
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
                said = self._whole(reply)
            except BaseException:
                reply.close()
                raise
            reply.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Away(f"{self.url}: no answer from the server ({type(error).__name__})") from None
        if reply.status != 200 and not any_status:
            raise _unread(self.url, reply.status, said)
        return reply.headers, said

    def _whole(self, reply: urllib3.BaseHTTPResponse) -> bytes:
        deadline = time.monotonic() + self._limits.whole_s
        said = bytearray()
        while piece := reply.read1(_PIECE):
            said += piece
            if len(said) > self._limits.most_bytes:
                raise TooMuch(f"{self.url}: answers with more than {self._limits.most_bytes} bytes")
            if time.monotonic() > deadline:
                raise Away(f"{self.url}: no whole answer within {self._limits.whole_s:g} s")
        return bytes(said)


def _unread(url: str, status: int, said: bytes) -> SeriesUnread:
    text = re.sub(r"\s+", " ", said[: 4 * _SAID].decode(errors="replace")).strip()[:_SAID]
    why = f"{url}: HTTP {status}: {text}" if text else f"{url}: HTTP {status}"
    if status >= 500 or status in _NOT_NOW:
        return Away(why)
    return Refused(why) if status >= 400 else NotUnderstood(why)
