"""HTTP for every channel that speaks it: two sessions that share nothing, and answers as values.

Answers:
* Reply: a 2xx with its body.
* Failed: everything else, with a reason that never holds the address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp
import msgspec

from alerts.channels.channel import Failed
from alerts.channels.resolver import LaneResolver

TIMEOUT_S: Final = 8.0
"""Below the sender's own bound, so that a silent provider gets a reason of ours (chosen)."""
_CONNECT_S: Final = 4.0
_IDLE_S: Final = 2.0
"""A connection is used again only this soon: servers drop idle ones after 5 s or more, and a POST on a
dropped connection would cost an urgent message its first try."""
_BODY_LIMIT: Final = 65_536
_PASSING: Final = frozenset({408, 425, 429})
"""Client errors that say "not now" and not "never" (RFC 9110, RFC 8470, RFC 6585)."""
_LONGEST_WISH_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A 2xx. `body` is whole, or its first 64 KiB: then it is no vendor's short answer.

    `refused` is what a status other than 2xx says by itself, where such an answer was asked for.
    """

    status: int
    body: bytes
    refused: Failed | None = None

    def object(self) -> dict[str, Any] | None:
        """The body as a JSON object; None for anything else."""
        try:
            answer = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return answer if isinstance(answer, dict) else None


class Http:
    """Requests through two sessions, urgent and lesser, that share no connection and no look-up thread.

    How many run at once is the caller's bound. Redirects are not followed: a message goes to the address it
    was meant for and nowhere else.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(_CONNECT_S, timeout_s))
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._resolvers: list[LaneResolver] = []

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, urgent: bool
    ) -> Reply | Failed:
        """POSTs once."""
        return await self.ask("POST", url, body, headers, urgent=urgent)

    async def ask(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        urgent: bool,
        read_refusals: bool = False,
    ) -> Reply | Failed:
        """Asks once. Never raises but CancelledError.

        `read_refusals`: any status is a Reply, for vendors whose error code stands in the body of a 4xx.
        """
        try:
            async with self._session(urgent).request(
                method, url, data=body, headers=dict(headers), allow_redirects=False
            ) as response:
                if response.status // 100 != 2:
                    refused = _refused(response.status, response.headers.get("Retry-After", ""))
                    if not read_refusals:
                        return refused
                    return Reply(response.status, await _read_bounded(response), refused)
                return Reply(response.status, await _read_bounded(response))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _failure(error)

    async def close(self) -> None:
        """Closes both sessions and their connections."""
        for session in self._sessions.values():
            await session.close()
        for resolver in self._resolvers:
            await resolver.close()
        self._sessions.clear()
        self._resolvers.clear()

    def _session(self, urgent: bool) -> aiohttp.ClientSession:
        if urgent not in self._sessions:
            resolver = LaneResolver("urgent" if urgent else "lesser")
            self._resolvers.append(resolver)
            connector = aiohttp.TCPConnector(
                limit=0, keepalive_timeout=_IDLE_S, ttl_dns_cache=60, resolver=resolver
            )
            self._sessions[urgent] = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._sessions[urgent]


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(8192):
        body += chunk
        if len(body) > _BODY_LIMIT:
            response.close()
            break
    return bytes(body)


def _refused(status: int, retry_after: str) -> Failed:
    permanent = 400 <= status < 500 and status not in _PASSING
    return Failed(f"HTTP {status}", permanent, retry_after_s(retry_after, datetime.now(UTC)))


def retry_after_s(value: str, now: datetime) -> float:
    """Seconds asked for by a Retry-After header (RFC 9110: seconds or a date); 0 for none or nonsense."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_WISH_S)
    try:
        at = parsedate_to_datetime(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        return min(max((at - now).total_seconds(), 0.0), _LONGEST_WISH_S)
    except (ValueError, OverflowError):
        return 0.0


def short_code(code: object) -> str:
    """A vendor's error code where it looks like one; its free text may repeat the address."""
    text = str(code)
    return text if re.fullmatch(r"-?[A-Za-z0-9._]{1,60}", text) else "not zero"


def _failure(error: Exception) -> Failed:
    """A short reason by kind of error: the error's own text may hold the address."""
    match error:
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return Failed("the address is not a web address", permanent=True, unreached=True)
        case TimeoutError():
            return Failed("no answer in time")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return Failed("the secure connection failed", unreached=True)
        case aiohttp.ClientConnectorDNSError():
            return Failed("the host name was not found", unreached=True)
        case aiohttp.ClientConnectorError():
            return Failed("no connection", unreached=True)
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | ConnectionError():
            return Failed("the connection broke off")
        case _:
            return Failed(f"could not be sent ({type(error).__name__})")
