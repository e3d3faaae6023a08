"""The rules between rows: what refers to what, what lies in what, who may be bound where. Pure.

Checked is what the registry will be after the whole import, so the order of rows does not matter, and also
what the file does not name but changes under (a dwelling whose building loses its floor). The rules are those
of `devices.registry`. Rows that could not be read are not judged, nor is who refers to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from devices.addresses import normalise_address
from devices.model import PlaceKind, Role
from devices.profiles.own.own_profile import CHANNELS_MAX
from devices.registry.bindings import check_terms
from devices.registry.device_checks import check_installed_on
from devices.registry.errors import NotAllowed
from devices.registry.tree import check_below, check_floor, check_holds_buildings
from devices.sheets.faults import Faults
from devices.sheets.forms import FORMS, HANGING, HANGS, Key
from devices.sheets.known import Known, Registry
from devices.sheets.plan import Step
from devices.sheets.shown import shown_code
from devices.sheets.table import Table

if TYPE_CHECKING:
    from sqlalchemy import RowMapping


class Rules:
    """Checks the steps of one import against what the registry will be. `failed` are forms whose table could
    not be read."""

    def __init__(
        self,
        steps: Mapping[str, Step],
        tables: Mapping[str, Table],
        registry: Registry,
        now_us: int,
        failed: Collection[str] = (),
    ) -> None:
        self._steps = steps
        self._tables = tables
        self._registry = registry
        self._now_us = now_us
        self._failed = failed

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
        """The row as it will be; None where it will not be there, or nobody can tell how."""
        return None if self._unsure(form, key) else self._registry.rows[form].get(key)

    def lacks(self, form: str, key: Key) -> bool:
        """Whether surely nothing of that key will be there."""
        return key not in self._registry.rows[form] and not self._unsure(form, key)

    def _unsure(self, form: str, key: Key) -> bool:
        """Whether the file may say something of the row that could not be read."""
        table = self._tables.get(form)
        if form in self._failed or (table is not None and key in table.refused):
            return True
        return table is not None and table.unsure and key not in self._registry.rows[form]

    def said(self, code: str) -> str:
        """A code as a fault shows it."""
        return shown_code(code, there=self._registry.there(code))

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
                one = FORMS[name].columns[place]
                text = "" if one.many else str(one.show(values[place]))
                value = one.shown(text, there=self._registry.there(text)) if text else ""
                faults.add(step.table.file, line, column, value, allowed)

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
                    faults.add(*at, "parent", self.said(parent), _there("area"))
                continue
            upper = {"code": parent, "level": above.values[1]}
            reason = refusal(partial(check_below, code, level, cast("RowMapping", upper)))
            if reason:
                where = f"{self.said(code)} would lie below {self.said(parent)} ({above.values[1]})"
                faults.add(*at, "level", level, f"{reason}, no area lies below itself; {where}")

    def _buildings(self, faults: Faults) -> None:
        for key, (_, (code, _name, parent, _floors)) in self._registry.rows["building"].items():
            at = self._line("building", key) or self._line("area", parent)
            if at is None:
                continue
            above = self.known("area", parent) if "area" in self._registry.rows else None
            if above is None:
                if self.lacks("area", parent):
                    faults.add(*at, "area", self.said(parent), _there("area"))
                continue
            upper = {"code": parent, "level": above.values[1]}
            reason = refusal(partial(check_holds_buildings, code, cast("RowMapping", upper)))
            if reason:
                where = f"{self.said(parent)} of building {self.said(code)} is a {above.values[1]}"
                faults.add(*at, "area", self.said(parent), f"levels that hold buildings, {reason}; {where}")

    def _stairs(self, faults: Faults) -> None:
        for key, line in self._steps["stair"].lines.items() if "stair" in self._steps else ():
            parent = self._registry.rows["stair"][key].values[2]
            if self.lacks("building", parent):
                file = self._steps["stair"].table.file
                faults.add(file, line, "building", self.said(parent), _there("building"))

    def _dwellings(self, faults: Faults) -> None:
        for key, (_, (code, parent, floor, *_more)) in self._registry.rows["dwelling"].items():
            own, stair = self._line("dwelling", key), self.known("stair", parent)
            if stair is None:
                if own is not None and self.lacks("stair", parent):
                    faults.add(*own, "stair", self.said(parent), _there("stair"))
                continue
            above = self._line("building", stair.values[2])
            building = self.known("building", stair.values[2])
            if building is None or (own is None and above is None):
                continue
            top = building.values[3]
            reason = refusal(partial(check_floor, floor, top))
            if reason and own is not None:
                house = f"{self.said(stair.values[2])} has {top} floors"
                faults.add(*own, "floor", str(floor), f"{reason}: building {house}")
            elif reason and above is not None:
                lies = f"dwelling {self.said(code)} lies there"
                faults.add(*above, "floors", str(top), f"at least {floor}: {lies}")

    def _room_for_channels(self, faults: Faults) -> None:
        step = self._steps["channel"]
        counted = Counter(uid for uid, _ in self._registry.rows["channel"])
        for (uid, channel), line in step.lines.items():
            if counted[uid] > CHANNELS_MAX:
                allowed = f"at most {CHANNELS_MAX} channels of one device; this one would have {counted[uid]}"
                faults.add(step.table.file, line, "channel", self.said(channel), allowed)


def refusal(check: Callable[[], object]) -> str:
    """What a check of the registry allows, empty where it takes the value. Its texts say value, colon, what
    is allowed; the value is left out: it may hold a name."""
    try:
        check()
    except NotAllowed as error:
        return str(error).split(": ", 1)[-1]
    return ""


def _there(form: str) -> str:
    return (
        f"the {'uid' if form == 'device' else 'code'} of a {form}, in the registry or in this file".replace(
            " a area", " an area"
        )
    )


RowCheck = Callable[[Rules, tuple[Any, ...]], list[tuple[str, str]]]
"""Columns at fault, and what is allowed there."""


def _check_contact(_rules: Rules, values: tuple[Any, ...]) -> list[tuple[str, str]]:
    ways = [(one.medium, normalise_address(one.address)) for one in values[3]]
    return [] if len(set(ways)) == len(ways) else [("way", "each address once on one medium")]


def _check_binding(rules: Rules, values: tuple[Any, ...]) -> list[tuple[str, str]]:
    who, role, kind, place, rank, delay_s, quiet, unconfirmed = values
    found = []
    if rules.is_erased(who):
        found.append(("contact", "a contact that was not erased"))
    elif rules.lacks("contact", who):
        found.append(("contact", _there("contact")))
    if rules.lacks(kind, place):
        found.append(("place", _there(kind)))
    if role == Role.FAMILY and kind != PlaceKind.DWELLING:
        found.append(("place_kind", f"{PlaceKind.DWELLING} for role family"))
    hours = quiet.text if quiet is not None else ""
    for column, brigade, said in (("takes_unconfirmed", unconfirmed, ""), ("quiet", False, hours)):
        terms = {"rank": rank, "takes_unconfirmed": brigade, "delay_s": delay_s, "quiet": said}
        reason = refusal(partial(check_terms, Role(role), **terms))
        if reason:
            found.append((column, f"nothing else for role {role}: {reason}"))
    return found


_INSTALLED_ON: Final = FORMS["device"].place("installed_on")


def _check_device(rules: Rules, values: tuple[Any, ...]) -> list[tuple[str, str]]:
    places = [(form, code) for form, code in zip(HANGS, values[HANGING], strict=True) if code]
    installed_on = values[_INSTALLED_ON]
    found = []
    if len(places) != 1:
        column = places[0][0] if places else HANGS[0]
        found.append((column, "a dwelling, a stair or a building: a device lies in exactly one of them"))
    else:
        [(form, code)] = places
        if rules.lacks(form, code):
            found.append((form, _there(form)))
    reason = refusal(partial(check_installed_on, installed_on, rules.now_us))
    if reason:
        found.append(("installed_on", reason))
    return found


def _check_channel(rules: Rules, values: tuple[Any, ...]) -> list[tuple[str, str]]:
    if rules.is_retired(values[0]):
        return [("device", "a device in service: this one is retired")]
    if rules.lacks("device", values[0]):
        return [("device", _there("device"))]
    return []


_BY_ROW: Final[dict[str, RowCheck]] = {
    "contact": _check_contact,
    "binding": _check_binding,
    "device": _check_device,
    "channel": _check_channel,
}
