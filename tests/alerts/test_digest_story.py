"""The digest of the day and the report of the week, on virtual time: from a Wednesday, 06:13:20."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Connection, event, update

from alerts import schema
from alerts.case import Act
from alerts.digest import TEXT_MAX, Digest, Upkeep, digest_text
from alerts.digest_settings import DigestSettings
from alerts.digest_watch import DAILY, DigestWatch
from alerts.memos import recover_memos
from devices import schema as registry
from devices.database import writing
from devices.model import Medium, PlaceKind, Role, Severity
from devices.spots import Spot
from tests.alerts.memo_post import MemoPost
from tests.alerts.story import START_US, Story

DAY_S = 86_400
HALF_PAST_EIGHT = 2 * 3600 + 17 * 60
"""Seconds from the start of a story to 08:30:20."""
NOON = HALF_PAST_EIGHT + 3 * 3600 + 1800
P3 = Severity.P3


@dataclass
class Post:
    story: Story
    settings: DigestSettings = field(default_factory=lambda: DigestSettings(weekly=False))
    memos: MemoPost = field(init=False)

    def __post_init__(self) -> None:
        self.memos = MemoPost(self.story)

    def look(self) -> list[tuple[str, str, str]]:
        """One look of a watch that was started anew; what is due goes out. Contact, medium and text."""
        DigestWatch(self.story.engine, self.settings).look(self.story.now_us)
        begun = self.memos.begins()
        self.memos.takes(begun)
        codes = {number: code for code, number in self.story.block.contacts.items()}
        return [(codes[one.contact_id], str(one.medium), one.text) for one in begun]

    def texts(self) -> list[str]:
        return [text for _, _, text in self.look()]

    def at(self, day: int, second: float) -> Post:
        self.story.at(day * DAY_S + second)
        return self


@pytest.fixture
def post(story: Story) -> Post:
    return Post(story)


def test_once_a_day_maintenance_is_told_of_what_can_wait(post: Post) -> None:
    """By no call; what stands by building, the oldest first, what is new, what ended. A day missed is told of
    on the next; of nothing nobody is told."""
    story = post.story
    post.memos.bind("maintenance", Role.MAINTENANCE, "area", 1, Medium.VOICE, Medium.EMAIL)
    assert post.look() == [], "the first start"
    post.at(0, NOON)
    story.transition("C1", "monitor-501", P3, ())
    story.transition("S5", "smoke-101", P3, ())
    story.overload("501")  # more than can wait
    assert post.at(1, HALF_PAST_EIGHT - 60).look() == []
    assert post.at(1, HALF_PAST_EIGHT).look() == [
        (
            "maintenance",
            "email",
            "DAILY UPKEEP. 2 open, 2 new. 3号楼: b3-501 device silent since 11-15 (new); "
            "b3-101 battery low since 11-15 (new). List: gengfu report daily",
        )
    ]
    assert post.look() == []
    post.at(1, HALF_PAST_EIGHT + 600)
    story.transition("C1", "landing-1", P3, ())
    assert post.at(1, NOON).look() == []
    story.clears("S5", "smoke-101")
    story.answers("operator", Act.CANCEL, "a new battery", incident=1)
    assert post.at(2, HALF_PAST_EIGHT + 7 * 3600).look() == [], "too late: tomorrow is time enough"
    assert post.at(3, HALF_PAST_EIGHT).texts() == [
        "DAILY UPKEEP. 1 open, 1 new, 1 recovered and to be closed, 1 ended since 11-16. "
        "3号楼: b3-1 landing-1 device silent since 11-16 (new). List: gengfu report daily"
    ]
    story.clears("C1", "landing-1")
    assert post.at(4, HALF_PAST_EIGHT).look() == [], "all has recovered: nobody has to go there"
    with writing(story.engine) as connection:  # a clock that was far ahead
        ahead = update(schema.cursor).where(schema.cursor.c.name == DAILY)
        connection.execute(ahead.values(position=START_US + 400 * DAY_S * 1_000_000))
    post.at(5, NOON).look()
    story.transition("C1", "monitor-501", P3, ())
    assert len(post.at(6, HALF_PAST_EIGHT).look()) == 1


def test_each_keeper_hears_of_their_own_places_and_the_desk_of_the_rest(post: Post) -> None:
    """In their language, after their quiet hours. Exercises, faults of the system, and parts of others are
    none of it."""
    story = post.story
    post.look()
    post.memos.bind("keeper", Role.MAINTENANCE, "dwelling", story.block.dwellings["101"], Medium.EMAIL)
    post.memos.bind("mute", Role.MAINTENANCE, "area", 1, Medium.VOICE)
    with writing(story.engine) as connection:
        keeper = story.block.contacts["keeper"]
        connection.execute(
            update(registry.contact).where(registry.contact.c.id == keeper).values(language="zh-CN")
        )
        connection.execute(
            update(registry.binding)
            .where(registry.binding.c.contact_id == keeper)
            .values(quiet_from=22 * 60, quiet_until=9 * 60)
        )
    post.at(0, 120)
    with writing(story.engine) as connection:  # a desk of another place
        desk = registry.binding.c.contact_id == story.block.contacts["duty_desk"]
        elsewhere = {"place_kind": "dwelling", "place_id": story.block.dwellings["other"]}
        connection.execute(update(registry.binding).where(desk).values(elsewhere))
    for uid in ("smoke-101", "smoke-401", "nobody-knows-it", "smoke-501", "landing-1", "riser"):
        story.transition("S5", uid, P3, ())
    with writing(story.engine) as connection:
        row = schema.incident
        for number, column, value in (
            (4, "place", "drill:x"),
            (5, "hazard", "system"),
            (6, "merged_into", 2),
        ):
            connection.execute(update(row).where(row.c.id == number).values({column: value}))
    assert post.at(1, HALF_PAST_EIGHT).look() == [
        (
            "duty_desk",
            "push",
            "DAILY UPKEEP. 2 open, 2 new. 3号楼: b3-401 battery low since 11-15 (new); "
            "place unknown: nobody-knows-it battery low since 11-15 (new). List: gengfu report daily",
        )
    ]
    assert post.at(1, HALF_PAST_EIGHT + 1790).look() == []
    assert post.at(1, HALF_PAST_EIGHT + 1800).look() == [
        (
            "keeper",
            "email",
            "【每日维护】未恢复 1 条，新增 1 条。3号楼：b3-101 电池电量低，11-15 起（新）。"
            "清单：gengfu report daily",
        )
    ]


def test_a_kill_repeats_no_report_and_skips_none(post: Post) -> None:
    """Killed before the commit nothing is there and the next look tells; after it nobody is told again, and
    what was under way goes out once more."""
    story = post.story
    post.settings = replace(post.settings, weekly=True)
    post.memos.bind("maintenance", Role.MAINTENANCE, "area", 1, Medium.EMAIL)
    post.look()
    story.transition("C1", "monitor-501", P3, ())
    post.at(5, HALF_PAST_EIGHT)
    killed = list[str]()

    def kill(_connection: Connection) -> None:
        killed.append("amid a commit")
        raise RuntimeError

    event.listen(story.engine, "commit", kill)
    DigestWatch(story.engine, post.settings).look(story.now_us)
    event.remove(story.engine, "commit", kill)
    assert killed and post.memos.memos() == []
    DigestWatch(story.engine, post.settings).look(story.now_us)
    kept = sorted(row.key.split("/")[1] for row in post.memos.memos())
    assert kept == ["digest", "weekly", "weekly"]  # maintenance, and the supervisor of the week
    begun = post.memos.begins()
    with writing(story.engine) as connection:  # killed before any answer came
        again = recover_memos(connection, story.now_us)
    assert [one.key for one in again] == [one.key for one in begun]
    post.memos.takes(again)
    for second in (10, 3600, 86_400 - 60):
        story.at(5 * DAY_S + HALF_PAST_EIGHT + second)
        assert post.look() == []
    assert len(post.at(6, HALF_PAST_EIGHT).look()) == 1, "the digest, of the same device"


def test_on_monday_the_week_is_told(post: Post) -> None:
    """Incidents by severity, alarms by rule, how soon somebody had them in hand, false alarms by cause, who
    is silent, where nobody can be reached. What lay before does not count."""
    story = post.story
    post.settings = replace(post.settings, daily=False, weekly=True)
    post.memos.bind("maintenance", Role.MAINTENANCE, "area", 1, Medium.EMAIL)
    story.transition("C1", "smoke-other", P3, ())
    post.at(0, 120).look()
    post.at(1, 0)
    story.transition("C1", "monitor-501", P3, ())
    story.transition("C2", "landing-2", P3, ())
    story.clears("C2", "landing-2")
    story.smoke("101")
    post.at(1, 80)
    story.answers("grid_worker", Act.FALSE_ALARM, incident=4)
    story.answers("grid_worker", Act.FEEDBACK, "cooking, 13800138000", incident=4)
    post.at(1, 1000)
    story.smoke("401")
    post.at(1, 1000 + 3600)
    story.answers("grid_worker", Act.ACKNOWLEDGE, incident=5)
    with writing(story.engine) as connection:  # nobody of the other stair is left
        keep = [story.block.contacts[code] for code in ("duty_desk", "maintenance", "supervisor", "family")]
        way = registry.contact_channel
        connection.execute(update(way).where(way.c.contact_id.not_in(keep)).values(removed_us=story.now_us))
    assert post.at(4, HALF_PAST_EIGHT).look() == [], "a Sunday"
    said = post.at(5, HALF_PAST_EIGHT).look()
    assert [(code, medium) for code, medium, _ in said] == [("maintenance", "email"), ("supervisor", "push")]
    assert said[0][2] == (
        "WEEKLY REPORT 11-15 to 11-20: incidents 4 (P0 2, P3 2). "
        "By rule: S1 smoke alarm 2, C1 device silent 1, C2 device silent 1. "
        "In hand: P0 2 of 2, half within 31 min, the last after 60 min, P3 none of 2. "
        "False alarms 1: cooking, 138****8000 1. Devices silent now: 2. P3 recovered and to be closed: 1. "
        "Dwellings with nobody reachable: 3 (b3-101, b3-401, b3-other). "
        "Other places with nobody reachable: 2 (b3, b3-2). More: gengfu report weekly"
    )
    assert post.look() == []
    assert [text[:44] for text in post.at(12, HALF_PAST_EIGHT).texts()] == [
        "WEEKLY REPORT 11-20 to 11-27: incidents 0. D"
    ] * 2


ZONE = ZoneInfo("Asia/Shanghai")
UPKEEPS = st.builds(
    Upkeep,
    incident_id=st.integers(1, 9),
    building=st.text(max_size=200),
    place=st.text("b3-501", min_size=1, max_size=64),
    what=st.just(("电池电量低", "battery low")),
    devices=st.just(()),
    opened_us=st.integers(START_US - 10, START_US + 10),
    closed_us=st.none() | st.just(START_US),
    stands=st.booleans(),
    spot=st.none() | st.just(Spot(PlaceKind.DWELLING, 1)),
)


ONE = Upkeep(1, "3号楼", "b3-501", ("电池电量低", "battery low"), (), START_US, None, stands=True, spot=None)


@example([ONE] * 60, "en")
@example([ONE] * 60, "zh-CN")
@given(st.lists(UPKEEPS, max_size=60), st.sampled_from(["zh-CN", "en"]))
def test_a_digest_is_short_and_names_or_counts_everything(found: list[Upkeep], language: str) -> None:
    digest = Digest(START_US, START_US + 10, tuple(found))
    text = digest_text(digest, language, ZONE)
    assert len(text) <= TEXT_MAX
    tail = text.rpartition("另有 " if language == "zh-CN" else "and ")[2] if digest.standing else "0"
    named = text.count("电池电量低") + text.count("battery low")
    more = int("".join(filter(str.isdecimal, tail.split()[0]))) if named < len(digest.standing) else 0
    assert named + more == len(digest.standing)
