"""Tests of contacts that somebody asked for: how they go, what they prove, and whom they never reach."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from sqlalchemy import insert, update

from alerts import schema
from alerts.channel_proofs import bounced_channels
from alerts.channels.aliyun import AliyunKey
from alerts.channels.aliyun_sms import AliyunSmsSettings
from alerts.channels.carriers import Accounts
from alerts.channels.receipts import ReceiptState
from alerts.channels.smtp import SmtpSettings
from alerts.channels.templates import Template
from alerts.contact_tests import alarming_word, parts_of_test, refused_carriers, words_of_test
from alerts.gate import GateError
from alerts.handover import Handover
from alerts.memo_post import MemoPost as Post
from alerts.memos import Kind, Memo, recover_memos, withdraw_memos
from alerts.memos_asked import ask_memos_later, may_memo_come, memos_to_ask
from alerts.receipt_schema import channel_proof, receipt
from alerts.replies_lost import find_lost
from alerts.tests_asked import NO_STATION, SHARED
from alerts.whole_parts import whole_parts
from devices import schema as registry
from devices.database import reading, writing
from devices.model import Carrier, Medium, Role
from devices.people import Way
from tests.alerts.memo_post import MemoPost
from tests.alerts.story import Story

SMS = Way(1, Medium.SMS, Carrier.ALIYUN_SMS, 1)


@pytest.fixture
def post(story: Story) -> MemoPost:
    return MemoPost(story)


def test_a_test_goes_by_every_way_and_says_how_far_it_got(post: MemoPost) -> None:
    asked, left_out = post.asks("family")
    push, sms, voice = post.begins()
    assert not left_out
    assert {one.rank for one in (push, sms, voice)} == {9}
    assert all(one.text.startswith("TEST. ") and one.link == "" for one in (push, sms, voice))
    assert post.begins() == []

    post.takes([push, sms, voice])
    found = post.outcomes(asked)
    assert [(one.word, one.over, one.good) for one in found.values()] == [
        ("accepted", True, True),  # a robot says no more than that
        ("accepted", False, False),
        ("accepted", False, False),
    ]
    post.hears(sms, ReceiptState.DELIVERED)
    post.replies("family", "1")
    post.hears(voice, ReceiptState.FAILED, "no answer")
    found = post.outcomes(asked)
    assert found["family", "sms"].word == "answered"
    assert (found["family", "voice"].word, found["family", "voice"].detail) == ("bounced", "no answer")
    for table in (schema.incident, schema.notification, schema.incident_change, schema.act):
        assert post.story.table(table) == [], "a test is no incident, nor part of one"
    with reading(post.story.engine) as connection:
        assert bounced_channels(connection) == {}, "nobody at home is no wrong number"
    proof = {row.channel_id: row.delivered_us for row in post.story.table(channel_proof)}
    assert proof == {sms.channel_id: post.story.now_us}


def test_a_number_that_bounces_is_known_from_its_test_and_mended_by_the_next(post: MemoPost) -> None:
    asked, _ = post.asks("family", channel=post.channel_of("family", Medium.SMS))
    (sms,) = post.begins()
    post.hears(sms, ReceiptState.FAILED, "early")  # quicker than our own commit: it waits
    post.takes([sms])
    post.story.turn()
    assert post.outcomes(asked)["family", "sms"].detail == "early"
    with reading(post.story.engine) as connection:
        assert bounced_channels(connection).keys() == {sms.channel_id}
    post.story.at(60)
    post.asks("family", channel=sms.channel_id)
    (again,) = post.begins()
    post.takes([again])
    post.hears(again, ReceiptState.DELIVERED)
    with reading(post.story.engine) as connection:
        assert bounced_channels(connection) == {}


def test_what_fails_is_tried_again_while_somebody_waits_and_a_crash_repeats_what_it_cut_off(
    post: MemoPost,
) -> None:
    asked, _ = post.asks("family", channel=post.channel_of("family", Medium.PUSH))
    (push,) = post.begins()
    post.refuses(push, "busy", for_good=False)
    assert post.begins() == []
    post.story.at(30)
    (second,) = post.begins()
    with writing(post.story.engine) as connection:  # the process is killed and starts again
        (third,) = recover_memos(connection, post.story.now_us)
    assert (push.n, second.n, third.n) == (1, 2, 3)
    post.takes([second])  # what the dead process had in hand counts no more
    assert post.outcomes(asked)["family", "push"].word == "sending"
    post.refuses(third, "no such robot", for_good=True)
    assert post.outcomes(asked)["family", "push"].word == "refused"
    asked, _ = post.asks("neighbour", channel=post.channel_of("neighbour", Medium.PUSH))
    with writing(post.story.engine) as connection:
        withdraw_memos(connection, [one.memo_id for one in asked], "nobody waits")
    assert post.begins() == []
    asked, _ = post.asks("neighbour", wait_min=1)
    post.story.at(120)
    assert post.begins() == []
    assert {one.word for one in post.outcomes(asked).values()} == {"withdrawn"}


def test_no_test_reaches_a_station_by_whatever_way(post: MemoPost) -> None:
    """Not a station, not who stands in for one, not their number under another name, and not who became one
    since."""
    story, way = post.story, registry.contact_channel
    station, friend = story.block.contacts["micro_station"], story.block.contacts["family-2"]
    with writing(story.engine) as connection:
        connection.execute(
            update(way)
            .where(way.c.contact_id.in_([station, friend]), way.c.medium == "sms")
            .values(address_index=b"same")
        )
        connection.execute(
            insert(registry.substitution).values(
                contact_id=station, substitute_id=story.block.contacts["family-3"], from_us=story.now_us + 1,
                until_us=story.now_us + 2, made_us=0, made_by="test",
            )
        )  # fmt: skip
    asked, left_out = post.asks("micro_station", "fire_brigade", "family-2", "family-3", "neighbour")
    assert {(one.code, one.why) for one in left_out} == {
        ("micro_station", NO_STATION),
        ("fire_brigade", NO_STATION),
        ("family-3", NO_STATION),
        ("family-2", SHARED),
    }
    assert {one.code for one in asked} == {"family-2", "neighbour"}
    post.bind("neighbour", Role.MICRO_STATION, "area", 1)
    assert {one.contact_id for one in post.begins()} == {friend}
    assert {row.medium for row in post.memos() if row.state == "sending"} == {"push", "voice"}
    with pytest.raises(GateError):
        Memo("memo/test/x/1", Kind.TEST, station, SMS, "en", "TEST.", {})


def test_a_test_takes_no_part_in_an_incident_and_says_nothing_that_an_alarm_says(post: MemoPost) -> None:
    """Who was told of a fire is not tested, and an SMS of a test asks for no reply."""
    sms = post.channel_of("family", Medium.SMS)
    post.story.smoke("501")
    post.asks("family", channel=sms, wait_min=30)
    assert post.begins() == []
    post.story.at(60)
    with writing(post.story.engine) as connection:
        connection.execute(update(schema.incident).values(state="closed", closed_us=post.story.now_us))
    assert post.begins() == []
    post.story.at(601)
    assert [one.channel_id for one in post.begins()] == [sms]
    for language in ("zh-CN", "en"):
        said = [words_of_test("幸福里", language, monthly=monthly) for monthly in (True, False)]
        for medium in Medium:
            parts = parts_of_test("幸福里", language, medium, "10:00")
            whole = whole_parts(parts, "", "", Carrier.ALIYUN_SMS, language)
            assert bool(whole["answer"]) is (medium is Medium.VOICE)
            said += whole_parts(parts, said[0], "", Carrier.ALIYUN_SMS, language).values()
        assert [alarming_word(one) for one in said if alarming_word(one)] == []
    assert said[0].startswith("TEST. ")
    assert words_of_test("", "zh-CN", monthly=False).startswith("【测试】")


def test_received_answers_the_sms_that_came_last_and_a_test_stops_no_calls(post: MemoPost) -> None:
    story = post.story
    post.bind("aunt", Role.FAMILY, "dwelling", story.block.dwellings["501"], Medium.SMS)
    asked, _ = post.asks("family", "aunt")
    post.takes(post.begins())
    story.at(5)
    story.smoke("501")
    story.at(20)
    for text in ("1", "收到 ok?", "1 🔥"):
        post.replies("family", text)  # the fire came to them as a push, the test as the last SMS
    assert post.outcomes(asked)["family", "sms"].word == "answered"
    notes = [(row.act, row.note.partition("（")[0]) for row in story.table(schema.act)]
    assert notes == [("note", "收到 ok?"), ("note", "1 🔥")]
    assert story.incident().state == "dispatched"
    assert {one.code for one in story.between(20.5, 400).messages} >= {"family"}, "the calls go on"
    post.replies("aunt", " 1 ")  # to her the fire came as the last SMS
    assert post.outcomes(asked)["aunt", "sms"].word == "accepted"
    assert story.incident().state == "acknowledged"


def test_a_reply_that_says_more_than_received_answers_no_test(post: MemoPost) -> None:
    post.asks("family")
    post.takes(post.begins())
    post.story.at(3 * 3600)
    for text in ("3 求助", "着火了 快来", "2", "1 🔥", "1" + "。" * 40):
        post.replies("family", text)
    rows = post.story.table(receipt)
    assert {(row.outcome, row.text != "") for row in rows} == {("no_incident", True)}
    assert {row.answered_us for row in post.memos()} == {None}
    with reading(post.story.engine) as connection:
        assert "5 条没有对应的警情、其中 1 条求助" in find_lost(connection, post.story.now_us)["replies_lost"]


def test_what_a_crash_cut_off_is_begun_again_only_in_its_time_and_in_no_fire(post: MemoPost) -> None:
    def recovers() -> list[Handover]:
        with writing(post.story.engine) as connection:
            return recover_memos(connection, post.story.now_us)

    asked, _ = post.asks("family", wait_min=30)
    asked += post.asks("neighbour", wait_min=2)[0]
    post.begins()
    post.story.at(130)  # the process was killed and starts again
    family = post.story.block.contacts["family"]
    assert {one.contact_id for one in recovers()} == {family}
    late = post.outcomes(asked)["neighbour", "voice"]
    assert (late.word, late.detail) == ("failed", "cut off by a crash, too late")
    post.story.smoke("501")
    assert recovers() == []
    assert {row.state for row in post.memos() if row.contact_id == family} == {"waiting"}
    post.story.at(600)
    assert post.begins() == []
    with writing(post.story.engine) as connection:
        connection.execute(update(schema.incident).values(state="closed", closed_us=post.story.now_us))
    post.story.at(740)
    assert {one.contact_id for one in post.begins()} == {family}
    post.story.at(12 * 3600)
    assert recovers() == []
    assert {one.word for one in post.outcomes(asked).values()} == {"failed"}


def test_ways_that_would_say_or_do_more_than_a_test_may_are_left_out() -> None:
    key = AliyunKey("id", "secret")
    loud = AliyunSmsSettings(key, "更夫", Template("c", "火警：${where}", ()))
    plain = AliyunSmsSettings(key, "更夫", Template("c", "${where}${what}", ()))
    mail = SmtpSettings("host", "us@example.org")
    refused = refused_carriers(Accounts({Carrier.ALIYUN_SMS: loud, Carrier.SMTP: mail}))
    assert "火" in refused[Carrier.ALIYUN_SMS]
    assert Carrier.SMTP not in refused
    assert "channels.tencent.sms" in refused[Carrier.TENCENT_SMS]
    assert Carrier.ALIYUN_SMS not in refused_carriers(Accounts({Carrier.ALIYUN_SMS: plain}))


def test_providers_are_asked_what_became_of_a_test_until_it_is_known(post: MemoPost) -> None:
    story = post.story
    post.asks("family", channel=post.channel_of("family", Medium.SMS))
    (sms,) = post.begins()
    post.takes([sms])

    def due() -> list[tuple[int, str, int]]:
        with reading(story.engine) as connection:
            rows = memos_to_ask(connection, Carrier.ALIYUN_SMS, story.now_us, 10)
            assert memos_to_ask(connection, Carrier.TENCENT_SMS, story.now_us, 10) == []
        return [(row.id, row.receipt, row.ended_us) for row in rows]

    sent_us = story.now_us
    assert due() == []
    story.at(61)
    assert due() == [(sms.notification_id, f"biz{sms.notification_id}", sent_us)]
    with writing(story.engine) as connection:
        assert may_memo_come(connection, story.now_us)
        ask_memos_later(connection, Carrier.ALIYUN_SMS, {sms.notification_id: sent_us, 1: 0}, story.now_us)
    assert due() == []
    story.at(301)
    assert due() != []
    post.hears(sms, ReceiptState.DELIVERED)
    assert due() == []
    with reading(story.engine) as connection:
        assert not may_memo_come(connection, story.now_us)


def test_no_memo_is_begun_while_a_message_of_an_alarm_waits(post: MemoPost) -> None:
    class Busy:
        """What the post needs of a sender."""

        def __init__(self) -> None:
            self.backlog = 0
            self.taken: list[Handover] = []

        def submit(self, handovers: Iterable[Handover]) -> None:
            self.taken.extend(handovers)

    sender = Busy()
    mail = Post(post.story.engine, sender, lambda: post.story.now_us)

    async def look_twice() -> None:
        await mail.look()  # the first takes up what a crash cut off
        post.asks("family")
        sender.backlog = 1
        await mail.look()
        assert sender.taken == []
        sender.backlog = 0
        await mail.look()

    asyncio.run(look_twice())
    assert len(sender.taken) == 3
