"""A WeCom group, through a group robot ("message push").

The address is the URL that WeCom shows for the robot
(`https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…`). WeCom's robots do not sign; what follows a `#`
is left out.

Messages are plain text: Markdown does not show for those who read WeCom through WeChat. Urgent ones mention
everybody.

Sources: the vendor's page on message push (developer.work.weixin.qq.com 99110, 91770): text up to 2048
bytes, 20 messages a minute for one robot; its page on rates (90454): who is held for a limit of a minute is
held 60 s; its list of codes (90455, 90313): -1 busy, 45009 too often, 45033 too many at once, 93000 URL not
valid or robot removed, 93004 robot stopped, 93008 not in the group, 40008 type, 40058 parameter (also text
too long), 44004 empty. Every answer comes with HTTP 200. Nothing was tried on the real service. Receipts:
none.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from alerts.channels.addressed import split_secret, with_link
from alerts.channels.channel import Message, Outcome
from alerts.channels.http import TIMEOUT_S, Http, Reply
from alerts.channels.refusals import Codes

MOST_BYTES: Final = 2_048
HELD_S: Final = 60.0
BUSY_S: Final = 2.0
"""After 45033, which counts requests under way at once (chosen)."""
_CODES: Final = Codes(
    fields=("errcode",),
    waits={45009: HELD_S, 45033: BUSY_S, -1: 0.0},
    lasting=frozenset({93000, 93004, 93008, 40008, 40058, 44004}),
)
_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8"}


class WecomBotChannel:
    """Sends to whatever robot the contact gave."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._http = Http(timeout_s)

    async def send(self, message: Message) -> Outcome:
        """POSTs once. Never raises but CancelledError; reasons never hold the address."""
        url, _ = split_secret(message.address)
        reply = await self._http.post(url, _body(message), _HEADERS, urgent=message.urgent)
        return _CODES.judge(reply) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.close()


def _body(message: Message) -> bytes:
    text: dict[str, Any] = {"content": with_link(message.text, message.link, MOST_BYTES)}
    if message.urgent:
        text["mentioned_list"] = ["@all"]
    return msgspec.json.encode({"msgtype": "text", "text": text})
