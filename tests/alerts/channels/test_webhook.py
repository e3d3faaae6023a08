from __future__ import annotations

import asyncio
import json
import re
import time
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.channel import PARTS, Accepted, Failed, Message, Outcome
from alerts.channels.http import retry_after_s
from alerts.channels.webhook import WebhookChannel, signature
from tests.alerts.channels.providers import (
    Answer,
    breaks_off_in_the_body,
    message,
    provider,
    resets,
    says,
    stays_silent,
)
from tests.alerts.channels.vendors.asked import Asked, hmac_sha256, read

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def outcome_with(answer: Answer, timeout_s: float = 8.0) -> tuple[Outcome, list[bytes]]:
    async def send() -> tuple[Outcome, list[bytes]]:
        channel = WebhookChannel(timeout_s)
        try:
            async with provider(answer) as served:
                return await channel.send(message(served.url())), served.requests
        finally:
            await channel.close()

    return asyncio.run(send())


def failure_with(answer: Answer, timeout_s: float = 8.0) -> Failed:
    outcome, _ = outcome_with(answer, timeout_s)
    assert isinstance(outcome, Failed)
    assert "127.0.0.1" not in outcome.reason and "secret" not in outcome.reason
    return outcome


def test_the_message_arrives_as_json_with_its_idempotency_key() -> None:
    outcome, requests = outcome_with(says("204 No Content"))
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert outcome == Accepted()
    assert b"Idempotency-Key: 7/1/first/0/3/push" in head
    assert json.loads(body) == {
        "key": "7/1/first/0/3/push",
        "medium": "push",
        "severity": "",
        "text": "厨房 smoke",
        "link": "http://a.example/x",
        "urgent": True,
        "language": "zh-CN",
        "parts": {},
    }


def request_for(sent_message: Message, clock_s: float = 1_614_265_330.9) -> Asked:
    """What arrives; the address of `sent_message` is what follows the server's."""

    async def send() -> bytes:
        channel = WebhookChannel(clock=lambda: clock_s)
        async with provider(says("204 No Content")) as served:
            await channel.send(replace(sent_message, address=served.url() + sent_message.address))
        await channel.close()
        return served.requests[0]

    return read(asyncio.run(send()))


def test_the_body_says_severity_language_and_the_pieces_of_the_text() -> None:
    parts = {"severity": "P0", "what": "smoke", "where": "3-2-501"}
    body = request_for(replace(message(""), parts=parts, language="en")).object()
    assert (body["severity"], body["language"], body["parts"]) == ("P0", "en", parts)


def test_letters_that_utf_8_cannot_carry_do_not_keep_a_message_back() -> None:
    body = request_for(replace(message("", text="x\ud800y"), parts={"what": "\udfff"})).object()
    assert (body["text"], body["parts"]) == ("x?y", {"what": "?"})


def test_the_signature_is_the_one_of_the_standards_own_example() -> None:
    """standard-webhooks, libraries/javascript/src/webhook.test.ts: "sign function works"."""
    headers = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ", b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==")),
        ("更夫 and spaces", "更夫 and spaces".encode()),
        ("whsec_not base64", b"whsec_not base64"),
        ("whsec_", b"whsec_"),
    ],
)
def test_what_arrives_verifies_with_the_secret_behind_the_hash(secret: str, key: bytes) -> None:
    asked = request_for(message("#" + secret))
    assert "secret-token" in asked.path and "#" not in asked.path
    assert asked.headers["webhook-id"] == asked.headers["idempotency-key"] == "7/1/first/0/3/push"
    assert asked.headers["webhook-timestamp"] == "1614265330"
    signed = hmac_sha256(key, b"7/1/first/0/3/push.1614265330." + asked.body)
    assert asked.headers["webhook-signature"] == f"v1,{b64encode(signed).decode()}"


def test_the_check_that_the_documentation_shows_tells_genuine_from_forged() -> None:
    page = (Path(__file__).parents[3] / "docs" / "webhook.md").read_text("utf-8")
    shown: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0], shown)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    asked = request_for(message("#" + secret), clock_s=time.time())
    assert shown["is_genuine"](asked.headers, asked.body, secret)
    assert not shown["is_genuine"](asked.headers, asked.body + b" ", secret)
    assert not shown["is_genuine"](asked.headers, asked.body, "whsec_" + "A" * 32)


def test_the_documentation_names_every_key_of_the_body() -> None:
    page = (Path(__file__).parents[3] / "docs" / "webhook.md").read_text("utf-8")
    shown = json.loads(re.findall(r"```json\n(.*?)```", page, re.DOTALL)[0])
    assert set(shown) == set(request_for(message("")).object())
    assert set(shown["parts"]) <= set(PARTS)
    assert set(re.findall(r"^\| `(\w+)` \|", page.partition("## Signed")[0], re.MULTILINE)) == set(shown)


def test_without_a_secret_nothing_is_signed() -> None:
    assert not [name for name in request_for(message("")).headers if name.startswith("webhook-")]


@pytest.mark.parametrize(
    "body",
    [
        '{"errcode": 0, "errmsg": "ok"}',
        '{"code": 200}',
        '{"code": "OK"}',
        '{"ok": true}',
        "OK",
        "[1]",
        '"x"',
        "",
    ],
)
def test_an_ordinary_answer_is_accepted(body: str) -> None:
    assert outcome_with(says("200 OK", body))[0] == Accepted()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"errcode": 310000, "errmsg": "keywords not in content"}', "errcode 310000"),
        ('{"code": 19001, "msg": "param invalid"}', "code 19001"),
        ('{"code": "isv.BUSINESS_LIMIT_CONTROL"}', "code isv.BUSINESS_LIMIT_CONTROL"),
        ('{"code": "no user at 13900000000"}', "code not zero"),
        ('{"ok": false}', "ok false"),
    ],
)
def test_200_with_an_error_code_is_a_failure_worth_another_try(body: str, reason: str) -> None:
    assert failure_with(says("200 OK", body)) == Failed(reason)


@pytest.mark.parametrize(
    ("status", "permanent"),
    [("400 Bad", True), ("404 Gone", True), ("408 Slow", False), ("425 Early", False), ("503 Busy", False)],
)
def test_client_errors_are_permanent_and_others_pass(status: str, permanent: bool) -> None:
    assert failure_with(says(status)) == Failed(f"HTTP {status[:3]}", permanent)


def test_429_is_tried_again_when_the_provider_says() -> None:
    assert failure_with(says("429 Too Many", "", "Retry-After: 7")) == Failed("HTTP 429", False, 7.0)


def test_a_redirect_is_not_followed() -> None:
    outcome, requests = outcome_with(says("307 Elsewhere", "", "Location: /other"))
    assert outcome == Failed("HTTP 307")
    assert len(requests) == 1


def test_a_reset_connection_is_a_failure() -> None:
    assert not failure_with(resets).permanent


def test_an_answer_that_breaks_off_is_a_failure() -> None:
    assert failure_with(breaks_off_in_the_body) == Failed("the connection broke off")


def test_a_provider_that_takes_the_request_and_falls_silent_is_a_failure() -> None:
    assert failure_with(stays_silent, timeout_s=0.2) == Failed("no answer in time")


def test_a_port_where_nobody_listens_is_a_failure() -> None:
    async def send() -> Outcome:
        async with provider(stays_silent) as gone:
            address = gone.url()
        channel = WebhookChannel()
        outcome = await channel.send(message(address))
        await channel.close()
        return outcome

    assert asyncio.run(send()) == Failed("no connection")


@pytest.mark.parametrize("address", ["13900000000", "", "ftp://x/y", "http://"])
def test_an_address_that_is_no_web_address_is_permanently_wrong(address: str) -> None:
    async def send() -> Outcome:
        channel = WebhookChannel()
        outcome = await channel.send(message(address))
        await channel.close()
        return outcome

    assert asyncio.run(send()) == Failed("the address is not a web address", permanent=True)


def test_a_host_name_is_looked_up_on_the_lanes_own_threads() -> None:
    async def send() -> Outcome:
        channel = WebhookChannel()
        async with provider(says("200 OK")) as served:
            outcome = await channel.send(message(f"http://localhost:{served.port}/"))
        await channel.close()
        return outcome

    assert asyncio.run(send()) == Accepted()


@given(st.text())
def test_any_retry_after_is_a_bounded_number_of_seconds(value: str) -> None:
    assert 0.0 <= retry_after_s(value, NOW) <= 86_400.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("Sat, 21 Nov 2026 12:01:00 GMT", 60),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("soon", 0),
        ("-1", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float) -> None:
    assert retry_after_s(value, NOW) == seconds
