"""SenML in JSON (RFC 8428, with RFC 9100's secondary units): a pack of records, resolved.

Every record stands for itself afterwards: base name, time, unit, value and sum are worked in.
"""

from __future__ import annotations

import base64
import binascii
import math
from typing import Any, Final, NamedTuple

from devices.profiles.formats.format import FormatContext, Tree, Unreadable
from devices.profiles.formats.json_text import read_json
from devices.profiles.profile import Reason

MOST_RECORDS: Final = 2000
"""Chosen."""
RELATIVE_BELOW: Final = 1 << 28
"""Times below it are seconds from now, not since 1970 (RFC 8428, 4.5.3)."""
_VERSION: Final = 10
_SECONDARY_UNITS: Final = 1 << 4
"""RFC 9100: a version is a sum of features; the first four bits are those of version 10, this one is
secondary units, which only widens the list of units."""
_VALUES: Final = ("vb", "v", "vs", "vd")
_ENDS: Final = ":/"


class _Base(NamedTuple):
    """What holds for all records from where it is said."""

    name: str = ""
    time: float = 0.0
    unit: str = ""
    value: float = 0.0
    sum: float | None = None


def read_senml(payload: bytes, context: FormatContext) -> dict[str, Any]:
    """`{"records": [...], "texts": {...}, "unread": n}`; a record has `name` (resolved), `device` (the base
    name without the `:` or `/` it ends with) and `n` (the local name) where they are not empty, `unit`,
    `value` (float, str, bool; octets as standard base64), `sum`, `t` (s since 1970) and, where the time is
    relative, `ago_s`.

    `texts` has the texts (`vs`) of the first record's device by local name, the last of each. `t` is missing
    for "now", and where a relative time meets a context that knows no time of receipt. A record with two
    values counts twice: which one is meant nobody can say, and one may be a fire. `unread` counts records
    that have no name or no value, or are no objects; a pack without an array around its only record is read.
    A pack of an unknown version, or with a label ending in `_` (RFC 8428, 4.4: all unknown), is refused.
    """
    return resolved_pack(read_json(payload), context.received_us)


def resolved_pack(tree: Tree, received_us: int) -> dict[str, Any]:
    """The same of a pack that is a tree already. Raises Unreadable."""
    pack = tree if type(tree) is list else [tree]
    if len(pack) > MOST_RECORDS:
        raise Unreadable(Reason.TOO_LARGE, f"more than {MOST_RECORDS} records")
    if type(tree) is not list and type(tree) is not dict:
        raise Unreadable(Reason.WRONG_TYPE, f"expected an array of records, got {type(tree).__name__}")
    now_s = received_us / 1e6
    base, unread = _Base(), 0
    records: list[dict[str, Any]] = []
    texts: dict[str, str] = {}
    for number, record in enumerate(pack):
        if type(record) is not dict:
            unread += 1
            continue
        _refuse_unknown(number, record)
        base = _rebased(base, record)
        found = _resolved(record, base, now_s)
        if found is None:
            unread += 1
        else:
            records += found
            if found and "vs" in record and found[0].get("device") == records[0].get("device"):
                texts |= _text(found[0], record["vs"])
    return {"records": records, "texts": texts, "unread": unread}


def _refuse_unknown(number: int, record: dict[str, Any]) -> None:
    """As RFC 8428 demands: what must be understood and is not spoils the pack."""
    for label in record:
        if label.endswith("_"):
            raise Unreadable(Reason.UNREADABLE, f"record {number} has the unknown label {label[:64]!r}")
    version = record.get("bver", _VERSION)
    known = type(version) is int and (0 < version <= _VERSION or version == _VERSION | _SECONDARY_UNITS)
    if not known:
        raise Unreadable(Reason.UNREADABLE, f"record {number} is of the unknown version {str(version)[:32]}")


def _rebased(base: _Base, record: dict[str, Any]) -> _Base:
    """The base from this record on. A base of a wrong type leaves the one before it."""
    if not any(label[:1] == "b" for label in record):
        return base
    name, unit = record.get("bn"), record.get("bu")
    time, value, total = (_number(record.get(label)) for label in ("bt", "bv", "bs"))
    return _Base(
        name if type(name) is str else base.name,
        base.time if time is None else time,
        unit if type(unit) is str else base.unit,
        base.value if value is None else value,
        base.sum if total is None else total,
    )


def _resolved(record: dict[str, Any], base: _Base, now_s: float) -> list[dict[str, Any]] | None:
    """The records that one stands for: none where it says bases only; None where it has a value and no
    name, or nothing that is a value.
    """
    values = [(kind, record[kind]) for kind in _VALUES if kind in record]
    if not values and "s" not in record:
        return []
    local = record.get("n", "")
    if type(local) is not str or not base.name + local:
        return None
    said: dict[str, Any] = {"name": base.name + local}
    if base.name:
        said["device"] = base.name.rstrip(_ENDS)
    if local:
        said["n"] = local
    unit = record.get("u", base.unit)
    if type(unit) is str and unit:
        said["unit"] = unit
    total = _sum(record, base)
    if total is not None:
        said["sum"] = total
    elif not values:
        return None
    said |= _time(record, base, now_s)
    return [said | {"value": _value(kind, value, base)} for kind, value in values] or [said]


def _text(said: dict[str, Any], text: Tree) -> dict[str, str]:
    return {said["n"]: text} if "n" in said and type(text) is str else {}


def _value(kind: str, value: Tree, base: _Base) -> Tree:
    """The value; what is not of its kind stays as it is, for the profile to judge."""
    if kind == "v":
        number = _number(value)
        return value if number is None else _number(number + base.value)
    if kind == "vd" and type(value) is str:
        return _octets(value)
    return value


def _octets(text: str) -> str:
    """RFC 8428 wants base64 for URLs without padding; the tree has it in the standard form."""
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return text
    return base64.b64encode(octets).decode()


def _sum(record: dict[str, Any], base: _Base) -> float | None:
    """Of sum and base sum the one that is missing counts 0 (RFC 8428, 4.1)."""
    own = _number(record.get("s"))
    return base.sum if own is None else _number(own + (base.sum or 0.0))


def _time(record: dict[str, Any], base: _Base, now_s: float) -> dict[str, float]:
    own = record.get("t", 0)
    number = _number(own)
    if number is None:
        return {"t": own} if own is not None else {}
    time = base.time + number
    if time >= RELATIVE_BELOW:
        return {"t": time}
    if time == 0 or not now_s:
        return {"ago_s": 0.0 - time}
    return {"t": now_s + time, "ago_s": 0.0 - time}


def _number(value: Tree) -> float | None:
    """A finite number as float; None for anything else."""
    if type(value) is not int and type(value) is not float:
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
