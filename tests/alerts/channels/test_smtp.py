from __future__ import annotations

import asyncio
import email
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.smtp import SmtpChannel, SmtpSettings, compose
from devices.model import Medium
from tests.alerts.channels.dispatching import to
from tests.alerts.channels.vendors.smtp import PASSWORD, USER, MailServer, mail_server
from tests.ingest.listeners import make_certificates

T = TypeVar("T")
NOW_S = 1_795_363_352.0
PLAIN = SmtpSettings("127.0.0.1", USER, security="none")
ADDRESS = "wang@example.org"


def mail_to(address: str = ADDRESS, urgent: bool = True, **parts: str) -> Message:
    return replace(to(address, urgent=urgent, **parts), medium=Medium.EMAIL)


def with_server(
    served: MailServer,
    settings: SmtpSettings,
    run: Callable[[SmtpChannel, MailServer], Awaitable[T]],
    timeout_s: float = 8.0,
) -> T:
    async def main() -> T:
        async with mail_server(served):
            channel = SmtpChannel(replace(settings, port=served.port), timeout_s, clock=lambda: NOW_S)
            try:
                return await run(channel, served)
            finally:
                await channel.close()

    return asyncio.run(main())


def outcome_with(
    served: MailServer, settings: SmtpSettings = PLAIN, message: Message | None = None, timeout_s: float = 8.0
) -> Outcome:
    async def run(channel: SmtpChannel, _served: MailServer) -> Outcome:
        return await channel.send(message or mail_to())

    outcome = with_server(served, settings, run, timeout_s)
    if isinstance(outcome, Failed):
        assert not any(secret in outcome.reason for secret in (ADDRESS, "wang", USER, PASSWORD))
    return outcome


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls(certificates: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.crt", certificates / "server.key")
    return context


def received(served: MailServer) -> EmailMessage:
    mail = email.message_from_bytes(served.mails[0].raw, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def test_a_mail_arrives_with_its_subject_body_and_headers() -> None:
    served = MailServer()
    assert outcome_with(served) == Accepted()
    mail = received(served)
    assert (served.mails[0].sender, served.mails[0].recipient) == (USER, ADDRESS)
    assert mail["Subject"] == "P0 烟雾报警 3栋2单元501厨房"
    assert mail["From"] == f"更夫 Gengfu <{USER}>"
    assert mail["To"] == ADDRESS
    assert mail["Date"] == "Sun, 22 Nov 2026 16:02:32 +0000"
    assert (mail["Auto-Submitted"], mail["Importance"]) == ("auto-generated", "high")
    assert mail["Content-Language"] == "zh-CN"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r", "") == (
        "3栋2单元501厨房 14:02 烟雾报警\n\nhttps://a.example/a/7-3-abcdefghijklmnopqrstuv\n"
    )


def test_the_subject_is_short_and_the_body_whole() -> None:
    served = MailServer()
    long = "长" * 3_000
    assert outcome_with(served, message=mail_to(where=long, text=long, link="")) == Accepted()
    assert len(received(served)["Subject"]) == 70
    assert received(served).get_content().strip() == long


def test_each_try_of_one_message_has_one_message_id_and_other_messages_others() -> None:
    ids = [
        compose(PLAIN, message, now_s)["Message-ID"]
        for message, now_s in (
            (mail_to(), NOW_S),
            (mail_to(), NOW_S + 60),
            (mail_to("li@example.org"), NOW_S),
            (mail_to(text="3栋2单元501厨房 15:09 烟雾报警"), NOW_S),
        )
    ]
    assert ids[0].startswith("<7.1.first.0.3.sms.") and ids[0].endswith("@site.example>")
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_starttls_and_login_come_before_the_mail(tls: ssl.SSLContext, certificates: Path) -> None:
    served = MailServer(tls, needs_login=True)
    settings = SmtpSettings(
        "127.0.0.1", USER, user=USER, password=PASSWORD, ca_file=str(certificates / "ca.crt")
    )
    assert outcome_with(served, settings) == Accepted()
    assert (served.mails[0].encrypted, served.mails[0].user) == (True, USER)


def test_tls_from_the_first_byte(tls: ssl.SSLContext, certificates: Path) -> None:
    served = MailServer(tls, from_the_start=True, needs_login=True)
    settings = SmtpSettings(
        "127.0.0.1", USER, 0, "tls", user=USER, password=PASSWORD, ca_file=str(certificates / "ca.crt")
    )
    assert outcome_with(served, settings) == Accepted()
    assert served.mails[0].encrypted


@pytest.mark.parametrize("from_the_start", [True, False])
def test_a_certificate_of_a_stranger_is_a_failure(tls: ssl.SSLContext, from_the_start: bool) -> None:
    served = MailServer(tls, from_the_start=from_the_start)
    settings = SmtpSettings("127.0.0.1", USER, security="tls" if from_the_start else "starttls")
    assert outcome_with(served, settings) == Failed("the secure connection failed")
    assert served.mails == []


def test_without_starttls_nothing_goes_out_in_clear() -> None:
    served = MailServer()
    settings = SmtpSettings("127.0.0.1", USER, user=USER, password=PASSWORD)
    outcome = outcome_with(served, settings)
    assert isinstance(outcome, Failed) and outcome.permanent
    assert all(not line.lower().startswith(("auth", "mail")) for line in served.dialogue)


def test_a_wrong_password_is_permanent() -> None:
    settings = replace(PLAIN, user=USER, password="wrong")
    assert outcome_with(MailServer(), settings) == Failed("SMTP 535", permanent=True)


@pytest.mark.parametrize(
    ("step", "reply", "outcome"),
    [
        ("greet", "554 5.7.1 go away", Failed("SMTP 554", permanent=True)),
        ("greet", "421 4.3.2 busy", Failed("SMTP 421")),
        ("mail", "452 4.3.1 full", Failed("SMTP 452")),
        ("mail", "550 5.7.1 not you", Failed("SMTP 550", permanent=True)),
        ("rcpt", "450 4.2.0 wang@example.org: greylisted", Failed("SMTP 450")),
        ("rcpt", "550 5.1.1 wang@example.org unknown", Failed("SMTP 550", permanent=True)),
        ("data", "451 4.3.0 later", Failed("SMTP 451")),
        ("end", "552 5.3.4 too big", Failed("SMTP 552", permanent=True)),
        ("end", "421 4.4.2 going down", Failed("SMTP 421")),
    ],
)
def test_4yz_passes_and_5yz_does_not(step: str, reply: str, outcome: Failed) -> None:
    assert outcome_with(MailServer(refuse={step: reply})) == outcome


@pytest.mark.parametrize("step", ["greet", "ehlo", "rcpt", "end"])
def test_a_dropped_connection_is_a_failure(step: str) -> None:
    outcome = outcome_with(MailServer(drop_at=step))
    assert isinstance(outcome, Failed) and not outcome.permanent


def test_a_server_that_falls_silent_is_a_failure() -> None:
    served = MailServer(silent_at="rcpt")
    assert outcome_with(served, timeout_s=0.3) == Failed("no answer in time")
    assert served.mails == []


def test_a_send_that_is_given_up_frees_its_thread_at_once() -> None:
    """All 16 threads of a lane hang, their senders are cancelled, and the next mail still goes out."""

    async def run(channel: SmtpChannel, served: MailServer) -> Outcome:
        sends = [asyncio.create_task(channel.send(mail_to())) for _ in range(16)]
        while len(served.dialogue) < 48:  # ehlo, mail, rcpt of each
            served.reached.clear()
            await served.reached.wait()
        for send in sends:
            send.cancel()
        await asyncio.gather(*sends, return_exceptions=True)
        served.silent_at = ""
        return await channel.send(mail_to())

    assert with_server(MailServer(silent_at="rcpt"), PLAIN, run, timeout_s=60.0) == Accepted()


def test_slow_lesser_mails_leave_the_urgent_ones_their_threads() -> None:
    async def run(channel: SmtpChannel, served: MailServer) -> Outcome:
        sends = [asyncio.create_task(channel.send(mail_to(urgent=False))) for _ in range(20)]
        while len(served.dialogue) < 48:
            served.reached.clear()
            await served.reached.wait()
        served.silent_at = ""
        outcome = await channel.send(mail_to())
        for send in sends:
            send.cancel()
        await asyncio.gather(*sends, return_exceptions=True)
        return outcome

    assert with_server(MailServer(silent_at="rcpt"), PLAIN, run, timeout_s=60.0) == Accepted()


def test_a_port_where_nobody_listens_is_a_failure() -> None:
    async def main() -> Outcome:
        async with mail_server(MailServer()) as gone:
            port = gone.port
        channel = SmtpChannel(replace(PLAIN, port=port))
        outcome = await channel.send(mail_to())
        await channel.close()
        return outcome

    assert asyncio.run(main()) == Failed("no connection")


@pytest.mark.parametrize("address", ["13900001234", "", "a b@c", "a@b\r\nBcc: c@d", "x@y,z@w", "<a@b>"])
def test_an_address_that_is_none_is_permanently_wrong(address: str) -> None:
    served = MailServer()
    assert outcome_with(served, message=mail_to(address)) == Failed(
        "the address is no e-mail address", permanent=True
    )
    assert served.dialogue == []


def test_lines_in_the_parts_cannot_add_headers() -> None:
    served = MailServer()
    message = mail_to(what="烟雾\r\nBcc: spy@example.org", text="报警\r\n.\r\nQUIT\r\n")
    assert outcome_with(served, message=message) == Accepted()
    assert received(served)["Bcc"] is None
    assert received(served)["Subject"] == "P0 烟雾 Bcc: spy@example.org 3栋2单元501厨房"


def test_a_closed_channel_sends_nothing() -> None:
    async def run(channel: SmtpChannel, _served: MailServer) -> Outcome:
        await channel.close()
        return await channel.send(mail_to())

    assert with_server(MailServer(), PLAIN, run) == Failed("the channel is closed")


@given(text=st.text(max_size=200), where=st.text(max_size=200), key=st.text(max_size=80))
def test_any_text_makes_a_mail(text: str, where: str, key: str) -> None:
    message = replace(mail_to(text=text, where=where), key=key)
    mail = email.message_from_bytes(compose(PLAIN, message, NOW_S).as_bytes(), policy=default)
    assert mail["To"] == ADDRESS and len(mail["Subject"]) <= 70
    assert mail["Message-ID"].endswith("@site.example>")


def test_settings_do_not_show_their_secret() -> None:
    assert "secret" not in repr(SmtpSettings("h", USER, password=PASSWORD))
