"""What is seen of a story from outside."""

from __future__ import annotations

from alerts import schema
from alerts.sayings import render
from tests.alerts.story import Story


def timeline(story: Story, number: int = 1) -> list[str]:
    """What an incident's page says happened, in English."""
    rows = story.table(schema.incident_change)
    return [render(row.text, "en") for row in rows if row.incident_id == number]


def fires(story: Story) -> dict[str, str]:
    """The severity of each fire by its place; of two in one place the newer's."""
    return {one.place: one.severity for one in story.incidents() if one.hazard == "fire"}


def flat(story: Story, number: str) -> str:
    """The place of a fire in that flat."""
    return f"dwelling:{story.block.dwellings[number]}"
