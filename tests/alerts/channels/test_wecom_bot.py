from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.wecom_bot import WecomBotChannel
from tests.alerts.channels.providers import message
from tests.alerts.channels.sending import sent
from tests.alerts.channels.vendors.wecom import ROBOT_KEY, WecomRobot


def through(robot: WecomRobot, *messages: Message, key: str = ROBOT_KEY) -> list[Outcome]:
    """Sends `messages` to the robot, whatever addresses they have."""

    def addressed(root: str) -> Sequence[Message]:
        return [replace(each, address=f"{root}/cgi-bin/webhook/send?key={key}") for each in messages]

    return sent(robot, lambda _: WecomBotChannel(), addressed)


def test_a_message_arrives_as_text_with_its_link() -> None:
    robot = WecomRobot()
    assert through(robot, message("")) == [Accepted()]
    assert robot.texts == ["厨房 smoke\nhttp://a.example/x"]


def test_only_an_urgent_message_mentions_everybody() -> None:
    robot = WecomRobot()
    through(robot, message("", urgent=True), message("", urgent=False))
    assert robot.mentioned == [["@all"], []]


def test_what_follows_a_hash_does_not_disturb() -> None:
    assert through(WecomRobot(), message(""), key=f"{ROBOT_KEY}#SEC1") == [Accepted()]


def test_a_robot_that_was_removed_is_permanent() -> None:
    assert through(WecomRobot(), message(""), key="other") == [Failed("errcode 93000", permanent=True)]


def test_the_twenty_first_message_of_a_minute_waits_a_minute() -> None:
    outcomes = through(WecomRobot(), *[message("")] * 21)
    assert outcomes == [*[Accepted()] * 20, Failed("errcode 45009", False, 60.0)]


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        ((45033, "api concurrent out of limit"), Failed("errcode 45033", False, 2.0)),
        ((-1, "system busy"), Failed("errcode -1")),
        ((93004, "stopped"), Failed("errcode 93004", permanent=True)),
        ((4711, "new"), Failed("errcode 4711")),
    ],
)
def test_codes_pass_last_or_are_worth_another_try(refusal: tuple[int, str], expected: Failed) -> None:
    assert through(WecomRobot(refuse_with=refusal), message("")) == [expected]


@pytest.mark.parametrize("text", ["烟" * 20_000, "\\\n" * 20_000, "x" * 2_029, "x" * 2_030, "x\ud800y"])
def test_no_text_is_refused_for_its_length_or_letters(text: str) -> None:
    robot = WecomRobot()
    assert through(robot, message("", text=text)) == [Accepted()]
    assert robot.texts[0].endswith("\nhttp://a.example/x")


def test_2048_bytes_are_used_to_the_last() -> None:
    robot = WecomRobot()
    through(robot, message("", text="x" * 2_029), message("", text="x" * 2_030))
    assert [len(text.encode()) for text in robot.texts] == [2_048, 2_048]
    assert [text.count("…") for text in robot.texts] == [0, 1]
