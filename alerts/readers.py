"""What roles are to messages: as whom they read, and how much is named. The words: `alerts/texts.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from devices.model import Role

KIND: Final[Mapping[Role, str]] = {
    Role.FAMILY: "family",
    Role.NEIGHBOUR: "neighbour",
    Role.VOLUNTEER: "worker",
    Role.GRID_WORKER: "worker",
    Role.BUILDING_SECRETARY: "worker",
    Role.MAINTENANCE: "worker",
    Role.MICRO_STATION: "station",
    Role.FIRE_BRIGADE: "station",
    Role.DUTY_DESK: "desk",
    Role.SUPERVISOR: "desk",
}
"""What a role is to the place: who reads a text."""
NAMED_MAX: Final = 2
"""Devices and alarms that a message names; of the rest it says how many (chosen: SMS)."""
NAMED_ROLES: Final = 4
"""Roles of others who were told that a message names (chosen: SMS)."""
ROLE_ORDER: Final = (
    Role.FIRE_BRIGADE,
    Role.MICRO_STATION,
    Role.GRID_WORKER,
    Role.BUILDING_SECRETARY,
    Role.DUTY_DESK,
    Role.FAMILY,
    Role.VOLUNTEER,
    Role.NEIGHBOUR,
    Role.SUPERVISOR,
    Role.MAINTENANCE,
)
"""In which order they are named: who can help first."""
LATE: Final = frozenset({"deadline", "overdue"})
"""What is said of an incident in hand that stays where it is too long (`alerts.deadlines`)."""
