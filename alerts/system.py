"""What tells a fault of the system from an alarm of a device: its rule, and the place it has."""

from __future__ import annotations

from typing import Final

SYSTEM_RULE: Final = "Y1"
"""No rule of the catalogue begins with this letter."""
SYSTEM_UID: Final = "system:"
"""Before the code of a fault. Devices' ids begin with the name of their profile."""


def is_system(rule: str) -> bool:
    """Whether the transition is a fault of the system."""
    return rule == SYSTEM_RULE
