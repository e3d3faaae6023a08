"""A Feishu or Lark group, through a custom bot.

The address is the URL that the app shows for the bot (`https://open.feishu.cn/open-apis/bot/v2/hook/…`,
Lark: `https://open.larksuite.com/open-apis/bot/v2/hook/…`); where the bot verifies signatures, its secret
follows after `#`. A list of our IP addresses works too; keywords do not suit, because no word is in all our
messages.

Messages are plain text without mentions: whether a group that keeps "@all" to its owner refuses such a
message is not verified, and a refused fire is worse than a quiet one.

Sources: the vendor's guide to custom bots (open.larkoffice.com, ucTM5YjL3ETO24yNxkjN) for the limits: 100
messages a minute and 5 a second for one bot, 20 KB a request, 11232 when it is too much; signature and
times as quoted by public code. Codes 19001 (token), 19002 (parameters), 19021 (signature, or a time more
than an hour off), 19022 (IP address) and 19024 (keyword) as reported from the field. 9499 comes with HTTP
400 and means two things, told apart by its text: "too many request", or a body that the vendor cannot read.
The vendor names no waiting time for robots; 5 s is chosen, by when the limit of a second is over. Old bots
answer with `StatusCode` in place of `code`. Nothing was tried on the real service. Receipts: none.
"""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

import msgspec

from alerts.channels.addressed import split_secret, with_link
from alerts.channels.channel import Failed, Message, Outcome
from alerts.channels.http import TIMEOUT_S, Http, Reply
from alerts.channels.refusals import Codes, number

_MOST_BYTES: Final = 9_000
"""Of text: below half of 20 KB even where every letter is escaped in JSON (chosen)."""
_WAIT_S: Final = 5.0
_AMBIGUOUS: Final = 9499
_CODES: Final = Codes(
    fields=("code", "StatusCode"),
    waits={11232: _WAIT_S},
    lasting=frozenset({19001, 19002, 19021, 19022, 19024}),
)
_TOO_MANY: Final = ("too many request", "frequency limit", "rate limit")
_UNREADABLE: Final = "bad request"
_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8"}


class FeishuChannel:
    """Sends to whatever bot the contact gave. `clock` gives seconds since 1970."""

    def __init__(self, timeout_s: float = TIMEOUT_S, clock: Callable[[], float] = time.time) -> None:
        self._http = Http(timeout_s)
        self._clock = clock

    async def send(self, message: Message) -> Outcome:
        """POSTs once. Never raises but CancelledError; reasons never hold address or secret."""
        url, secret = split_secret(message.address)
        body = _body(message, secret, int(self._clock()))
        reply = await self._http.ask("POST", url, body, _HEADERS, urgent=message.urgent, read_refusals=True)
        return _judge(reply) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.close()


def _body(message: Message, secret: str, now_s: int) -> bytes:
    body: dict[str, Any] = {
        "msg_type": "text",
        "content": {"text": with_link(message.text, message.link, _MOST_BYTES)},
    }
    if secret:
        body |= {"timestamp": str(now_s), "sign": _sign(secret, now_s)}
    return msgspec.json.encode(body)


def _sign(secret: str, now_s: int) -> str:
    """Time and secret are the key, and what is signed is empty: the other way round than DingTalk."""
    return b64encode(hmac.digest(f"{now_s}\n{secret}".encode(), b"", "sha256")).decode()


def _judge(reply: Reply) -> Outcome:
    outcome = _CODES.judge(reply)
    answer = reply.object() or {}
    found = _CODES.code_of(answer)
    if found is None or not isinstance(outcome, Failed) or number(found[1]) == 0:
        return outcome
    text = str(answer.get("msg") or answer.get("StatusMessage") or "").lower()
    if any(mark in text for mark in _TOO_MANY):
        return Failed(outcome.reason, retry_after_s=max(outcome.retry_after_s, _WAIT_S))
    if number(found[1]) == _AMBIGUOUS:
        return Failed(outcome.reason, permanent=_UNREADABLE in text)
    return outcome
