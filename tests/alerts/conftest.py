"""What stories share: a block with its cast, in a database on each engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from devices.database import writing
from devices.schema import contact_channel
from tests.alerts.provider import Provider
from tests.alerts.story import Story, a_story


@pytest.fixture
def story(database: str) -> Iterator[Story]:
    with a_story(database) as opened:
        yield opened


@pytest.fixture
def provider(story: Story) -> Provider:
    """Nobody has a push way: people are told by SMS first, then by call."""
    with writing(story.engine) as connection:
        push = contact_channel.c.medium == "push"
        connection.execute(update(contact_channel).where(push).values(removed_us=story.now_us))
    return Provider(story)
