"""`gengfu area|building|stair|dwelling`: the tree of places."""

from __future__ import annotations

from devices.commands.area import area_app
from devices.commands.building import building_app
from devices.commands.dwelling import dwelling_app
from devices.commands.stair import stair_app

__all__ = ["area_app", "building_app", "dwelling_app", "stair_app"]
