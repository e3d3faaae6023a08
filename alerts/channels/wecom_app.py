"""A member of a company in WeCom, through an application of the company's own.

The address is the member's account (userid). A card that opens the link with one tap is sent where the
whole text fits onto it, else a text message with the link below. Cards and texts show in WeChat too, unless
the application is set to open its home page always: then WeChat shows 20 bytes of them.

The token of the application (`gettoken`, 7200 s) is kept, and renewed shortly before its end while the old
one still serves. It may end early: where WeCom says that it is not valid (40014, 42001), it is fetched
again, once for all sends that need it, and the message that was refused is sent once more with the new one.

Sources: the vendor's pages (developer.work.weixin.qq.com) 91039 on tokens, 90236 on messages, 90454 on
rates, 90455 and 90313 on codes. Text up to 2048 bytes; of a card's 128 and 512 for title and description
the pages have said bytes and characters: bytes are kept. Line breaks of a card are `<br>`. An unknown
member is 81013 or, with code 0, stands in `invaliduser`, one without a licence in `unlicenseduser`. Every
answer comes with HTTP 200. Nothing was tried on the real service.

Limits: 30 messages a minute and 1000 an hour to one member, 200 a day times the accounts of the company,
for one application. WeCom drops what exceeds the first two without saying so: the caller has to keep below.
WeCom's own check for duplicates stays off, because it would swallow a repeated call for help that reads
like the last.

Receipts: `msgid`, by which a message can be recalled; WeCom never reports that one was shown or read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import msgspec

from alerts.channels.addressed import cut_bytes, title_of, whole, with_link
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.http import TIMEOUT_S, Http, Reply
from alerts.channels.refusals import Codes, number
from alerts.channels.shared_token import SharedToken, Token
from alerts.channels.wecom_bot import BUSY_S, HELD_S, MOST_BYTES

PUBLIC_URL: Final = "https://qyapi.weixin.qq.com"
_MEMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}", re.ASCII)
"""One member: `@all` and lists with `|` would tell people whom nobody meant."""
_TITLE_BYTES: Final = 128
_CARD_BYTES: Final = 512
_LIVES_S: Final = 7_200
_TOKEN_ENDED: Final = frozenset({40014, 42001})
_CODES: Final = Codes(
    fields=("errcode",),
    waits={45009: HELD_S, 45033: BUSY_S, -1: 0.0},
    lasting=frozenset(
        {40001, 40013, 40056, 40091, 41002, 41004, 48001, 48002, 60011, 60020, 301002}  # the application
        | {40003, 40031, 46004, 60111, 81013}  # the member
        | {40008, 40058, 44004, 45002}  # the message
    ),
)
_OPEN: Final = {"zh-CN": "处理", "en": "Open"}
_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class WecomAppSettings:
    """The application: the company's id, the application's number and secret. `base_url` without a slash."""

    corp_id: str
    agent_id: int
    secret: str = field(repr=False)
    base_url: str = PUBLIC_URL


class WecomAppChannel:
    """Sends to members of one company. `clock` gives seconds that only rise."""

    def __init__(
        self,
        settings: WecomAppSettings,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._http = Http(timeout_s)
        self._token = SharedToken(self._fetch, clock)

    async def send(self, message: Message) -> Outcome:
        """POSTs once, or twice where the token had ended. Never raises but CancelledError; reasons never
        hold account, token or secret."""
        if not _MEMBER.fullmatch(message.address):
            return Failed("the address is not one member's account", permanent=True)
        token = await self._token.get()
        if isinstance(token, Failed):
            return token
        reply = await self._post(token, message)
        if _ended(reply):
            token = await self._token.get(instead_of=token)
            if isinstance(token, Failed):
                return token
            reply = await self._post(token, message)
        return _judge(reply) if isinstance(reply, Reply) else reply

    async def close(self) -> None:
        """Closes its connections; a token under way is given up."""
        await self._token.close()
        await self._http.close()

    async def _post(self, token: str, message: Message) -> Reply | Failed:
        url = f"{self._settings.base_url}/cgi-bin/message/send?access_token={quote(token, safe='')}"
        return await self._http.post(
            url, _body(self._settings.agent_id, message), _HEADERS, urgent=message.urgent
        )

    async def _fetch(self) -> Token | Failed:
        """Asks for a token on the urgent lane: urgent messages wait for it as well as others."""
        settings = self._settings
        query = f"corpid={quote(settings.corp_id, safe='')}&corpsecret={quote(settings.secret, safe='')}"
        reply = await self._http.ask(
            "GET", f"{settings.base_url}/cgi-bin/gettoken?{query}", None, {}, urgent=True
        )
        if isinstance(reply, Failed):
            return reply
        outcome = _CODES.judge(reply)
        if isinstance(outcome, Failed):
            return outcome
        return _token_in(reply.object() or {})


def _token_in(answer: dict[str, Any]) -> Token | Failed:
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        return Failed("the provider gave no token")
    lives = number(answer.get("expires_in"))
    return Token(token, min(max(lives, 0), _LIVES_S) if lives is not None else _LIVES_S)


def _ended(reply: Reply | Failed) -> bool:
    answer = reply.object() if isinstance(reply, Reply) else None
    return answer is not None and number(answer.get("errcode")) in _TOKEN_ENDED


def _judge(reply: Reply) -> Outcome:
    outcome = _CODES.judge(reply)
    answer = reply.object()
    if isinstance(outcome, Failed) or answer is None:
        return outcome
    if answer.get("invaliduser"):
        return Failed("the member is unknown, or outside of what the application may see", permanent=True)
    if answer.get("unlicenseduser"):
        return Failed("the member has no licence for the application", permanent=True)
    receipt = answer.get("msgid")
    return Accepted(receipt=receipt[:200] if isinstance(receipt, str) else "")


def _body(agent_id: int, message: Message) -> bytes:
    return msgspec.json.encode(
        {"touser": message.address, "agentid": agent_id, "safe": 0, **_content(message)}
    )


def _content(message: Message) -> dict[str, Any]:
    """Card or text. WeCom reads tags in both: a `<` of ours becomes `＜`."""
    text = message.text.replace("<", "＜")
    title = cut_bytes(title_of(message.parts, text).replace("<", "＜"), _TITLE_BYTES)
    card = whole(text.replace(message.link, "").strip() if message.link else text).replace("\n", "<br>")
    if not message.link or len(card.encode()) > _CARD_BYTES:
        return {"msgtype": "text", "text": {"content": with_link(text, message.link, MOST_BYTES)}}
    return {
        "msgtype": "textcard",
        "textcard": {
            "title": title,
            "description": card or title,
            "url": whole(message.link),
            "btntxt": _OPEN.get(message.language, _OPEN["en"]),
        },
    }
