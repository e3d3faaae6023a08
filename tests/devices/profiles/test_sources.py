"""What a profile remembers of topics and channels, and what it must not."""

from __future__ import annotations

import numpy as np

from devices.profiles.own.own_profile import OwnProfile
from devices.profiles.sources import CHANNELS_MAX
from tests.devices.profiles.listening import Registry, readings

METER = "gengfu/meter/readings"
GHOST = "gengfu/ghost/readings"


def body(*channels: str) -> bytes:
    parts = ",".join(f'"{channel}":{{"current":{n}}}' for n, channel in enumerate(channels))
    return b'{"channels":{%s}}' % parts.encode()


def heard(profile: OwnProfile, registry: Registry, *messages: tuple[str, bytes]) -> list[tuple[str, str]]:
    topics, bodies = [list(part) for part in zip(*messages, strict=True)]
    decoded = profile.decode([str(one) for one in topics], [bytes(one) for one in bodies], registry)
    return [(uid, channel) for uid, channel, *_ in readings(decoded, registry)]


def test_channels_are_remembered_and_asked_for_once() -> None:
    profile, registry = OwnProfile(), Registry()
    for _ in range(3):
        assert heard(profile, registry, (METER, body("l1", "n"))) == [("own:meter", "l1"), ("own:meter", "n")]
    assert registry.asked == 2


def test_more_channels_than_there_are_columns_are_heard_all_the_same() -> None:
    profile, registry = OwnProfile(), Registry()
    for first in (0, 20, 40):
        names = [f"ch{n}" for n in range(first, first + 20)]
        for _ in range(2):
            assert heard(profile, registry, (METER, body(*names))) == [("own:meter", one) for one in names]
    assert profile._sources._rows.shape[1] <= CHANNELS_MAX


def test_channels_that_strangers_invent_leave_nothing_behind() -> None:
    profile, registry = OwnProfile(), Registry(unknown={"own:ghost"})
    for n in range(100):
        heard(profile, registry, (GHOST, body(f"x{n}", "l1")), (METER, body("l1")))
    assert heard(profile, registry, (METER, body("l1", "l2"))) == [("own:meter", "l1"), ("own:meter", "l2")]
    assert profile._sources._channels == ["", "l1", "l2"]
    assert len(profile._sources) == 1


def test_a_forgotten_strangers_place_is_clean_for_the_next() -> None:
    profile, registry = OwnProfile(), Registry(unknown={"own:ghost"})
    heard(profile, registry, (GHOST, body("l1")))
    registry.unknown.clear()
    heard(profile, registry, ("gengfu/other/readings", body("l1")), (METER, body("l1")))
    found = heard(profile, registry, (GHOST, body("l1")), (METER, body("l1")))
    assert found == [("own:ghost", "l1"), ("own:meter", "l1")]


def test_recall_tells_known_topics_from_others_without_learning_them() -> None:
    profile, registry = OwnProfile(), Registry()
    heard(profile, registry, (METER, body("")))
    for _ in range(2):
        assert np.flatnonzero(profile.recall([GHOST, METER, GHOST]) >= 0).tolist() == [1]
