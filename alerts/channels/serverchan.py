"""A person's WeChat or phone, through ServerChan (Server 酱).

The address is the sending URL with its key: Turbo `https://sctapi.ftqq.com/SCT….send`, ServerChan 3
`https://UID.push.ft07.com/send/sctpUIDt….send`. One key belongs to one person.

Sources: the vendor's page on Turbo as quoted by public code: title up to 32 characters, text in Markdown up
to 32 KB, card up to 64 characters; the code 0 says that the message is queued, not that WeChat has it. The
vendor's SDK sends the same fields to ServerChan 3; its limits are not documented, so that the stricter ones
are kept. Refusals come with HTTP 400 and the code 40001 for everything that has to do with the key, told
apart by `scode` (461 wrong key, 471 the day's messages are used up) and by text; ServerChan 3 is reported
to put 471 into `code`. When the day ends is not documented: midnight in China is taken. Nothing was tried
on the real service.

Limits: 5 messages a day for one key without membership (the vendor's own refusal says so); with one more,
of which 50 a minute are reported (easychen/pushdeer issue 79) and the number a day is not verified. No way
for anybody's only channel. Receipts: none; the state of a message can be asked for by `pushid` and
`readkey`, which this does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from alerts.channels.addressed import cut_letters, split_secret, title_of, with_link
from alerts.channels.channel import Failed, Message, Outcome
from alerts.channels.http import TIMEOUT_S, Http, Reply
from alerts.channels.refusals import Codes, number

_TITLE_LETTERS: Final = 32
_CARD_LETTERS: Final = 64
_MOST_BYTES: Final = 16_000
"""Of text, below 32 KB whatever JSON escapes (chosen)."""
_KEY: Final = 40001
_WRONG_KEY: Final = 461
_USED_UP: Final = 471
_CODES: Final = Codes(fields=("code",), waits={}, lasting=frozenset({_WRONG_KEY}))
_USED_UP_TEXT: Final = "超过当天"
_WRONG_KEY_TEXT: Final = "错误的key"
_DAY_S: Final = 86_400
_CHINA_S: Final = 8 * 3_600
_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8"}


class ServerchanChannel:
    """Sends to whatever key the contact gave. `clock` gives seconds since 1970."""

    def __init__(self, timeout_s: float = TIMEOUT_S, clock: Callable[[], float] = time.time) -> None:
        self._http = Http(timeout_s)
        self._clock = clock

    async def send(self, message: Message) -> Outcome:
        """POSTs once. Never raises but CancelledError; reasons never hold the address."""
        url, _ = split_secret(message.address)
        reply = await self._http.ask(
            "POST", url, _body(message), _HEADERS, urgent=message.urgent, read_refusals=True
        )
        return _judge(reply, self._clock()) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.close()


def _body(message: Message) -> bytes:
    """In Markdown a line break is an empty line, and a link in <> opens as it stands."""
    lines = "\n\n".join(line for line in message.text.splitlines() if line.strip())
    link = f"<{message.link}>" if message.link else ""
    body = {
        "title": cut_letters(title_of(message.parts, message.text), _TITLE_LETTERS),
        "desp": with_link(lines.replace(message.link, "") if link else lines, link, _MOST_BYTES, "\n\n"),
        "short": cut_letters(" ".join(message.text.split()), _CARD_LETTERS),
    }
    return msgspec.json.encode(body)


def _judge(reply: Reply, now_s: float) -> Outcome:
    answer = reply.object() or {}
    outcome = _CODES.judge(reply)
    if not isinstance(outcome, Failed):
        return _within(answer) or outcome
    if number(answer.get("code")) not in {_KEY, _USED_UP}:
        return outcome
    kinds = {number(answer.get("code")), number(answer.get("scode"))}
    text = str(answer.get("message") or answer.get("info") or "").lower()
    if _USED_UP in kinds or _USED_UP_TEXT in text:
        return Failed("the key's messages of the day are used up", retry_after_s=_until_midnight_s(now_s))
    if _WRONG_KEY in kinds or _WRONG_KEY_TEXT in text:
        return Failed("the key is wrong", permanent=True)
    return Failed(outcome.reason)


def _within(answer: dict[str, Any]) -> Failed | None:
    """A refusal inside an answer of code 0: `data.errno`."""
    data = answer.get("data")
    errno = data.get("errno") if isinstance(data, dict) else None
    return None if errno is None or number(errno) == 0 else _CODES.refusal("errno", errno)


def _until_midnight_s(now_s: float) -> float:
    return _DAY_S - (now_s + _CHINA_S) % _DAY_S
