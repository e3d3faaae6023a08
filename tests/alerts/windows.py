"""Silences, drills and commissioning in stories: made and ended as the commands do."""

from __future__ import annotations

from alerts.windows import Window, WindowKind
from alerts.windows_kept import add_window, close_books, end_window
from devices.database import writing
from tests.alerts.story import Story

MINUTE_US = 60_000_000
STATIONS = ("micro_station", "fire_brigade")
EVERYBODY = ("family", "neighbour", "grid_worker", "building_secretary", "duty_desk")


def opens(
    story: Story, kind: WindowKind, scope: str, code: str, minutes: float = 15, after_min: float = 0
) -> Window:
    from_us = story.now_us + round(after_min * MINUTE_US)
    with writing(story.engine) as connection:
        return add_window(
            connection,
            kind=kind,
            scope=scope,
            code=code,
            from_us=from_us,
            until_us=from_us + round(minutes * MINUTE_US),
            reason="roof work",
            by="chen",
            now_us=story.now_us,
        )


def silence(story: Story, scope: str, code: str, minutes: float = 60) -> Window:
    return opens(story, WindowKind.SILENCE, scope, code, minutes)


def drill(story: Story, scope: str, code: str, minutes: float = 60) -> Window:
    return opens(story, WindowKind.DRILL, scope, code, minutes)


def commission(story: Story, uid: str, minutes: float = 15) -> Window:
    return opens(story, WindowKind.COMMISSIONING, "device", uid, minutes)


def ends(story: Story, window: Window) -> None:
    """Before its time, and a turn."""
    with writing(story.engine) as connection:
        end_window(
            connection, number=window.id, kind=window.kind, reason="done", by="chen", now_us=story.now_us
        )
    story.turn()


def checks(story: Story) -> None:
    """What the alerts process does every ten seconds, and a turn."""
    close_books(story.engine, story.now_us)
    story.turn()


def tags(story: Story, incident: int = 1) -> set[str]:
    return set(story.incident(incident).tags.split(","))
