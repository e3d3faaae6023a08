"""The offline rules for one device as a whole: after how long a silence each tells it, or why it does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, func, select

from devices.schema import device, dwelling, stair
from gengfu.shipped import quantity_text
from ingest.known_devices import Devices
from ingest.registered import Known
from rules.catalogue import Catalogue
from rules.kernels.dark_rule import DarkRule
from rules.kernels.silence import SilenceRule, Watch
from rules.quantity import Span
from rules.rule import BaseRule

_DAILY_S = 90_000.0
"""25 h: as `rules.kernels.silence`, where there is no rule for devices that report seldom."""


@dataclass(frozen=True, slots=True)
class Offline:
    """One rule. `after` is the silence after which it is told; `why_off` why it never is, else empty."""

    rule: BaseRule
    after: str = ""
    why_off: str = ""


def offline_of(connection: Connection, known: Known, catalogue: Catalogue) -> list[Offline]:
    """The rules on silence that are about this device, and the one on its building, in the order of the
    catalogue. How long it may be silent is what the registry, else the device said."""
    devices = Devices()
    limit_s = float(devices.fact("silence", np.array(devices.take([known]), np.int32))[0])
    seldom = next((float(one.after) for one in _of(catalogue) if one.watch is Watch.SELDOM), 1e6 * _DAILY_S)
    limit_us = 1e6 * limit_s if limit_s > 0 else seldom
    often = limit_us < seldom
    found: list[Offline] = []
    for rule in catalogue.rule:
        if isinstance(rule, SilenceRule) and (rule.watch is Watch.OFTEN) is often:
            delay = int(rule.delay(np.array([round(limit_us)], np.int64))[0])
            found.append(Offline(rule, quantity_text(Span(delay))))
        elif isinstance(rule, DarkRule):
            found.append(Offline(rule, why_off=_why_never_dark(connection, known, rule, often)))
    return found


def _of(catalogue: Catalogue) -> list[SilenceRule]:
    return [rule for rule in catalogue.rule if isinstance(rule, SilenceRule) and not rule.long]


def _why_never_dark(connection: Connection, known: Known, rule: DarkRule, often: bool) -> str:
    """Why the device is in no building that can be dark, by what is registered; empty where it may be."""
    if not known.building:
        return "it is in no building"
    if not often:
        return "it reports seldom, and only devices that report often make a building dark"
    devices, households = _counted(connection, known.building)
    if devices < rule.least:
        return f"its building has {devices} devices of {rule.least}: each is told by itself"
    if households < rule.households:
        return "its building is one dwelling: each device is told by itself"
    return ""


def _counted(connection: Connection, building_id: int) -> tuple[int, int]:
    """The devices in service of a building, and of how many dwellings; one in no dwelling counts as one."""
    of_stair = func.coalesce(dwelling.c.stair_id, device.c.stair_id)
    of_building = func.coalesce(stair.c.building_id, device.c.building_id)
    homes = func.count(device.c.dwelling_id.distinct())
    alone = func.count() - func.count(device.c.dwelling_id)
    row = connection.execute(
        select(func.count(), homes + alone)
        .select_from(device)
        .outerjoin(dwelling, dwelling.c.id == device.c.dwelling_id)
        .outerjoin(stair, stair.c.id == of_stair)
        .where(of_building == building_id, device.c.retired_us.is_(None))
    ).one()
    return int(row[0]), int(row[1])
