"""The monthly test of each contact, the daily message, and the standing fault, on virtual time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, event, insert, update

from alerts import schema
from alerts.channel_proofs import Sent, note_sent
from alerts.channels.receipts import ReceiptState
from alerts.reach_settings import ReachSettings
from alerts.reach_watch import ReachWatch
from alerts.reach_words import FAULT
from alerts.silent_tests import CURSOR, MONTH
from devices import schema as registry
from devices.database import reading, writing
from devices.model import Carrier, Medium, Role
from tests.alerts.memo_post import MemoPost
from tests.alerts.story import START_US, Story

ZONE = ZoneInfo("Asia/Shanghai")
DAY_S = 86_400
TEN = 3 * 3600 + 47 * 60
"""Seconds from the start of a story (06:13:20 local) to 10:00:20."""
EIGHT = TEN - 7200
PEOPLE = ("family", "family-2", "family-3", "neighbour", "grid_worker", "grid_worker-2")


@pytest.fixture
def post(story: Story) -> MemoPost:
    return MemoPost(story)


def look(post: MemoPost, watch: ReachWatch | None = None) -> list[str]:
    """One look at all; what is due goes out and is taken. The texts."""
    (watch or ReachWatch(post.story.engine, post.settings)).look(post.story.now_us)
    begun = post.begins()
    post.takes(begun)
    return [one.text for one in begun]


def clock(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, ZONE).strftime("%H:%M")


def test_each_contact_is_tested_once_a_month_by_day_and_nobody_is_called(post: MemoPost) -> None:
    story = post.story
    post.settings = replace(post.settings, report=False)
    with writing(story.engine) as connection:  # one sleeps by day, one had a real message, one sends mail
        sleeper, known = story.block.contacts["family-3"], post.channel_of("grid_worker", Medium.SMS)
        hours = {"quiet_from": 9 * 60, "quiet_until": 18 * 60}
        mine = registry.binding.c.contact_id == sleeper
        connection.execute(update(registry.binding).where(mine).values(hours))
    post.bind("mailed", Role.MAINTENANCE, "area", 1, Medium.EMAIL, Medium.VOICE)
    look(post)
    assert post.memos() == [], "nobody is tested while the process that sends is silent"
    for day in range(MONTH):
        with writing(story.engine) as connection:
            note_sent(connection, [Sent(known, story.now_us, delivered=True)])
        for second in (EIGHT, TEN, TEN + 60, TEN + 8 * 3600) if day < 3 else (TEN,):
            story.at(day * DAY_S + second)
            post.alerts_beats()
            for text in look(post):
                assert "once a month" in text
    told = Counter((code, medium) for code, medium, kind in post.told() if kind == "silent")
    everybody = {*story.block.contacts} - {"micro_station", "fire_brigade", "family-3"}
    ways = {(code, medium) for code in everybody for medium in ("push", "sms")}
    ways -= {("grid_worker", "sms"), ("mailed", "push"), ("mailed", "sms")}
    assert told == Counter(ways | {("mailed", "email")})
    assert {clock(row.made_us)[:2] for row in post.memos() if row.kind == "silent"} == {"10"}
    days = {(row.made_us - START_US) // (DAY_S * 1_000_000) for row in post.memos()}
    assert len(days) > 5, "spread over the month"


def test_a_crash_neither_repeats_nor_skips_a_test_and_days_missed_are_made_up(post: MemoPost) -> None:
    story = post.story
    few_settings = replace(post.settings, per_minute=6, report=False)
    few = ReachWatch(story.engine, few_settings)  # a message a look
    story.at(TEN)
    post.alerts_beats()
    look(post, few)
    story.at(9 * DAY_S + TEN)
    post.alerts_beats()
    die = Random(501)

    def commits(_connection: Connection) -> None:
        if die.random() < 0.4:
            raise OSError("the power is cut before the commit")

    for _ in range(30):
        event.listen(story.engine, "commit", commits)
        ReachWatch(story.engine, few_settings).look(story.now_us)  # started anew each time
        event.remove(story.engine, "commit", commits)
        post.takes(post.begins())
    for _ in range(10):
        look(post, few)
    reached = Counter((row.contact_id, row.medium) for row in post.memos() if row.kind == "silent")
    assert set(reached.values()) == {1}
    contacts = story.block.contacts
    today = post.settings.day(story.now_us)
    due = {
        n for n in contacts.values() if any(n % MONTH == day % MONTH for day in range(today - 9, today + 1))
    }
    due -= {contacts["micro_station"], contacts["fire_brigade"]}
    assert {n for n, _ in reached} == due
    place = {row.name: row.position for row in story.table(schema.cursor)}[CURSOR]
    assert place >> 32 == today + 1
    off = ReachWatch(story.engine, replace(post.settings, silent=False))
    story.at(12 * DAY_S + TEN)
    post.alerts_beats()
    assert look(post, off) == []


def test_the_day_begins_with_one_message_when_something_is_wrong(post: MemoPost) -> None:
    """The story begins on a Wednesday. The desk and maintenance hear of it, by no call; once, after a restart
    of ours too; on Mondays also when all is well."""
    story = post.story
    post.settings = replace(post.settings, silent=False)
    post.bind("maintenance", Role.MAINTENANCE, "area", 1, Medium.VOICE, Medium.EMAIL)
    assert look(post) == [], "nothing at the first start"
    story.at(DAY_S + EIGHT - 60)
    assert look(post) == []
    story.at(DAY_S + EIGHT)
    assert look(post) == [], "all is well, and it is no Monday"
    with writing(story.engine) as connection:
        way, keep = registry.contact_channel, [story.block.contacts[c] for c in ("duty_desk", "maintenance")]
        connection.execute(update(way).where(way.c.contact_id.not_in(keep)).values(removed_us=story.now_us))
    story.at(2 * DAY_S + EIGHT)
    said = look(post)
    assert len(said) == 2
    assert all(text.startswith("DAILY CHECK. 4 dwellings have nobody reachable: b3-") for text in said)
    assert all("Correct their entries" in text and "10 contacts have no way" in text for text in said)
    assert sorted(told for told in post.told() if told[2] == "report") == [
        ("duty_desk", "push", "report"),
        ("maintenance", "email", "report"),
    ]
    assert look(post) == []
    story.at(3 * DAY_S + EIGHT + 7 * 3600)
    assert look(post) == [], "seven hours late: tomorrow is time enough"
    with writing(story.engine) as connection:
        connection.execute(update(way).values(removed_us=None))
    story.at(4 * DAY_S + EIGHT)
    assert look(post) == []
    story.at(5 * DAY_S + EIGHT)
    assert [text.partition(".")[0] for text in look(post)] == ["WEEKLY CHECK", "WEEKLY CHECK"]
    assert "somebody can be reached" in post.memos()[-1].text


def test_dwellings_whose_people_are_all_behind_dead_numbers_are_a_standing_fault(post: MemoPost) -> None:
    story, way = post.story, registry.contact_channel
    watch = ReachWatch(story.engine, replace(post.settings, uncarried=frozenset({Carrier.FEISHU})))
    with writing(story.engine) as connection:
        connection.execute(update(way).where(way.c.medium == "voice").values(removed_us=story.now_us))

    def fault() -> str:
        watch.check(story.now_us)
        standing = [r for r in story.table(schema.system_fault) if r.code == FAULT and r.ended_us is None]
        return standing[0].text if standing else ""

    assert not fault()
    post.asks(*PEOPLE, "building_secretary")
    begun = [one for one in post.begins() if one.medium is Medium.SMS]
    post.takes(begun)
    for one in begun:
        post.hears(one, ReceiptState.FAILED, "no such number")
    assert not fault(), "the micro station can still be told"
    with writing(story.engine) as connection:
        station = story.block.contacts["micro_station"]
        connection.execute(
            update(registry.binding).where(registry.binding.c.contact_id == station).values(ended_us=1)
        )
        connection.execute(insert(registry.registry_change).values(at_us=1, by="test", what="unbound"))
    assert "4 户装有烟感" in fault() or "4 dwellings with a smoke detector" in fault()
    story.at(60)
    post.asks("grid_worker", channel=post.channel_of("grid_worker", Medium.SMS))
    (sms,) = post.begins()
    post.takes([sms])
    post.hears(sms, ReceiptState.DELIVERED)
    assert not fault()


def test_what_was_switched_off_and_a_clock_set_back_do_nothing_wrong(post: MemoPost) -> None:
    story = post.story
    quiet = ReachSettings(silent=False, report=False)
    story.at(5 * DAY_S + TEN)
    post.alerts_beats()
    ReachWatch(story.engine, quiet).look(story.now_us)
    assert post.memos() == []
    with writing(story.engine) as connection:
        ahead = (post.settings.day(story.now_us) + 400) << 32
        connection.execute(insert(schema.cursor).values(name=CURSOR, position=ahead))
    look(post)
    with reading(story.engine) as connection:
        place = {row.name: row.position for row in connection.execute(schema.cursor.select())}[CURSOR]
    assert place >> 32 <= post.settings.day(story.now_us) + 1
