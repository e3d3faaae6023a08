"""A 2xx that speaks against itself is a failure; one that says nothing is not."""

from __future__ import annotations

import pytest

from alerts.channels.channel import Accepted, Failed
from alerts.channels.http import Reply
from alerts.channels.plain_answers import judge


@pytest.mark.parametrize(
    "body",
    [
        "", "OK", "accepted", "[]", "[1]", "null", '"x"', "{}",
        '{"errcode": 0}', '{"code": 200}', '{"code": "OK"}',
        '{"ok": true, "result": {"message_id": 7}}', '{"status": "success"}', '{"status": 202}',
        '{"error": null}', '{"errors": []}', '{"success": true, "error": ""}', '{"ret": 0, "data": [1]}',
        "<?xml version='1.0'?><ok/>", "[" * 60_000,
    ],
)  # fmt: skip
def test_an_ordinary_answer_is_accepted(body: str) -> None:
    assert judge(Reply(200, body.encode())) == Accepted()


@pytest.mark.parametrize(
    "body",
    [
        '{"errcode": 310000}', '{"code": 19001}', '{"Code": "InvalidKey"}',
        '{"StatusCode": 1}', '{"errno": 5}',
        '{"ret": -1}', '{"ok": false}', '{"success": false}', '{"status": "error", "error": "bad token"}',
        '{"error": {"code": 401}}', '{"errors": ["no such user"]}', '{"result": "fail"}', '{"status": 500}',
        '[{"code": 0}, {"code": 1}]', "<html>Log in to the network</html>",
        "\ufeff  <!DOCTYPE html><title>Portal</title>",
    ],
)  # fmt: skip
def test_a_refusal_with_http_200_is_a_failure_worth_another_try(body: str) -> None:
    outcome = judge(Reply(200, body.encode()))
    assert isinstance(outcome, Failed)
    assert not outcome.permanent


def test_a_reason_holds_a_code_and_never_a_vendors_words() -> None:
    assert judge(Reply(200, b'{"error": "no user at 13900000000"}')) == Failed("error not zero")
