"""Devices: what hangs where, with the ratings of its circuit."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, RowMapping, select, update

from devices.profiles.shipped import PROFILE_NAMES
from devices.registry.errors import AlreadyThere, NotAllowed, NotThere, among
from devices.registry.rows import add, find, need, note_change, rows_of
from devices.schema import building, device, dwelling

KINDS: Final = ("smoke", "electrical", "other")
INSULATIONS: Final = ("unknown", "pvc", "rubber", "xlpe")
EARTHINGS: Final = ("unknown", "tn-c", "tn-s", "tt")
UID_MAX: Final = 200
"""Width of the column; no device has a longer name."""
_UID: Final = re.compile(r"[a-z][a-z0-9]*:\S(?:.*\S)?")
_UID_FORMS: Final = {
    "zigbee": (re.compile(r"[0-9a-f]{16}"), "16 hex digits in lower case"),
    "own": (re.compile(r"[^/+#A-Z]+"), "the device id in lower case, without / + #"),
}


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device; `dwelling` or `building` is a code, the other empty. Ratings in amperes, None: unknown."""

    uid: str
    kind: str
    profile: str
    label: str
    dwelling: str
    building: str
    breaker_a: float | None
    cable_a: float | None
    insulation: str
    earthing: str
    registered_us: int
    registered_by: str
    retired_us: int | None


def check_uid(uid: str) -> str:
    """`uid` if it has the form `<namespace>:<id>` and that of its namespace; raises NotAllowed."""
    if len(uid) > UID_MAX or not uid.isprintable() or not _UID.fullmatch(uid):
        raise NotAllowed(
            f"uid {uid!r}: <namespace>:<id> of at most {UID_MAX} printable characters is allowed, "
            "such as zigbee:00124b0000000001 or own:meter-7"
        )
    namespace, native = uid.split(":", 1)
    form, words = _UID_FORMS.get(namespace, (None, ""))
    if form is not None and not form.fullmatch(native):
        raise NotAllowed(f"uid {uid!r}: after {namespace}: come {words}")
    return uid


def register_device(
    connection: Connection,
    *,
    uid: str,
    kind: str,
    profile: str,
    dwelling_code: str | None = None,
    building_code: str | None = None,
    breaker_a: float | None = None,
    cable_a: float | None = None,
    insulation: str = "unknown",
    earthing: str = "unknown",
    label: str = "",
    by: str,
    now_us: int,
) -> int:
    """A device in a dwelling, or in a building outside dwellings; gives its id.

    A retired device may be registered again, at the same place or another: it keeps its id.
    """
    values = {
        "uid": check_uid(uid),
        "kind": among(kind, KINDS, "kind"),
        "profile": among(profile, PROFILE_NAMES, "profile"),
        "label": _label(label),
        **_place(connection, dwelling_code, building_code),
        "breaker_a": _rating(breaker_a, "breaker_a"),
        "cable_a": _rating(cable_a, "cable_a"),
        "insulation": among(insulation, INSULATIONS, "insulation"),
        "earthing": among(earthing, EARTHINGS, "earthing"),
        "registered_us": now_us,
        "registered_by": by[:64],
        "retired_us": None,
    }
    known = find(connection, device, "uid", uid)
    if known is None:
        return add(connection, device, "uid", values, by=by, now_us=now_us)
    if known["retired_us"] is None:
        raise AlreadyThere(f"device {uid!r} is there already")
    connection.execute(update(device).where(device.c.id == known["id"]).values(values))
    note_change(connection, by, now_us, f"device return {uid}")
    return int(known["id"])


def retire_device(connection: Connection, *, uid: str, by: str, now_us: int) -> None:
    """Takes a device out of service; from then on it is unknown. Raises NotThere."""
    known = need(connection, device, "uid", uid)
    if known["retired_us"] is not None:
        raise NotThere(f"device {uid!r} is retired already")
    connection.execute(update(device).where(device.c.id == known["id"]).values(retired_us=now_us))
    note_change(connection, by, now_us, f"device retire {uid}")


def list_devices(
    connection: Connection, *, only: str | None = None, retired: bool = False
) -> list[DeviceRow]:
    """Devices in service by uid, with `retired` all; or the one with uid `only` (else NotThere)."""
    query = (
        select(device, dwelling.c.code.label("dwelling"), building.c.code.label("building"))
        .outerjoin(dwelling, device.c.dwelling_id == dwelling.c.id)
        .outerjoin(building, device.c.building_id == building.c.id)
    )
    if only is None and not retired:
        query = query.where(device.c.retired_us.is_(None))
    return [_device_row(row) for row in rows_of(connection, query, device, only, key="uid")]


def _device_row(row: RowMapping) -> DeviceRow:
    return DeviceRow(
        uid=row["uid"],
        kind=row["kind"],
        profile=row["profile"],
        label=row["label"],
        dwelling=row["dwelling"] or "",
        building=row["building"] or "",
        breaker_a=row["breaker_a"],
        cable_a=row["cable_a"],
        insulation=row["insulation"],
        earthing=row["earthing"],
        registered_us=row["registered_us"],
        registered_by=row["registered_by"],
        retired_us=row["retired_us"],
    )


def _place(
    connection: Connection, dwelling_code: str | None, building_code: str | None
) -> dict[str, int | None]:
    if (dwelling_code is None) == (building_code is None):
        raise NotAllowed("a device lies in a dwelling or in a building: exactly one of them is allowed")
    if dwelling_code is not None:
        return {"dwelling_id": need(connection, dwelling, "code", dwelling_code)["id"], "building_id": None}
    assert building_code is not None
    return {"dwelling_id": None, "building_id": need(connection, building, "code", building_code)["id"]}


def _rating(value: float | None, what: str) -> float | None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise NotAllowed(f"{what} {value}: a positive number of amperes is allowed")
    return value


def _label(text: str) -> str:
    label = text.strip()
    if len(label) > 200 or not label.isprintable():
        raise NotAllowed(f"label {text!r}: at most 200 printable characters are allowed")
    return label
