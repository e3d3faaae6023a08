"""E-mail through a mail server of the site's: one connection for one message, by the standard library.

Replies (RFC 5321 section 4.2.1): 4yz passes, 5yz does not, by the server that we talk to; a mailbox that
refuses later is told by a returned mail, which nobody here reads. A server without STARTTLS gets nothing
where STARTTLS is set: neither password nor message goes out in clear. Auto-Submitted (RFC 3834) keeps
out-of-office machines from answering.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import BinaryIO, Final, Literal

from alerts.channels.blocking import failure_of, trust_in
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.errands import Errand, Errands, shut_socket
from alerts.channels.http import TIMEOUT_S
from alerts.channels.templates import cut

_NAME: Final = "更夫 Gengfu"
_READY: Final = 220
_SUBJECT_MOST: Final = 70
"""Characters of a subject that phones show in a list (chosen)."""
_ADDRESS: Final = re.compile(r"[^\s@,;:<>()\[\]\\\"]{1,64}@[^\s@,;:<>()\[\]\\\"]{1,190}")
_LATE: Final = Failed("no answer in time")
_TOKEN: Final = re.compile(r"[^A-Za-z0-9]+")
_LONGEST: Final = 65_536
"""Bytes read of one connection (chosen: a mail server says some hundreds). smtplib reads a reply of many
lines to its end, and keeps it."""


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """`sender` is the address in From. `security`: tls from the first byte (port 465), starttls (587), or
    none (25, inside one machine). `ca_file` replaces the system's certificates, for a site's
    own authority."""

    host: str
    sender: str
    port: int = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""


class SmtpChannel:
    """One mail for one message, on threads of its own."""

    def __init__(
        self,
        settings: SmtpSettings,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._timeout_s = timeout_s
        self._clock = clock
        self._errands = Errands("smtp")

    async def send(self, message: Message) -> Outcome:
        """Sends once. Reasons never hold the address. A mail whose last reply is lost may have gone out."""
        if not _ADDRESS.fullmatch(message.address):
            return Failed("the address is no e-mail address", permanent=True)

        def work(errand: Errand) -> Outcome:
            return _deliver(self._settings, message, self._clock(), errand)

        try:
            return await self._errands.run(work, urgent=message.urgent, timeout_s=self._timeout_s)
        except TimeoutError:
            return _LATE
        except RuntimeError:
            return Failed("the channel is closed")

    async def close(self) -> None:
        """Breaks off what is under way."""
        self._errands.close()


def compose(settings: SmtpSettings, message: Message, now_s: float) -> EmailMessage:
    """The mail. Its Message-ID is the same for each try of one message, and differs between sites and years:
    mail programs drop a second one."""
    domain = settings.sender.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(_NAME, addr_spec=settings.sender)
    mail["To"] = Address(addr_spec=message.address)
    mail["Subject"] = cut(_subject(message), _SUBJECT_MOST)
    mail["Date"] = datetime.fromtimestamp(int(now_s), UTC)
    mail["Message-ID"] = f"<{_message_id(message)}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.urgent:
        mail["Importance"] = "high"
        mail["X-Priority"] = "1"
    mail.set_content(_body(message), cte="base64")
    mail["Content-Language"] = message.language  # set_content takes away earlier ones of its kind
    return mail


def _subject(message: Message) -> str:
    pieces = [message.parts.get(name, "") for name in ("severity", "what", "where")]
    said = " ".join(piece for piece in pieces if piece) if pieces[1] else message.text
    return " ".join("".join(letter if letter.isprintable() else " " for letter in said).split())


def _body(message: Message) -> str:
    if not message.link or message.link in message.text:
        return message.text
    return f"{message.text}\n\n{message.link}"


def _message_id(message: Message) -> str:
    whole = "\0".join((message.key, message.address, message.text, message.link))
    digest = hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:20]
    return f"{_TOKEN.sub('.', message.key)[:64].strip('.') or 'message'}.{digest}"


def _deliver(settings: SmtpSettings, message: Message, now_s: float, errand: Errand) -> Outcome:
    """On a thread. Never raises."""
    try:
        mail = compose(settings, message, now_s)
    except ValueError:
        return Failed("the mail cannot be written", permanent=True)
    try:
        return _talk(settings, mail, errand)
    except smtplib.SMTPException as error:
        return _refusal(error) if errand.left_s else _LATE
    except (OSError, ValueError) as error:
        return failure_of(error)


def _talk(settings: SmtpSettings, mail: EmailMessage, errand: Errand) -> Outcome:
    client = _client(settings, errand.left_s)
    errand.on_cut(lambda: shut_socket(client.sock))
    try:
        code, _ = client.connect(settings.host, settings.port)
        if code != _READY:
            return _by_code(code)
        if not errand.left_s:
            return _LATE
        if settings.security == "starttls":
            client.starttls(context=trust_in(settings.ca_file))
        if settings.user:
            client.login(settings.user, settings.password)
        client.send_message(mail)
        with contextlib.suppress(OSError, smtplib.SMTPException):
            client.putcmd("quit")  # its reply is worth no waiting: the mail is taken already
        return Accepted()
    finally:
        client.close()


class _Heard:
    """What a server says, to a bound. Raises SMTPServerDisconnected beyond it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = _LONGEST

    def readline(self, most: int) -> bytes:
        line = self._file.readline(most)
        self._left -= len(line)
        if self._left < 0:
            raise smtplib.SMTPServerDisconnected("the server does not stop talking")
        return line

    def close(self) -> None:
        self._file.close()


class _Bounded:
    """For smtplib: it opens `file` by itself, after the connect and again after STARTTLS."""

    _heard: _Heard | None = None

    @property
    def file(self) -> _Heard | None:
        return self._heard

    @file.setter
    def file(self, file: BinaryIO | None) -> None:
        self._heard = None if file is None else _Heard(file)


class _Plain(_Bounded, smtplib.SMTP):
    pass


class _Tls(_Bounded, smtplib.SMTP_SSL):
    pass


def _client(settings: SmtpSettings, timeout_s: float) -> smtplib.SMTP:
    """Not connected. It names itself by the sender's domain: asking the system for our own name can hang."""
    name = settings.sender.rpartition("@")[2]
    timeout_s = max(timeout_s, 0.01)  # 0 would mean not to wait at all
    if settings.security == "tls":
        client: smtplib.SMTP = _Tls(
            local_hostname=name, timeout=timeout_s, context=trust_in(settings.ca_file)
        )
    else:
        client = _Plain(local_hostname=name, timeout=timeout_s)
    # The name that TLS checks; smtplib takes it in the constructor only, which would connect at once.
    client._host = settings.host  # type: ignore[attr-defined]
    return client


def _refusal(error: smtplib.SMTPException) -> Failed:
    """By reply code: the server's words may repeat the address."""
    match error:
        case smtplib.SMTPServerDisconnected():
            return Failed("the connection broke off")
        case smtplib.SMTPRecipientsRefused():
            codes = [code for code, _ in error.recipients.values()]
            return _by_code(codes[0] if codes else 0)
        case smtplib.SMTPResponseException():
            return _by_code(error.smtp_code)
        case smtplib.SMTPNotSupportedError():
            return Failed("the mail server lacks STARTTLS, logging in or UTF-8 addresses", permanent=True)
        case _:
            return Failed(f"could not be sent ({type(error).__name__})")


def _by_code(code: int) -> Failed:
    return Failed(f"SMTP {code}", permanent=500 <= code < 600)
