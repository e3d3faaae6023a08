from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devices.profiles.checking.check import check_profile
from devices.profiles.checking.vectors import Anybody, Shown, messages_of, run_vectors, shown_of
from devices.profiles.described import DescribedProfile
from devices.profiles.language.source import read_text
from devices.profiles.profile import Decoded
from devices.profiles.shipped import (
    FOLDER,
    SITE_TZ,
    choose,
    shipped_compiled,
    shipped_faults,
    shipped_files,
    shipped_profiles,
)
from tests.devices.profiles.listening import Registry, check_form
from tests.devices.profiles.shipping import shipped

FILES: Final = shipped_files()
NAMES: Final = sorted(path.stem for path in FOLDER.glob("*.toml"))
OFTEN: Final = 20
"""Ticks of four messages: more than the fast way needs to know a form."""
SHOWN_WHOLE: Final = ("esphome", "shelly-gen1", "shelly-gen2", "tasmota", "zigbee2mqtt")
"""Profiles of which a vector shows every single value."""
VECTORS: Final = [(name, vector.name) for name, file in FILES.items() for vector in file.test]
SAMPLES: Final = {
    name: [message for vector in file.test for message in messages_of(vector)] for name, file in FILES.items()
}


def test_every_file_can_be_used() -> None:
    assert [str(fault) for fault in shipped_faults()] == []
    assert sorted(FILES) == NAMES


@pytest.mark.parametrize(
    ("profile", "vector"), VECTORS, ids=[f"{name}: {vector}" for name, vector in VECTORS]
)
def test_a_vector_yields_just_what_it_says(profile: str, vector: str) -> None:
    file = FILES[profile]
    only = msgspec.structs.replace(file, test=[one for one in file.test if one.name == vector])
    outcomes = run_vectors(only, lambda: shipped(profile).at_any_topic())
    assert [discord.problem for outcome in outcomes for discord in outcome.discords] == []


@pytest.mark.parametrize("name", NAMES)
def test_vectors_have_names_of_their_own(name: str) -> None:
    names = [vector.name for vector in FILES[name].test]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", SHOWN_WHOLE)
def test_vectors_show_every_value(name: str) -> None:
    text = read_text(FOLDER / f"{name}.toml")
    checked = check_profile(text, file=f"{name}.toml", known=FILES, others=(), site_tz=SITE_TZ)
    assert [str(remark) for remark in checked.remarks] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_topic_of_a_vector_is_the_profiles_and_no_others(name: str) -> None:
    profiles = shipped_profiles()
    for vector in FILES[name].test:
        if shipped(name).matches(vector.topic):
            chosen = choose(vector.topic, profiles)
            assert chosen is not None
            assert chosen.name == name, vector.topic


@pytest.mark.parametrize(
    "topic", ["zigbee2mqtt/status", "zigbee2mqtt/online", "zigbee2mqtt/sensor/hall/state"]
)
def test_a_topic_that_begins_with_a_vendors_word_is_that_vendors(topic: str) -> None:
    chosen = choose(topic, shipped_profiles())
    assert chosen is not None
    assert chosen.name == "zigbee2mqtt"


@pytest.mark.parametrize("compiled", shipped_compiled(), ids=lambda one: one.name)
def test_no_profile_listens_to_everything(compiled: object) -> None:
    filters = [topic.filter for topic in getattr(compiled, "topics", ())]
    assert not {"#", "+/#"} & set(filters)


MESSAGES = st.sampled_from([(name, *message) for name, found in SAMPLES.items() for message in found])


@given(message=MESSAGES, cut=st.integers(0, 2000), put=st.binary(max_size=4))
def test_a_vector_with_anything_cut_or_put_in_is_read_or_refused(
    message: tuple[str, str, bytes], cut: int, put: bytes
) -> None:
    name, topic, payload = message
    at = cut % (len(payload) + 1)
    for changed in (payload[:at], payload[:at] + put + payload[at:], payload[:at] + put):
        check_form(shipped(name).decode([topic], [changed], Registry()), 1)


HALL: Final = "hall/binary_sensor/kitchen_smoke/state"
GONE: Final = ("esphome", "hall/status", b"offline")


@example(message=("esphome", HALL, b"ON"), others=[GONE])
@example(message=("esphome", HALL, b"ON"), others=[GONE, ("esphome", HALL, b"ON")])
@example(message=GONE, others=[("esphome", HALL, b"ON"), GONE])
@given(message=MESSAGES, others=st.lists(MESSAGES, max_size=6))
def test_a_tick_of_many_messages_gives_what_each_gives_alone(
    message: tuple[str, str, bytes], others: list[tuple[str, str, bytes]]
) -> None:
    name = message[0]
    mine = [message, *(one for one in others if one[0] == name)]
    topics, payloads = [one[1] for one in mine], [one[2] for one in mine]
    together, one_by_one = shipped(name), shipped(name)
    whole, single = Anybody(), Anybody()
    decoded = together.decode(topics, payloads, whole)
    counts = []
    for topic, payload in zip(topics, payloads, strict=True):
        counts.append(len(one_by_one.decode([topic], [payload], single).row))
    assert [decoded.message.tolist().count(n) for n in range(len(mine))] == counts


def lasting(decoded: Decoded, anybody: Anybody) -> list[Shown]:
    """The readings but for who came and went, which is said when it changes."""
    found = shown_of(decoded, anybody, retained=False)
    return [one for one in found if one.metric != "device.online"]


@pytest.mark.parametrize("name", NAMES)
def test_a_message_that_comes_often_means_what_it_meant_at_first(name: str) -> None:
    for vector in FILES[name].test:
        profile, anybody = shipped(name), Anybody()
        *before, (topic, payload) = messages_of(vector)
        for earlier, octets in before:
            profile.decode([earlier], [octets], anybody)
        first = profile.decode([topic], [payload], anybody)
        shown = lasting(first, anybody)
        reasons = [one.reason for one in first.rejected]
        for _ in range(OFTEN):
            again = profile.decode([topic] * 4, [payload] * 4, anybody)
            assert again.message.tolist() == sorted(again.message.tolist())
            assert [one.reason for one in again.rejected] == reasons * 4
            assert Counter(lasting(again, anybody)) == Counter(shown * 4), vector.name


def test_a_profile_of_the_site_may_extend_each() -> None:
    for name in NAMES:
        text = f'name = "mine"\nextends = "{name}"\n'
        checked = check_profile(text, file="mine.toml", known=FILES, others=(), site_tz=SITE_TZ)
        assert checked.ok, [str(remark) for remark in checked.remarks]


def test_what_is_shipped_is_described_but_for_our_own_format() -> None:
    profiles = shipped_profiles()
    assert [one.name for one in profiles if not isinstance(one, DescribedProfile)] == ["own"]
    assert {one.name for one in profiles} == {"own", *NAMES}
