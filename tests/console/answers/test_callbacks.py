"""What providers post to the public process, and what they hear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from starlette.testclient import TestClient

from alerts.callbacks import POSTERS, callback_secret, callback_url, poster_of
from alerts.receipt_schema import receipt, receipt_unread
from alerts.receipts_kept import contacts_by, keep_unread
from alerts.schema import attempt
from console.answers.app import create_answers
from console.answers.body_limit import BODY_MAX, POST_MAX
from console.answers.settings import AnswersSettings
from devices.database import reading, writing
from devices.model import Carrier
from devices.schema import contact_channel
from devices.vault import Vault
from tests.console.block import LINK_KEY, Block

KEY = b"c" * 32
VAULT = Vault(b"v" * 32)
NUMBER = "13900001234"
SMS = Carrier.ALIYUN_SMS


@contextmanager
def provider(block: Block, key: bytes = KEY) -> Iterator[TestClient]:
    own = AnswersSettings(LINK_KEY, block.clock, callback_key=key, find=contacts_by(VAULT.indexing()))
    with TestClient(create_answers(own, block.engine), raise_server_exceptions=False) as client:
        yield client


def path(carrier: Carrier, key: bytes = KEY) -> str:
    return f"/callback/{carrier}/{callback_secret(key, carrier)}"


def report(block: Block, **changes: Any) -> bytes:
    entry = {"biz_id": "biz-1", "success": True, "phone_number": NUMBER, "err_code": "DELIVERED"} | changes
    return json.dumps([entry]).encode()


def reply(text: str) -> bytes:
    return json.dumps([{"phone_number": NUMBER, "content": text, "sequence_id": "9"}]).encode()


def kept(block: Block) -> list[Any]:
    with reading(block.engine) as connection:
        return list(connection.execute(select(receipt).order_by(receipt.c.id)))


def letters(block: Block) -> list[Any]:
    with reading(block.engine) as connection:
        return list(connection.execute(select(receipt_unread)))


@pytest.fixture
def fire(block: Block) -> Block:
    """One open fire alarm in 501, everybody told; the family's message has a receipt."""
    block.smoke("501")
    block.decide()
    with writing(block.engine) as connection:
        connection.execute(update(attempt).values(carrier=str(SMS)))
        family = contact_channel.c.contact_id == block.contacts["F501"]
        connection.execute(
            update(contact_channel).where(family).values(address_index=VAULT.blind_index(f"+86 {NUMBER}"))
        )
    block.pass_s(5)
    return block


def test_a_reply_is_kept_with_the_contact_and_becomes_an_act(fire: Block) -> None:
    with provider(fire) as client:
        answer = client.post(path(SMS), content=reply("1 收到"))
    assert (answer.status_code, answer.json()["code"]) == (200, 0)
    fire.decide()
    assert fire.acts() == [(f"contact:{fire.contacts['F501']}", "acknowledge", "done")]
    assert NUMBER not in str(kept(fire))


def test_what_is_posted_again_is_kept_once(fire: Block) -> None:
    with provider(fire) as client:
        for _ in range(3):
            assert client.post(path(SMS), content=report(fire)).status_code == 200
            assert client.post(path(SMS), content=reply("1")).status_code == 200
    assert [row.state for row in kept(fire)] == ["delivered", "reply"]


@pytest.mark.parametrize("carrier", POSTERS)
def test_each_provider_is_thanked_as_it_wants_whatever_it_posts(block: Block, carrier: Carrier) -> None:
    with provider(block) as client:
        for body in (b"", b"[]", b"{", b'{"a": 1}', b"\xff\x00", b"[" * 5000, b"x" * (BODY_MAX * 4)):
            answer = client.post(path(carrier), content=body)
            assert (answer.status_code, answer.content) == (200, POSTERS[carrier].thanks)
            assert answer.headers["content-type"] == "application/json"


def test_what_cannot_be_read_is_counted_and_kept_as_a_dead_letter_without_the_number(block: Block) -> None:
    with provider(block) as client:
        client.post(path(SMS), content=json.dumps([{"mobile": NUMBER}, 5]).encode())
        assert client.app.state.inbox.counts["unread"] == 2  # type: ignore[attr-defined]
    (letter,) = letters(block)
    assert (letter.carrier, letter.entries) == ("aliyun_sms", 2)
    assert NUMBER not in letter.body and "mobile" in letter.body


def test_only_the_newest_thousand_dead_letters_are_kept(block: Block) -> None:
    with writing(block.engine) as connection:
        for number in range(1003):
            keep_unread(connection, SMS, number, b"x", 1)
    assert [row.entries for row in letters(block)] == list(range(3, 1003))


@pytest.mark.parametrize(
    "wrong",
    [
        "/callback/aliyun_sms/",
        "/callback/aliyun_sms/guess",
        f"/callback/webhook/{callback_secret(KEY, Carrier.WEBHOOK)}",
        f"/callback/nobody/{callback_secret(KEY, SMS)}",
        f"/callback/aliyun_voice/{callback_secret(KEY, SMS)}",
        f"/callback/aliyun_sms/{callback_secret(b'other' * 8, SMS)}",
        f"/callback/aliyun_sms/{callback_secret(KEY, SMS)[:-1]}",
    ],
)
def test_a_forged_post_changes_nothing_and_hears_what_every_wrong_link_hears(fire: Block, wrong: str) -> None:
    with provider(fire) as client:
        answer = client.post(wrong, content=reply("2"))
        assert (answer.status_code, answer.text) == (404, client.get("/a/1-1-wrong").text)
    assert kept(fire) == [] and letters(fire) == []


def test_without_a_secret_of_the_site_there_are_no_addresses(fire: Block) -> None:
    with provider(fire, b"") as client:
        assert client.post(path(SMS, b""), content=reply("2")).status_code == 404
    assert kept(fire) == []


def test_looking_at_an_address_changes_nothing(fire: Block) -> None:
    with provider(fire) as client:
        assert client.get(path(SMS)).status_code == 405
    assert kept(fire) == []


def test_a_post_beyond_all_bounds_is_not_taken(block: Block) -> None:
    with provider(block) as client:
        assert client.post(path(SMS), content=b"x" * (POST_MAX + 1)).status_code == 413


def test_a_database_that_cannot_take_it_asks_the_provider_to_post_again(block: Block) -> None:
    with provider(block) as client:
        with writing(block.engine) as connection:
            receipt.drop(connection)
        answer = client.post(path(SMS), content=reply("1"))
        with writing(block.engine) as connection:
            receipt.create(connection)
        assert (answer.status_code, client.app.state.inbox.counts["failed"]) == (503, 1)  # type: ignore[attr-defined]
        assert client.post(path(SMS), content=reply("1")).status_code == 200
    assert len(kept(block)) == 1


def test_the_address_is_what_the_command_prints(block: Block) -> None:
    url = callback_url("https://fire.example/", KEY, SMS)
    assert url == f"https://fire.example{path(SMS)}"
    with provider(block) as client:
        assert client.post(url.removeprefix("https://fire.example"), content=b"[]").status_code == 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(secret=st.text(max_size=40), carrier=st.sampled_from(list(Carrier)))
def test_nothing_but_the_secret_opens(secret: str, carrier: Carrier) -> None:
    genuine = carrier in POSTERS and secret == callback_secret(KEY, carrier)
    assert (poster_of(KEY, carrier, secret) is carrier) == genuine
