"""Bad input is really bad, each in the way its name says."""

from __future__ import annotations

import json

import pytest

from devices.model import Quality
from simulators.faults import IN_1970_MS, IN_2099_MS, BadInput, bad_inputs, garbage_topics

LIMIT = 262_144
ALL = bad_inputs("gm-000001", "0x0267660000000001", 1_700_000_000_000, LIMIT)
BY_NAME = {bad.name: bad for bad in ALL}


def is_json(payload: bytes) -> bool:
    """Strictly: UTF-8 without surrogates, and no NaN or Infinity."""

    def refuse(literal: str) -> None:
        raise ValueError(literal)

    try:
        json.loads(payload.decode(), parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(ALL) > 30


@pytest.mark.parametrize("bad", ALL, ids=[bad.name for bad in ALL])
def test_what_must_be_refused_as_no_json_is_none_and_the_rest_is(bad: BadInput) -> None:
    assert is_json(bad.payload) == (
        not {"not_json", "not_utf8"} & set(bad.refusals) or bad.quality is not None
    )


def test_every_kind_of_the_list_is_there() -> None:
    refusals = {reason for bad in ALL for reason in bad.refusals}
    assert refusals == {
        "not_json",
        "not_utf8",
        "wrong_type",
        "nothing_known",
        "too_large",
        "unknown_topic",
        "unknown_device",
    }
    qualities = {bad.quality for bad in ALL if bad.quality}
    assert qualities == {Quality.CLOCK_INVALID.names[0], Quality.TYPE_MISMATCH.names[0]}


def test_oversize_is_one_byte_too_many_and_otherwise_sound() -> None:
    payload = BY_NAME["oversize"].payload
    assert len(payload) == LIMIT + 1
    assert json.loads(payload)["values"] == {"current": 1.5}


def test_clocks_are_in_the_years_they_are_named_after() -> None:
    assert json.loads(BY_NAME["clock in 1970"].payload)["at"] == IN_1970_MS < 365 * 86_400_000
    year = 31_556_952_000
    assert 129 <= IN_2099_MS / year < 130


def test_a_verdict_is_right_by_reason_or_by_quality() -> None:
    strict, flagged = BY_NAME["cut off"], BY_NAME["text for a number"]
    assert strict.allows("not_json", [])
    assert not strict.allows("wrong_type", [])
    assert not strict.allows("", ["type_mismatch"])
    assert flagged.allows("", ["type_mismatch"])
    assert not flagged.allows("", [])
    assert BY_NAME["sequence of 41 digits"].allows("", [])


def test_garbage_topics_are_distinct_and_the_same_from_the_same_seed() -> None:
    topics = [bad.topic for bad in garbage_topics(2000, 1)]
    assert len(set(topics)) == 2000
    assert topics == [bad.topic for bad in garbage_topics(2000, 1)]
    assert {topic.split("/")[0] for topic in topics} == {"gengfu", "zigbee2mqtt"}
