"""What profile files become here."""

from __future__ import annotations

from devices.profiles.described import DescribedProfile
from devices.profiles.shipped import shipped_files, shipped_profiles
from ingest.crafting import ProfileCraft
from ingest.filters import pattern_of, union

NOBODY: frozenset[str] = frozenset()


def test_messages_that_ask_for_an_answer_are_read_the_fast_way_unless_answers_are_sent() -> None:
    craft = ProfileCraft("Asia/Shanghai")
    silent, answering = craft.profiles([], NOBODY), craft.profiles([], {"aliyun-alink"})
    assert not any(_answers(one) for one in silent if isinstance(one, DescribedProfile))
    assert [one.name for one in answering if isinstance(one, DescribedProfile) and _answers(one)] == [
        "aliyun-alink"
    ]


def _answers(profile: DescribedProfile) -> bool:
    assert profile.fast is not None
    return profile.fast.answers


def test_no_message_shown_by_a_shipped_profile_is_delivered_twice() -> None:
    """A broker delivers a message once for each filter that takes it."""
    filters = [pattern_of(text) for text in union(text for one in shipped_profiles() for text in one.filters)]
    topics = {vector.topic for file in shipped_files().values() for vector in file.test}
    several = {topic for topic in topics if sum(bool(one.fullmatch(topic)) for one in filters) > 1}
    assert len(topics) > 100
    assert several == set()
