"""A fire in which everybody's name is written down, and a person who is erased after it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select, update

from alerts import schema
from alerts.case import Act
from devices.database import reading, writing
from devices.vault import Vault
from gengfu.forgetting import erase
from gengfu.traces import FREE_TEXT
from tests.alerts.story import Story
from tests.gengfu.people import name_of, number_of


def no_rest() -> None:
    """In a test nobody waits for the lock."""


def a_fire_to_its_end(story: Story, cast: dict[str, int]) -> None:
    """Everybody's name or number stands in somebody's words."""
    child, worker = cast["family"], cast["grid_worker"]
    story.smoke("501")
    story.at(60).answers("family", Act.ACKNOWLEDGE, f"我是{name_of(child)}，电话 {number_of(child)}")
    story.at(90).answers("grid_worker", Act.ARRIVED, f"{name_of(worker)}到场")
    story.at(120).answers("operator", Act.HANDLED)
    story.answers("grid_worker", Act.FEEDBACK, f"{name_of(child)}的母亲炒菜；139-0571-{child:04} 已联系")
    story.answers("operator", Act.VERIFY)
    story.answers("operator", Act.CLOSE, "nuisance: 做饭")


def incident_is_closed(story: Story) -> None:
    with writing(story.engine) as connection:
        connection.execute(update(schema.incident).values(closed_us=story.now_us, state="closed"))


def texts(engine: Engine) -> str:
    with reading(engine) as connection:
        return "\n".join(
            str(text)
            for column, _ in FREE_TEXT
            for text in connection.execute(select(column)).scalars()
            if text
        )


def gone(story: Story, keys: Vault, code: str, **more: Any) -> Any:
    return erase(story.engine, keys, code, by="admin", now_us=story.now_us, rest=no_rest, **more)
