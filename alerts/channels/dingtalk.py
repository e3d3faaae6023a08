"""A DingTalk group, through a custom robot.

The address is the URL that DingTalk shows for the robot
(`https://oapi.dingtalk.com/robot/send?access_token=…`); where the robot is secured by signing, its secret
(`SEC…`) follows after `#`. Of the other ways to secure a robot a list of our IP addresses works; keywords
do not suit, because no word is in all our messages.

Messages are plain text, so that names need no escaping and the whole text stands in the phone's preview.
Urgent ones mention everybody, which sounds through a group's "do not disturb".

Sources: DingTalk's pages on custom robots (custom-robot-access, custom-robots-send-group-messages, robot
security settings) as quoted by public code and articles; the pages themselves were not readable, and
nothing was tried on the real service. Codes: 310000 is all that the security settings refuse; 130101
"exceed 20 times per minute" and 410100 are the rate limit, after which the robot is held for 10 minutes; a
gateway before the service answers `{"status": 1111, "wait": 5, …}` without any code; -1 is "busy", at which
DingTalk asks for another try; 90030 is a limit of calls (whose is not verified: an hour is chosen). 300001
and 300005 both say that the token does not exist. 400013, 400101, 400102, 400105, 400106, 40035, 43004 and
430101-430104 cannot pass by themselves.

Limits: 20 messages a minute for one robot; 20,000 bytes a request. Receipts: none.
"""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import msgspec

from alerts.channels.accounts import CLOCK_WRONG
from alerts.channels.addressed import split_secret, with_link
from alerts.channels.channel import Failed, Message, Outcome
from alerts.channels.http import TIMEOUT_S, Http, Reply
from alerts.channels.refusals import Codes, number

_MOST_BYTES: Final = 9_000
"""Of text: below half of 20,000 even where every letter is escaped in JSON (chosen)."""
_HELD_S: Final = 600.0
_LONGEST_WAIT_S: Final = 3_600.0
_UNSAFE: Final = 310000
_CODES: Final = Codes(
    fields=("errcode",),
    waits={130101: _HELD_S, 410100: _HELD_S, 90030: 3_600.0, -1: 0.0},
    lasting=frozenset(
        {_UNSAFE, 300001, 300005, 400013, 400101, 400102, 400105, 400106, 40035, 43004}
        | {430101, 430102, 430103, 430104}
    ),
)
_MISMATCH: Final = "the robot's signing secret does not match"
_UNSIGNED: Final = "the robot wants signatures: its secret is missing after # in the address"
_SECURITY: Final = (
    (("timestamp", "过期"), CLOCK_WRONG),
    (("sign", "签名"), _MISMATCH),
    (("keyword", "关键词"), "the robot wants a keyword that the message lacks"),
    (("whitelist", "白名单"), "our IP address is not on the robot's list"),
)
"""310000 has several meanings, told apart by their texts: what we say instead."""
_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8"}


class DingtalkChannel:
    """Sends to whatever robot the contact gave. `clock` gives seconds since 1970."""

    def __init__(self, timeout_s: float = TIMEOUT_S, clock: Callable[[], float] = time.time) -> None:
        self._http = Http(timeout_s)
        self._clock = clock

    async def send(self, message: Message) -> Outcome:
        """POSTs once. Never raises but CancelledError; reasons never hold address or secret."""
        url, secret = split_secret(message.address)
        if secret:
            url = _signed(url, secret, int(self._clock() * 1000))
        reply = await self._http.ask(
            "POST", url, _body(message), _HEADERS, urgent=message.urgent, read_refusals=True
        )
        return _judge(reply, bool(secret)) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.close()


def _signed(url: str, secret: str, now_ms: int) -> str:
    """The secret signs itself together with the time; DingTalk takes times up to an hour off."""
    digest = hmac.digest(secret.encode(), f"{now_ms}\n{secret}".encode(), "sha256")
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}timestamp={now_ms}&sign={quote(b64encode(digest), safe='')}"


def _body(message: Message) -> bytes:
    content = with_link(message.text, message.link, _MOST_BYTES)
    return msgspec.json.encode(
        {"msgtype": "text", "text": {"content": content}, "at": {"isAtAll": message.urgent}}
    )


def _judge(reply: Reply, signed: bool) -> Outcome:
    answer = reply.object() or {}
    if "errcode" not in answer and answer.get("punish") == "deny":
        wait = number(answer.get("wait")) or 0
        return Failed("held off by the provider's gateway", retry_after_s=min(max(wait, 0), _LONGEST_WAIT_S))
    outcome = _CODES.judge(reply)
    if isinstance(outcome, Failed) and number(answer.get("errcode")) == _UNSAFE:
        why = _why_unsafe(str(answer.get("errmsg", "")), signed)
        return Failed(why or outcome.reason, permanent=True)
    return outcome


def _why_unsafe(text: str, signed: bool) -> str:
    lower = text.lower()
    why = next((why for marks, why in _SECURITY if any(mark in lower for mark in marks)), "")
    return _UNSIGNED if why in {CLOCK_WRONG, _MISMATCH} and not signed else why
