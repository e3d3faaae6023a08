"""A webhook: the message as JSON, POSTed to the contact's URL.

The body is `{"key", "medium", "text", "link", "urgent"}`; the header `Idempotency-Key` carries the key so
that a receiver can drop a repeat. Requests are not signed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
import msgspec

from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.resolver import LaneResolver

_TIMEOUT_S: Final = 8.0
"""Below the sender's own bound, so that a silent provider gets a reason of ours (chosen)."""
_CONNECT_S: Final = 4.0
_IDLE_S: Final = 2.0
"""A connection is used again only this soon: servers drop idle ones after 5 s or more, and a POST on a
dropped connection would cost an urgent message its first try."""
_BODY_LIMIT: Final = 65_536
_PASSING: Final = frozenset({408, 425, 429})
"""Client errors that say "not now" and not "never" (RFC 9110, RFC 8470, RFC 6585)."""
_LONGEST_WISH_S: Final = 86_400.0


class WebhookChannel:
    """Sends through two sessions, urgent and lesser, that share no connection and no look-up thread.

    How many sends run at once is the caller's bound. Redirects are not followed: a message goes to the
    address the contact gave and nowhere else.
    """

    def __init__(self, timeout_s: float = _TIMEOUT_S) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(_CONNECT_S, timeout_s))
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._resolvers: list[LaneResolver] = []

    async def send(self, message: Message) -> Outcome:
        """POSTs once. Reasons never hold the address."""
        try:
            async with self._session(message.urgent).post(
                message.address,
                data=_body(message),
                headers={"Content-Type": "application/json", "Idempotency-Key": message.key},
                allow_redirects=False,
            ) as response:
                if response.status // 100 != 2:
                    return _refused(response.status, response.headers.get("Retry-After", ""))
                return _judge(await _read_bounded(response))
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


def _body(message: Message) -> bytes:
    return msgspec.json.encode(
        {
            "key": message.key,
            "medium": message.medium,
            "text": message.text,
            "link": message.link,
            "urgent": message.urgent,
        }
    )


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    """The body, or its first 64 KiB: then it is no vendor's short answer and is not judged."""
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
    except ValueError:
        return 0.0
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), _LONGEST_WISH_S)


def _judge(body: bytes) -> Outcome:
    """What a 2xx answer means: many vendors refuse with 200 and an error code in the JSON body."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Accepted()
    if not isinstance(answer, dict):
        return Accepted()
    for name in ("errcode", "code"):
        if name in answer and not _is_success(answer[name]):
            return Failed(f"{name} {_short(answer[name])}")
    if answer.get("ok") is False:
        return Failed("ok false")
    return Accepted()


def _is_success(code: object) -> bool:
    """0 in its spellings; 200 and "ok" too, with which some vendors repeat the HTTP status in the body."""
    return code is None or str(code).strip().lower() in {"", "0", "0.0", "false", "200", "ok", "success"}


def _short(code: object) -> str:
    """The code where it looks like one; a vendor's free text may repeat the address."""
    text = str(code)
    return text if re.fullmatch(r"-?[A-Za-z0-9._]{1,40}", text) else "not zero"


def _failure(error: Exception) -> Failed:
    """A short reason by kind of error: the error's own text may hold the address."""
    match error:
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return Failed("the address is not a web address", permanent=True)
        case TimeoutError():
            return Failed("no answer in time")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return Failed("the secure connection failed")
        case aiohttp.ClientConnectorDNSError():
            return Failed("the host name was not found")
        case aiohttp.ClientConnectorError():
            return Failed("no connection")
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | ConnectionError():
            return Failed("the connection broke off")
        case _:
            return Failed(f"could not be sent ({type(error).__name__})")
