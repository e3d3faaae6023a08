"""The installers' commands. The program's root mounts `apps` and puts a `Desk` into the context."""

from __future__ import annotations

from typing import Final

import typer

from devices.commands import binding as _binding  # noqa: F401 - adds `contact bind` and others
from devices.commands import gaps as _gaps  # noqa: F401 - adds `contact gaps`
from devices.commands import privacy as _privacy  # noqa: F401 - adds `contact looks`
from devices.commands import substitute as _substitute  # noqa: F401 - adds `contact substitute` and others
from devices.commands.area import area_app
from devices.commands.building import building_app
from devices.commands.contact import contact_app
from devices.commands.desk import Desk
from devices.commands.device import device_app
from devices.commands.dwelling import dwelling_app
from devices.commands.profile import Shelf, profile_app
from devices.commands.publisher import publisher_app
from devices.commands.sheets import registry_app
from devices.commands.stair import stair_app
from devices.commands.user import user_app

__all__ = ["Desk", "Shelf", "apps", "profile_app"]

apps: Final[dict[str, typer.Typer]] = {
    "area": area_app,
    "building": building_app,
    "stair": stair_app,
    "dwelling": dwelling_app,
    "contact": contact_app,
    "device": device_app,
    "publisher": publisher_app,
    "user": user_app,
    "registry": registry_app,
}
