"""ServerChan Turbo and ServerChan 3, from the vendor's description of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tests.alerts.channels.vendors.asked import Asked, read, say

KEY = "SCT171556TUite"
KEY_3 = "sctp606tq8x"


@dataclass
class Serverchan:
    """One person's key, five messages a day."""

    left: int = 5
    refuse_with: tuple[int, dict[str, object]] | None = None
    sent: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        status, answer = self.refuse_with or self._answer(read(request))
        say(writer, answer, status)

    def _answer(self, asked: Asked) -> tuple[int, dict[str, object]]:
        third = asked.path == f"/send/{KEY_3}.send"
        if not third and asked.path != f"/{KEY}.send":
            return 400, _refusal("错误的Key", 461)
        body = asked.object()
        if not body.get("title") or len(body["title"]) > 32 or len(body.get("short", "")) > 64:
            return 400, {"message": "bad title", "code": 40010}
        if len(body["desp"].encode()) > 32 * 1024:
            return 400, {"message": "too long", "code": 40010}
        if self.left == 0:
            if third:
                return 200, {"code": 471, "message": "超过当天的发送次数限制[5]"}
            return 400, _refusal("超过当天的发送次数限制[5]", 471)
        self.left -= 1
        self.sent.append(body)
        return 200, {
            "code": 0,
            "message": "",
            "data": {"pushid": "1663686", "readkey": "SCTPmUP", "error": "SUCCESS", "errno": 0},
        }


def _refusal(text: str, scode: int) -> dict[str, object]:
    return {"message": f"[AUTH]{text}", "code": 40001, "info": text, "scode": scode}
