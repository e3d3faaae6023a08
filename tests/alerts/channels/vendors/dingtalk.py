"""DingTalk's custom robots, from the vendor's description of them."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field

from tests.alerts.channels.vendors.asked import Asked, hmac_sha256, read, say

TOKEN = "566cc69da782ec"


@dataclass
class Dingtalk:
    """One robot. `now_s` is its clock; `secret`, `keyword`, `listed` its security settings."""

    now_s: float
    secret: str = ""
    keyword: str = ""
    listed: bool = True
    refuse_with: dict[str, object] | None = None
    texts: list[str] = field(default_factory=list)
    to_all: list[bool] = field(default_factory=list)
    _sent_at: list[float] = field(default_factory=list)
    _held_until: float = 0.0

    async def __call__(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        say(writer, self.refuse_with or self._answer(read(request)))

    def _answer(self, asked: Asked) -> dict[str, object]:
        if asked.method != "POST" or asked.path != "/robot/send":
            return _error(404, "not found")
        if asked.query.get("access_token") != TOKEN:
            return _error(300005, "token is not exist")
        if not asked.headers.get("content-type", "").startswith("application/json"):
            return _error(43004, "invalid content type")
        if why := self._unsafe(asked):
            return _error(310000, why)
        if self._too_fast():
            return _error(130101, "send too fast, exceed 20 times per minute")
        if len(asked.body) > 20_000:
            return _error(460101, "message too long, exceed 20000 bytes")
        body = asked.object()
        if body.get("msgtype") != "text" or not body["text"]["content"]:
            return _error(400105, "unsupported message type")
        self.texts.append(body["text"]["content"])
        self.to_all.append(body["at"]["isAtAll"])
        return _error(0, "ok")

    def _unsafe(self, asked: Asked) -> str:
        if not self.listed:
            return "ip 203.0.113.9 not in whitelist"
        if self.keyword and self.keyword not in asked.body.decode():
            return "keywords not in content"
        if not self.secret:
            return ""
        stamp = asked.query.get("timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) / 1000 - self.now_s) > 3600:
            return "invalid timestamp"
        signed = hmac_sha256(self.secret.encode(), f"{stamp}\n{self.secret}".encode())
        return "" if asked.query.get("sign") == base64.b64encode(signed).decode() else "sign not match"

    def _too_fast(self) -> bool:
        self._sent_at = [at for at in self._sent_at if at > self.now_s - 60]
        if len(self._sent_at) >= 20:
            self._held_until = self.now_s + 600
        self._sent_at.append(self.now_s)
        return self.now_s < self._held_until


def _error(code: int, text: str) -> dict[str, object]:
    return {"errcode": code, "errmsg": text}
