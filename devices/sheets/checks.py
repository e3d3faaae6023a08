"""The rules between rows: what refers to what, what lies in what, who may be bound where. Pure.

Checked is what the registry will be after the whole import, so the order of rows does not matter, and also
what the file does not name but changes under (a dwelling whose building loses its floor).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from devices.addresses import normalise_address
from devices.model import AreaLevel, PlaceKind, Role
from devices.profiles.own import CHANNELS_MAX
from devices.registry.bindings import ON_DUTY
from devices.registry.device_checks import check_installed_on
from devices.registry.errors import NotAllowed
from devices.registry.tree import BUILDING_LEVELS, LEVELS, LOWEST_FLOOR
from devices.sheets.faults import Faults
from devices.sheets.forms import FORMS, Key
from devices.sheets.known import Known, Registry
from devices.sheets.plan import Step
from devices.sheets.table import Table


class Rules:
    """Checks the steps of one import against what the registry will be."""

    def __init__(
        self, steps: Mapping[str, Step], tables: Mapping[str, Table], registry: Registry, now_us: int
    ) -> None:
        self._steps = steps
        self._tables = tables
        self._registry = registry
        self._now_us = now_us

    def check(self, faults: Faults) -> None:
        """Adds every fault there is."""
        touched = self._steps.keys()
        if "area" in touched:
            self._areas(faults)
        if touched & {"area", "building"}:
            self._buildings(faults)
        if touched & {"building", "stair", "dwelling"}:
            self._stairs(faults)
            self._dwellings(faults)
        for name, check in _BY_ROW.items():
            if name in touched:
                self._each(name, check, faults)
        if "channel" in touched:
            self._room_for_channels(faults)

    def known(self, form: str, key: Key) -> Known | None:
        """The row as it will be."""
        return self._registry.rows[form].get(key)

    def lacks(self, form: str, key: Key) -> bool:
        """Whether nothing of that key will be there, a row with a fault of its own aside."""
        table = self._tables.get(form)
        return key not in self._registry.rows[form] and not (table is not None and key in table.refused)

    def is_erased(self, code: str) -> bool:
        """Whether the contact was erased."""
        return code in self._registry.erased

    def is_retired(self, uid: str) -> bool:
        """Whether the device was taken out of service."""
        return uid in self._registry.retired

    @property
    def now_us(self) -> int:
        """The instant of the import."""
        return self._now_us

    def _each(self, name: str, check: RowCheck, faults: Faults) -> None:
        step, rows = self._steps[name], self._registry.rows[name]
        for key, line in step.lines.items():
            values = rows[key].values
            for column, allowed in check(self, values):
                place = FORMS[name].place(column)
                shown = FORMS[name].columns[place]
                value = "" if shown.many else shown.show(values[place])
                faults.add(step.table.file, line, column, shown.masked(str(value)), allowed)

    def _line(self, form: str, key: Key) -> tuple[str, int] | None:
        """File and line where the import touches a row."""
        step = self._steps.get(form)
        line = step.lines.get(key) if step is not None else None
        return (step.table.file, line) if step is not None and line is not None else None

    def _areas(self, faults: Faults) -> None:
        for key, (_, (code, level, _name, parent)) in self._registry.rows["area"].items():
            at = self._line("area", key) or self._line("area", parent)
            if at is None or not parent:
                continue
            above = self.known("area", parent)
            if above is None:
                if self.lacks("area", parent):
                    faults.add(*at, "parent", parent, "the code of an area, in the registry or in this file")
            elif LEVELS.index(AreaLevel(above.values[1])) >= LEVELS.index(AreaLevel(level)):
                allowed = (
                    f"a level below that of {parent} ({above.values[1]}) for {code}; "
                    f"the order is {' > '.join(LEVELS)}, and no area lies below itself"
                )
                faults.add(*at, "level", level, allowed)

    def _buildings(self, faults: Faults) -> None:
        for key, (_, (code, _name, parent, _floors)) in self._registry.rows["building"].items():
            at = self._line("building", key) or self._line("area", parent)
            if at is None:
                continue
            above = self.known("area", parent) if "area" in self._registry.rows else None
            if above is None:
                if self.lacks("area", parent):
                    faults.add(*at, "area", parent, "the code of an area, in the registry or in this file")
            elif above.values[1] not in BUILDING_LEVELS:
                allowed = f"for building {code} an area of level {' or '.join(BUILDING_LEVELS)}"
                faults.add(*at, "area", parent, f"{allowed}, this one is a {above.values[1]}")

    def _stairs(self, faults: Faults) -> None:
        for key, line in self._steps["stair"].lines.items() if "stair" in self._steps else ():
            parent = self._registry.rows["stair"][key].values[2]
            if self.lacks("building", parent):
                file = self._steps["stair"].table.file
                allowed = "the code of a building, in the registry or in this file"
                faults.add(file, line, "building", parent, allowed)

    def _dwellings(self, faults: Faults) -> None:
        for key, (_, (code, parent, floor, *_more)) in self._registry.rows["dwelling"].items():
            own, stair = self._line("dwelling", key), self.known("stair", parent)
            if stair is None:
                if own is not None and self.lacks("stair", parent):
                    faults.add(*own, "stair", parent, "the code of a stair, in the registry or in this file")
                continue
            building = self.known("building", stair.values[2])
            if building is None or LOWEST_FLOOR <= floor <= building.values[3]:
                continue
            top = building.values[3]
            above = self._line("building", stair.values[2])
            if own is not None:
                allowed = f"{LOWEST_FLOOR} to {top}: building {stair.values[2]} has {top} floors"
                faults.add(*own, "floor", str(floor), allowed)
            elif above is not None:
                faults.add(*above, "floors", str(top), f"at least {floor}: dwelling {code} lies there")
            elif (at := self._line("stair", parent)) is not None:
                allowed = f"a building with at least {floor} floors: dwelling {code} lies there"
                faults.add(*at, "building", stair.values[2], allowed)

    def _room_for_channels(self, faults: Faults) -> None:
        step = self._steps["channel"]
        counted = Counter(uid for uid, _ in self._registry.rows["channel"])
        for (uid, channel), line in step.lines.items():
            if counted[uid] > CHANNELS_MAX:
                allowed = f"at most {CHANNELS_MAX} channels of one device; {uid} would have {counted[uid]}"
                faults.add(step.table.file, line, "channel", channel, allowed)


RowCheck = Callable[[Rules, tuple[Any, ...]], list[tuple[str, str]]]
"""Columns at fault, and what is allowed there."""


def _check_contact(_rules: Rules, values: tuple[Any, ...]) -> list[tuple[str, str]]:
    ways = [(one.medium, normalise_address(one.address)) for one in values[3]]
    return [] if len(set(ways)) == len(ways) else [("way", "each address once on one medium")]


def _check_binding(rules: Rules, values: tuple[Any, ...]) -> list[tuple[str, str]]:
    who, role, kind, place, _rank, _delay, quiet, unconfirmed = values
    found = []
    if rules.is_erased(who):
        found.append(("contact", "a contact that was not erased"))
    elif rules.lacks("contact", who):
        found.append(("contact", "the code of a contact, in the registry or in this file"))
    if rules.lacks(kind, place):
        found.append(("place", f"the code of a {kind}, in the registry or in this file"))
    if role == Role.FAMILY and kind != PlaceKind.DWELLING:
        found.append(("place_kind", f"{PlaceKind.DWELLING} for role family"))
    if unconfirmed and role != Role.FIRE_BRIGADE:
        found.append(("takes_unconfirmed", f"yes for role {Role.FIRE_BRIGADE} only"))
    if quiet is not None and role in ON_DUTY:
        found.append(("quiet", f"nothing for role {role}: it is always on duty"))
    return found


def _check_device(rules: Rules, values: tuple[Any, ...]) -> list[tuple[str, str]]:
    dwelling, building, installed_on = values[3], values[4], values[13]
    found = []
    if bool(dwelling) == bool(building):
        found.append(("dwelling", "either a dwelling or a building: a device lies in exactly one of them"))
    else:
        form, code = ("dwelling", dwelling) if dwelling else ("building", building)
        if rules.lacks(form, code):
            found.append((form, f"the code of a {form}, in the registry or in this file"))
    try:
        check_installed_on(installed_on, rules.now_us)
    except NotAllowed as error:
        found.append(("installed_on", str(error).split(": ", 1)[-1]))
    return found


def _check_channel(rules: Rules, values: tuple[Any, ...]) -> list[tuple[str, str]]:
    if rules.is_retired(values[0]):
        return [("device", "a device in service: this one is retired")]
    if rules.lacks("device", values[0]):
        return [("device", "the uid of a device, in the registry or in this file")]
    return []


_BY_ROW: Final[dict[str, RowCheck]] = {
    "contact": _check_contact,
    "binding": _check_binding,
    "device": _check_device,
    "channel": _check_channel,
}
