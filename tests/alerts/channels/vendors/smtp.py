"""A mail server by RFC 5321, STARTTLS and AUTH included, that can refuse at any step."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

USER, PASSWORD = "gengfu@site.example", "secret-password"


@dataclass
class Mail:
    sender: str
    recipient: str
    raw: bytes
    encrypted: bool
    user: str


@dataclass
class MailServer:
    """`refuse`: by step (greet, ehlo, auth, mail, rcpt, data, end) the reply instead of its own."""

    tls: ssl.SSLContext | None = None
    from_the_start: bool = False
    needs_login: bool = False
    silent_at: str = ""
    drop_at: str = ""
    refuse: dict[str, str] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    dialogue: list[str] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Session(self, reader, writer).run()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            self.ended.set()
            writer.close()


@asynccontextmanager
async def mail_server(served: MailServer) -> AsyncIterator[MailServer]:
    context = served.tls if served.from_the_start else None
    tasks: set[asyncio.Task[None]] = set()

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await served.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(keep, "127.0.0.1", 0, ssl=context)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


class _Session:
    def __init__(
        self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.encrypted = server.from_the_start
        self.user = ""
        self.sender = ""
        self.recipient = ""

    async def run(self) -> None:
        if not await self.say("greet", "220 mail.site.example ESMTP"):
            return
        while line := await self.reader.readline():
            text = line.decode().rstrip("\r\n")
            self.server.dialogue.append(text)
            if not await self.answer(text):
                return

    async def say(self, step: str, reply: str) -> bool:
        self.server.reached.set()
        if self.server.silent_at == step:
            await asyncio.Event().wait()
        if self.server.drop_at == step:
            self.writer.transport.abort()
            return False
        self.writer.write(self.server.refuse.get(step, reply).encode() + b"\r\n")
        await self.writer.drain()
        return True

    async def answer(self, text: str) -> bool:
        verb, _, rest = text.partition(" ")
        match verb.lower():
            case "ehlo":
                return await self.say("ehlo", self.features())
            case "starttls" if self.server.tls and not self.encrypted:
                await self.say("starttls", "220 go ahead")
                await self.writer.start_tls(self.server.tls)
                self.encrypted, self.user = True, ""
                return True
            case "auth":
                return await self.login(rest)
            case "mail":
                if self.server.needs_login and not self.user:
                    return await self.say("mail", "530 5.7.0 Authentication required")
                self.sender = rest.partition("<")[2].partition(">")[0]
                return await self.say("mail", "250 ok")
            case "rcpt":
                self.recipient = rest.partition("<")[2].partition(">")[0]
                return await self.say("rcpt", "250 ok")
            case "data":
                return await self.data()
            case "rset":
                return await self.say("rset", "250 ok")
            case "quit":
                await self.say("quit", "221 bye")
                return False
            case _:
                return await self.say("other", "500 5.5.1 unknown")

    def features(self) -> str:
        offered = ["mail.site.example", "8BITMIME"]
        if self.server.tls and not self.encrypted:
            offered.append("STARTTLS")
        if self.encrypted or self.server.tls is None:
            offered.append("AUTH PLAIN LOGIN")
        return "\r\n".join(f"250-{one}" for one in offered[:-1]) + f"\r\n250 {offered[-1]}"

    async def login(self, rest: str) -> bool:
        _, _, secret = rest.partition(" ")
        parts = base64.b64decode(secret).decode().split("\0")
        if parts[1:] == [USER, PASSWORD]:
            self.user = USER
            return await self.say("auth", "235 2.7.0 welcome")
        return await self.say("auth", "535 5.7.8 gengfu@site.example: wrong")

    async def data(self) -> bool:
        if not await self.say("data", "354 go on"):
            return False
        if "data" in self.server.refuse:
            return True
        raw = b""
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                return False
            raw += line.removeprefix(b".")
        if "end" not in self.server.refuse:
            self.server.mails.append(Mail(self.sender, self.recipient, raw, self.encrypted, self.user))
        return await self.say("end", "250 2.0.0 queued")
