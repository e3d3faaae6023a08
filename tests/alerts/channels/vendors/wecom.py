"""WeCom's group robots and application messages, from the vendor's description of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tests.alerts.channels.vendors.asked import Asked, read, say

ROBOT_KEY = "693a91f6-7aoc-4bc4"
CORP_ID = "ww7e42"
SECRET = "we0YB4-J2332PnmA"
AGENT_ID = 1000002


@dataclass
class WecomRobot:
    """One robot of one group. `now_s` is its clock."""

    now_s: float = 0.0
    refuse_with: tuple[int, str] | None = None
    texts: list[str] = field(default_factory=list)
    mentioned: list[list[str]] = field(default_factory=list)
    _sent_at: list[float] = field(default_factory=list)

    async def __call__(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        code, text = self.refuse_with or self._answer(read(request))
        say(writer, {"errcode": code, "errmsg": f"{text}, hint: [17], from ip: 203.0.113.9"})

    def _answer(self, asked: Asked) -> tuple[int, str]:
        if asked.path != "/cgi-bin/webhook/send" or asked.query.get("key") != ROBOT_KEY:
            return 93000, "invalid webhook url"
        body = asked.object()
        if body.get("msgtype") != "text":
            return 40008, "invalid message type"
        text = body["text"]
        if not text["content"]:
            return 44004, "empty content"
        if len(text["content"].encode()) > 2048:
            return 40058, "text.content exceed max length 2048"
        self._sent_at = [at for at in self._sent_at if at > self.now_s - 60]
        if len(self._sent_at) >= 20:
            return 45009, "api freq out of limit"
        self._sent_at.append(self.now_s)
        self.texts.append(text["content"])
        self.mentioned.append(text.get("mentioned_list", []))
        return 0, "ok"


@dataclass
class WecomServer:
    """A company with one application and `members`. Of its tokens `t1+/=`, … it refuses those `ended`."""

    members: set[str] = field(default_factory=lambda: {"grid.07", "ZhangSan"})
    unlicensed: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    ended_code: int = 40014
    expires_in: object = 7200
    answers_slowly: bool = False
    stubborn: bool = False
    """Gives the same token again, as it may within a token's life."""
    lenient: bool = False
    """Names unknown members beside the code 0, as it does where others were told."""
    refuse_token_with: int = 0
    refuse_with: int = 0
    given: int = 0
    tries: int = 0
    sent: list[dict[str, object]] = field(default_factory=list)

    async def __call__(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        asked = read(request)
        if asked.path == "/cgi-bin/gettoken" and asked.method == "GET":
            await asyncio.sleep(0.05 if self.answers_slowly else 0)
            say(writer, self._token(asked))
        elif asked.path == "/cgi-bin/message/send" and asked.method == "POST":
            self.tries += 1
            say(writer, self._send(asked))
        else:
            say(writer, {}, 404)

    def _token(self, asked: Asked) -> dict[str, object]:
        self.given += 1
        if self.refuse_token_with:
            return _error(self.refuse_token_with)
        if asked.query != {"corpid": CORP_ID, "corpsecret": SECRET}:
            return _error(40001)
        token = f"t{1 if self.stubborn else self.given}+/="
        return {"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": self.expires_in}

    def _send(self, asked: Asked) -> dict[str, object]:
        token = asked.query.get("access_token", "")
        if token in self.ended or not token.startswith("t") or not token.endswith("+/="):
            return _error(self.ended_code)
        if self.refuse_with:
            return _error(self.refuse_with)
        body = asked.object()
        to = body["touser"]
        if body["agentid"] != AGENT_ID:
            return _error(40056)
        if to.lower() not in {member.lower() for member in self.members}:
            return {**_error(0 if self.lenient else 81013), "invaliduser": to.lower()}
        if body["msgtype"] == "textcard":
            card = body["textcard"]
            assert card["title"] and card["description"] and card["url"]
            assert len(card["title"].encode()) <= 128 and len(card["description"].encode()) <= 512
        elif not 0 < len(body["text"]["content"].encode()) <= 2048:
            return _error(45002)
        if to in self.unlicensed:
            return {"errcode": 0, "errmsg": "ok", "unlicenseduser": to.lower(), "msgid": ""}
        self.sent.append(body)
        return {"errcode": 0, "errmsg": "ok", "invaliduser": "", "msgid": f"msg-{len(self.sent)}"}


def _error(code: int) -> dict[str, object]:
    return {"errcode": code, "errmsg": "refused, hint: [17], from ip: 203.0.113.9"}
