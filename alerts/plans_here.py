"""The policies that hold in the buildings of a turn, with the areas that tell them apart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import Connection

from alerts.plans import Plans
from alerts.settings import Settings
from devices.area_codes import area_codes


def plans_for(
    connection: Connection,
    settings: Settings,
    building_ids: Collection[int],
    failed: Callable[[str, Exception], object],
) -> Plans:
    """Where areas cannot be read, which `failed` is told of, the site's policies hold."""
    policies, areas = settings.policies, dict[int, Sequence[str]]()
    if policies.areas:
        try:
            with connection.begin_nested():
                areas |= area_codes(connection, set(building_ids) - {0})
        except Exception as error:
            failed("areas of policies", error)
    return Plans(policies, settings.clock_ratio, areas)
