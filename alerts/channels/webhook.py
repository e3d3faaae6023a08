"""A webhook: the message as JSON, POSTed to the contact's URL.

The body is an object of `key`, `medium` (how the person is reached: push, sms, …), `severity` (`P0+`, `P0`,
`P1`, …, empty where the sender did not say), `text`, `link`, `urgent`, `language` (`zh-CN` or `en`) and
`parts`, the pieces of the text by the names of `alerts.channels.channel.PARTS`. The header
`Idempotency-Key` carries the key, so that a receiver can drop a repeat: the same key is the same message,
however often it is tried.

Where a secret follows the URL after `#`, requests are signed as Standard Webhooks 1.0.0 says
(github.com/standard-webhooks, spec/standard-webhooks.md): `webhook-id` is the key, `webhook-timestamp` the
seconds since 1970 of this try, `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over
`{id}.{timestamp}.{body}`. A secret that begins with `whsec_` is the base64 of its bytes, as that
specification writes it; any other text is taken as it stands, in UTF-8. Receivers refuse what is more than
5 minutes off.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from typing import Final

import msgspec

from alerts.channels.addressed import split_secret, whole
from alerts.channels.channel import Message, Outcome
from alerts.channels.http import TIMEOUT_S, Http, Reply
from alerts.channels.plain_answers import judge

_PREFIX: Final = "whsec_"


class WebhookChannel:
    """POSTs to whatever address the contact gave. `clock` gives seconds since 1970."""

    def __init__(self, timeout_s: float = TIMEOUT_S, clock: Callable[[], float] = time.time) -> None:
        self._http = Http(timeout_s)
        self._clock = clock

    async def send(self, message: Message) -> Outcome:
        """POSTs once. Never raises but CancelledError; reasons never hold address or secret."""
        url, secret = split_secret(message.address)
        body = _body(message)
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.key}
        if secret:
            headers |= signature(secret, message.key, int(self._clock()), body)
        reply = await self._http.post(url, body, headers, urgent=message.urgent)
        return judge(reply) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.close()


def signature(secret: str, key: str, now_s: int, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks. `key` is ours and holds no full stop."""
    signed = f"{key}.{now_s}.".encode() + body
    digest = hmac.digest(_secret_bytes(secret), signed, "sha256")
    return {
        "webhook-id": key,
        "webhook-timestamp": str(now_s),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _secret_bytes(secret: str) -> bytes:
    """A `whsec_` that is no base64 is taken as it stands: the message goes out, and a receiver that checks
    says no, which the operator sees."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    text = secret.removeprefix(_PREFIX)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True) or secret.encode()
    except (binascii.Error, ValueError):
        return secret.encode()


def _body(message: Message) -> bytes:
    return msgspec.json.encode(
        {
            "key": message.key,
            "medium": message.medium,
            "severity": whole(message.parts.get("severity", "")),
            "text": whole(message.text),
            "link": whole(message.link),
            "urgent": message.urgent,
            "language": message.language,
            "parts": {name: whole(part) for name, part in message.parts.items()},
        }
    )
