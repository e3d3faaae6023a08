"""One server: where requests go, what they carry, and what its answers mean.

InfluxDB 1.x is written to at `/write` with a database, newer ones and VictoriaMetrics at `/api/v2/write` with
organisation and bucket. Times are nanoseconds: 1.x takes that for granted, and 1.6 misreads words for other
units; VictoriaMetrics guesses unless it is told.

Answers:
* Taken: all of it is stored.
* Refused: some of it is not, for what it says; the rest may be stored or not.
* Later: nothing may be said of it; the same is to be sent again, not before `wait_s` where the server says.
"""

from __future__ import annotations

import base64
import gzip
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Final
from urllib.parse import urlencode

import urllib3

from ingest.store.influx.unanswered import Cause, unanswered

CONNECT_S: Final = 5.0
ANSWER_S: Final = 30.0
"""Chosen: InfluxDB gives up on a write itself after 10 s."""
LIFE_S: Final = 2.0
"""For an answer to a look at the server, during which nothing is written (chosen)."""
PROBE: Final = b"# gengfu\n"
"""A comment: a server checks who writes where, and stores nothing."""
LONGEST_WISH_S: Final = 300.0
"""How long a server may ask us to wait (chosen: history waits in the journal meanwhile, which is bounded)."""
_GZIP_LEVEL: Final = 1
_BODY_AT_FAULT: Final = frozenset({400, 413, 422})
_STARTED: Final = re.compile(rb"^(?:vm_app_start_timestamp|process_start_time_seconds) (\S+)", re.MULTILINE)
_SAID: Final = 300
"""Characters of a server's words that are kept."""
_PAGE: Final = re.compile(rb"\s*(?:<!doctype html|<html)", re.IGNORECASE)
_PAGE_BYTES: Final = 1 << 14
"""Of a web page that are searched for its title (chosen)."""
_TITLE: Final = re.compile(r"<title>([^<]*)</title>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Account:
    """How to get in at a server and where to write.

    With `database` it is written to as 1.x, else with `org` and `bucket`. Credentials are a token, or user
    and password.
    """

    url: str
    org: str = ""
    bucket: str = ""
    token: str = ""
    database: str = ""
    retention_policy: str = ""
    user: str = ""
    password: str = ""
    gzip: bool = False

    @property
    def target(self) -> str:
        """The address that lines are posted to. Holds no secret."""
        if self.database:
            to = {"db": self.database, "rp": self.retention_policy, "consistency": "one"}
            return f"{self.url.rstrip('/')}/write?{urlencode({k: v for k, v in to.items() if v})}"
        to = {"org": self.org, "bucket": self.bucket, "precision": "ns"}
        return f"{self.url.rstrip('/')}/api/v2/write?{urlencode(to)}"

    @property
    def headers(self) -> dict[str, str]:
        """With credentials."""
        headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "Gengfu"}
        if self.gzip:
            headers["Content-Encoding"] = "gzip"
        if self.token:
            headers["Authorization"] = f"Token {self.token}"
        elif self.user:
            both = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {both}"
        return headers


@dataclass(frozen=True, slots=True)
class Taken:
    """All of it is stored."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Something in it is refused."""

    why: str


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing may be said of it. `denied`: somebody has to set something right first. `cause` where there was
    no answer at all."""

    why: str
    wait_s: float | None = None
    denied: bool = False
    cause: Cause | None = None


Answer = Taken | Refused | Later
Post = Callable[[bytes], Answer]
"""Sends lines once."""


class Server:
    """Posts lines, from several threads at once. Raises nothing: every failure is an answer."""

    def __init__(self, account: Account, in_flight: int, *, answer_s: float = ANSWER_S) -> None:
        self._target, self._headers, self._gzip = account.target, account.headers, account.gzip
        self._metrics = f"{account.url.rstrip('/')}/metrics"
        self._pool = urllib3.PoolManager(
            maxsize=in_flight,
            block=True,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_S, read=answer_s),
        )

    def post(self, lines: bytes) -> Answer:
        """Sends lines once."""
        body = gzip.compress(lines, _GZIP_LEVEL) if self._gzip else lines
        try:
            reply = self._pool.request("POST", self._target, body=body, headers=self._headers, redirect=False)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            found = unanswered(error)
            return Later(str(found), cause=found.cause)
        return read_answer(reply.status, reply.headers.get("Retry-After", ""), reply.data, time())

    def life(self) -> str | None:
        """When the server started, as it says itself; another answer later means that it died in between.
        Empty where it does not say, None where it does not answer now."""
        try:
            reply = self._pool.request(
                "GET", self._metrics, headers=self._headers, redirect=False, timeout=LIFE_S
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            return None
        if reply.status >= 500:
            return None
        found = _STARTED.search(reply.data) if reply.status == 200 else None
        return found[1].decode(errors="replace") if found else ""

    def close(self) -> None:
        """Lets go of its connections."""
        self._pool.clear()


def read_answer(status: int, retry_after: str, body: bytes, now_s: float) -> Answer:
    """What an answer means; `now_s` is for a `Retry-After` that names an hour. Only 204 is a stored body: a
    page to log in comes with 200."""
    if status == 204:
        return Taken()
    said = words_of(body)
    why = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    if status in _BODY_AT_FAULT:
        return Refused(why)
    denied = status < 500 and status not in {408, 425, 429}
    return Later(why, _wait_s(retry_after, now_s), denied)


def words_of(body: bytes) -> str:
    """What somebody is shown of an answer: its beginning on one line, of a web page its title."""
    if not _PAGE.match(body):
        return _on_one_line(body[: 4 * _SAID])[:_SAID]
    title = _TITLE.search(_on_one_line(body[:_PAGE_BYTES]))
    return f"a web page, {title[1].strip()[:_SAID]!r}" if title else "a web page"


def _on_one_line(body: bytes) -> str:
    return re.sub(r"\s+", " ", body.decode(errors="replace")).strip()


def _wait_s(retry_after: str, now_s: float) -> float | None:
    """Seconds, or an HTTP date (RFC 9110); None for neither."""
    try:
        wait_s = float(retry_after)
    except ValueError:
        try:
            wait_s = parsedate_to_datetime(retry_after).timestamp() - now_s
        except (ValueError, TypeError):
            return None
    return None if math.isnan(wait_s) else min(max(wait_s, 0.0), LONGEST_WISH_S)
