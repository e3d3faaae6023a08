"""Announcements that are withdrawn take their proposals with them."""

from __future__ import annotations

from devices.profiles.general import announced
from devices.profiles.general.announced import Announced
from devices.profiles.profile import Proposal
from tests.devices.profiles.describing import decode, described

HOUSE = """
name = "house"
[[message]]
name = "config"
topics = ["homeassistant/{component}/{object}/config"]
format = "home_assistant"
"""
TOPIC = "homeassistant/sensor/a/config"
CONFIG = {"state_topic": "panel/a", "name": "power"}


def offers(*uids: str) -> list[Proposal]:
    return [Proposal(uid, f"t/{uid}", {}) for uid in uids]


def withdrawn(found: list[Proposal]) -> list[str]:
    return [one.uid for one in found if not one.topic]


def test_an_empty_config_withdraws_what_its_topic_announced() -> None:
    profile = described(HOUSE)
    (offer,) = decode(profile, (TOPIC, CONFIG)).asides.proposals
    other = TOPIC.replace("/a/", "/b/")
    assert decode(profile, (other, b"")).asides.proposals == ()
    for nothing in (b"", b"  "):
        decode(profile, (TOPIC, CONFIG))
        decoded = decode(profile, (TOPIC, nothing))
        assert decoded.rejected == []
        assert decoded.asides.proposals == (Proposal(offer.uid, "", {}),)
        assert decode(profile, (TOPIC, nothing)).asides.proposals == ()


def test_a_device_stays_proposed_while_one_topic_announces_it() -> None:
    one = Announced()
    one.said("a", offers("x", "y"))
    one.said("b", offers("x"))
    assert withdrawn(one.said("a", ())) == ["y"]
    assert withdrawn(one.said("b", ())) == ["x"]
    assert withdrawn(one.said("b", ())) == []


def test_a_config_that_names_another_device_withdraws_the_first() -> None:
    one = Announced()
    one.said("a", offers("x"))
    found = one.said("a", offers("y"))
    assert (withdrawn(found), found[0].uid) == (["x"], "y")
    assert withdrawn(one.said("a", offers("y"))) == []


def test_what_is_remembered_is_bounded() -> None:
    one = Announced()
    for n in range(announced.TOPICS_MAX):
        one.said(f"t{n}", offers("x"))
    assert one.said("more", offers("z")) == offers("z")
    assert one.said("more", ()) == []
