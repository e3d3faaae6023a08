"""Whether somebody at a desk sees every alarm: what the areas of operators and supervisors leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from devices.schema import area, building, user, user_area
from devices.scope import areas_from

DESK_ROLES: Final = ("operator", "supervisor")
"""Who takes alarms in hand at the screen."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """What is on nobody's screen: what is at no known place, and the areas (codes) that have buildings."""

    unplaced: bool = False
    areas: tuple[str, ...] = ()


def unseen(connection: Connection) -> Unseen:
    """What no operator or supervisor who may log in sees. Whether anybody is logged in is not asked."""
    at_a_desk = user.c.role.in_(DESK_ROLES) & user.c.disabled_us.is_(None)
    if connection.scalar(select(user.c.id).where(at_a_desk, user.c.everywhere).limit(1)) is not None:
        return Unseen()
    given = select(user_area.c.area_id.label("id")).join(user, user_area.c.user_id == user.c.id)
    codes = connection.scalars(
        select(area.c.code)
        .where(area.c.id.in_(select(building.c.area_id)))
        .where(area.c.id.not_in(areas_from(given.where(at_a_desk))))
        .order_by(area.c.code)
    )
    return Unseen(True, tuple(codes))
