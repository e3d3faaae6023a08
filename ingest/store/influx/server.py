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
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from threading import Lock
from time import monotonic, time
from typing import Final
from urllib.parse import urlencode

import urllib3

from ingest.store.influx.unanswered import Cause, unanswered
from ingest.store.influx.under_way import UnderWay, seen

CONNECT_S: Final = 5.0
ANSWER_S: Final = 30.0
"""Chosen: InfluxDB gives up on a write itself after 10 s."""
WHOLE_S: Final = 120.0
"""For a request and its whole answer (chosen: who sends a little at a time does not hold us. A body that does
not get there in this time is cut)."""
MOST_BYTES: Final = 1 << 16
METRICS_BYTES: Final = 4 << 20
"""What is read of an answer, and of a page of metrics (chosen)."""
LIFE_S: Final = 2.0
"""For an answer to a look at the server, during which nothing is written (chosen)."""
PROBE: Final = b"# gengfu\n"
"""A comment: a server checks who writes where, and stores nothing."""
LONGEST_WISH_S: Final = 300.0
"""How long a server may ask us to wait (chosen: history waits in the journal meanwhile, which is bounded)."""
RENEW_S: Final = 30.0
"""How long after one look for another account the next one is, at least (chosen)."""
_PIECE: Final = 1 << 16
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
    """Posts lines, from several threads at once. Raises nothing: every failure is an answer.

    Where it is denied, `renew` is asked for the account anew, at most once in `RENEW_S`: somebody may have
    put another token into the file. It may raise OSError or ValueError; then the account stays as it is.
    """

    def __init__(
        self,
        account: Account,
        in_flight: int,
        *,
        answer_s: float = ANSWER_S,
        whole_s: float = WHOLE_S,
        renew: Callable[[], Account] | None = None,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        self._account, self._renew, self._monotonic = account, renew, monotonic
        self._renewing, self._renewed_s = Lock(), float("-inf")
        self._under_way, self._whole_s = UnderWay(), whole_s
        self._pool = seen(
            urllib3.PoolManager(
                maxsize=in_flight,
                block=True,
                retries=False,
                timeout=urllib3.Timeout(connect=CONNECT_S, read=answer_s),
            )
        )

    def post(self, lines: bytes) -> Answer:
        """Sends lines once; once more where they were denied and there is another account by now."""
        account = self._account
        answer = self._post(lines, account)
        if isinstance(answer, Later) and answer.denied and (other := self._other_than(account)):
            return self._post(lines, other)
        return answer

    def _post(self, lines: bytes, account: Account) -> Answer:
        body = gzip.compress(lines, _GZIP_LEVEL) if account.gzip else lines
        try:
            with self._under_way.within(self._whole_s):
                reply = self._pool.request(
                    "POST",
                    account.target,
                    body=body,
                    headers=account.headers,
                    redirect=False,
                    preload_content=False,
                )
                said = _beginning(reply, MOST_BYTES)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            found = unanswered(error)
            return Later(str(found), cause=found.cause)
        return read_answer(reply.status, reply.headers.get("Retry-After", ""), said, time())

    def _other_than(self, denied: Account) -> Account | None:
        """The account that holds now, of this thread's asking or another's; None where it is this one."""
        with self._renewing:
            if self._renew and self._account == denied and self._may_renew():
                with suppress(OSError, ValueError):  # half written, or gone: the next look is in `RENEW_S`
                    self._account = self._renew()
            return self._account if self._account != denied else None

    def _may_renew(self) -> bool:
        now_s = self._monotonic()
        due = now_s - self._renewed_s >= RENEW_S
        self._renewed_s = now_s if due else self._renewed_s
        return due

    def life(self) -> str | None:
        """When the server started, as it says itself; another answer later means that it died in between.
        Empty where it does not say, None where it does not answer now."""
        try:
            metrics = f"{self._account.url.rstrip('/')}/metrics"
            with self._under_way.within(LIFE_S):
                reply = self._pool.request(
                    "GET",
                    metrics,
                    headers=self._account.headers,
                    redirect=False,
                    timeout=LIFE_S,
                    preload_content=False,
                )
                said = _beginning(reply, METRICS_BYTES)
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            return None
        if reply.status >= 500:
            return None
        found = _STARTED.search(said) if reply.status == 200 else None
        return found[1].decode(errors="replace") if found else ""

    def close(self) -> None:
        """Lets go of its connections; from any thread. What is under way, or begins later, gets no answer."""
        self._under_way.close()
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


def _beginning(reply: urllib3.BaseHTTPResponse, most: int) -> bytes:
    """No more than so many bytes of an answer; where there is more the connection is closed. In any case the
    pool has it back: it waits for its connections."""
    said, whole = bytearray(), False
    try:
        while len(said) < most and not whole:
            piece = reply.read1(_PIECE, decode_content=False)
            said, whole = said + piece, not piece
    finally:
        if not whole:
            reply.close()
        reply.release_conn()
    return bytes(said[:most])


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
