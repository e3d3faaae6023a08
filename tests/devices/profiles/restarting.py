"""A profile before and after a restart of ours: what it noted is all that the second one knows."""

from __future__ import annotations

from typing import Any

from devices.profiles.described import DescribedProfile
from devices.profiles.profile import Note
from tests.devices.profiles.describing import decode
from tests.devices.profiles.shipping import shipped


def restarted(name: str, *messages: tuple[str, Any]) -> DescribedProfile:
    """The shipped profile after a restart, before which it had heard the messages, a tick each."""
    before = shipped(name).at_any_topic()
    notes: list[Note] = []
    for message in messages:
        notes += decode(before, message).asides.notes
    after = shipped(name).at_any_topic()
    after.remember(notes)
    return after
