"""Feishu's custom bots, from the vendor's guide to them."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field

from tests.alerts.channels.vendors.asked import Asked, hmac_sha256, read, say

TOKEN = "5e3d587e-d78e-4a07"


@dataclass
class Feishu:
    """One bot. `now_s` is its clock; `old` bots answer with StatusCode alone."""

    now_s: float
    secret: str = ""
    keyword: str = ""
    old: bool = False
    refuse_with: tuple[int, dict[str, object]] | None = None
    texts: list[str] = field(default_factory=list)
    _sent_at: list[float] = field(default_factory=list)

    async def __call__(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        status, answer = self.refuse_with or self._answer(read(request))
        say(writer, answer, status)

    def _answer(self, asked: Asked) -> tuple[int, dict[str, object]]:
        if asked.path != f"/open-apis/bot/v2/hook/{TOKEN}" or asked.query:
            return 200, _error(19001, "param invalid: incoming webhook access token invalid")
        if len(asked.body) > 20 * 1024:
            return 400, _error(9499, "Bad Request")
        body = asked.object()
        if self.secret and not self._genuine(str(body.get("timestamp")), str(body.get("sign"))):
            return 200, _error(19021, "sign match fail or timestamp is not within one hour from current time")
        if body.get("msg_type") != "text" or not isinstance(body["content"]["text"], str):
            return 400, _error(9499, "Bad Request")
        if self.keyword not in body["content"]["text"]:
            return 200, _error(19024, "Key Words Not Found")
        self._sent_at = [at for at in self._sent_at if at > self.now_s - 60]
        if sum(at > self.now_s - 1 for at in self._sent_at) >= 5:
            return 400, _error(9499, "too many request")
        if len(self._sent_at) >= 100:
            return 200, _error(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]")
        self._sent_at.append(self.now_s)
        self.texts.append(body["content"]["text"])
        passed: dict[str, object] = {"StatusCode": 0, "StatusMessage": "success", "Extra": None}
        return 200, passed if self.old else {**passed, "code": 0, "msg": "success", "data": {}}

    def _genuine(self, stamp: str, sign: str) -> bool:
        """The key is the time, a line break and the secret; nothing is signed with it."""
        if not stamp.isdigit() or abs(int(stamp) - self.now_s) > 3600:
            return False
        return sign == base64.b64encode(hmac_sha256(f"{stamp}\n{self.secret}".encode(), b"")).decode()


def _error(code: int, text: str) -> dict[str, object]:
    return {"code": code, "msg": text, "data": {}}
