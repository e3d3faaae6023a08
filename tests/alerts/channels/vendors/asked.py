"""One HTTP request as a vendor's server reads it, and its signature by hand."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Asked:
    """`query` is decoded the way of web forms: `+` is a blank."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def object(self) -> dict[str, Any]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


def read(request: bytes) -> Asked:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *rest = head.decode("ascii").split("\r\n")
    method, target, _ = line.split(" ")
    path, _, query = target.partition("?")
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
    return Asked(method, path, {n: unquote(v.replace("+", " ")) for n, _, v in pairs}, headers, body)


def say(writer: asyncio.StreamWriter, answer: object, status: int = 200) -> None:
    raw = json.dumps(answer).encode()
    writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw)


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """RFC 2104 step by step, apart from the code under test."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + data).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).digest()
