"""Standing faults of the registry: nobody at the duty desk, places with nobody to tell, rows not understood.

Shown before the fire, not at it (contract 5). A fault is one row: it begins when found and ends when no
longer found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, bindparam, select, update

from alerts.schema import system_fault
from devices.bound import has_duty_desk, unreachable_places
from devices.database import reading, writing
from devices.model import Severity
from devices.readable import unreadable_contacts
from devices.shortlist import shortlist
from devices.unreachable import standing_version

log = structlog.get_logger()

NO_DUTY_DESK: Final = "no_duty_desk"
UNREACHABLE: Final = "unreachable_places"
UNREADABLE: Final = "unreadable_people"
_FORMER: Final = "unreachable_dwellings"
"""What `UNREACHABLE` was called before it told of buildings: one that stands is ended."""
Tell = Callable[[Connection, Collection[str], Collection[str]], None]
"""Writes what else belongs to faults that begin and faults that end, in their transaction."""
_OURS: Final = (NO_DUTY_DESK, UNREACHABLE, UNREADABLE, _FORMER)


def check_standing(engine: Engine, now_us: int, seen_version: int | None) -> int:
    """Begins and ends the registry's standing faults; returns the version it looked at (`standing_version`).

    Does nothing where that is still `seen_version`. Reads outside the write transaction, which
    is only taken when something changed.
    """
    with reading(engine) as connection:
        version = standing_version(connection, now_us)
        if version == seen_version:
            return version
        found = find_faults(connection, now_us)
    settle_faults(engine, _OURS, found, now_us)
    return version


def settle_faults(
    engine: Engine,
    codes: Collection[str],
    found: Mapping[str, str],
    now_us: int,
    severity: Severity = Severity.P1,
    tell: Tell | None = None,
) -> None:
    """Makes those of `codes` stand that were `found`, with their texts, and ends the others.

    `tell` is called with the codes that begin and those that end, where there are any.
    The write transaction is only taken when something changed.
    """
    with reading(engine) as connection:
        standing = standing_among(connection, codes)
    if found != standing:
        with writing(engine) as connection:
            _write(connection, found, standing, now_us, severity)
            if tell and found.keys() != standing.keys():
                tell(connection, found.keys() - standing.keys(), standing.keys() - found.keys())
        log.warning("standing_faults", found=sorted(found), ended=sorted(standing.keys() - found.keys()))


def find_faults(connection: Connection, now_us: int) -> dict[str, str]:
    """The faults there are now: code to text, in zh-CN and English."""
    found = {}
    if not has_duty_desk(connection, now_us, live=True):
        found[NO_DUTY_DESK] = "没有可联系的值班台 · no duty desk can be reached"
    if bare := [gap.code for gap in unreachable_places(connection, now_us, live=True)]:
        found[UNREACHABLE] = _unreachable_text(bare)
    if odd := unreadable_contacts(connection, now_us, live=True):
        found[UNREADABLE] = _unreadable_text(odd)
    return found


def _unreachable_text(codes: Sequence[str]) -> str:
    chinese = f"{len(codes)} 处有设备但没有可立即通知的人：{shortlist(codes, chinese=True)}"
    places = "1 place with a device has" if len(codes) == 1 else f"{len(codes)} places with a device have"
    return f"{chinese} · {places} nobody to tell at once: {shortlist(codes)}; gengfu contact gaps"


def _unreadable_text(codes: Sequence[str]) -> str:
    chinese = (
        f"{len(codes)} 个联系人的登记含有本版本不认识的词，这些登记不起作用：{shortlist(codes, chinese=True)}"
    )
    contacts = "1 contact has" if len(codes) == 1 else f"{len(codes)} contacts have"
    english = (
        f"{contacts} channels, bindings or substitutions with words this release does not know, which do"
    )
    return f"{chinese} · {english} not count: {shortlist(codes)}"


def standing_among(connection: Connection, codes: Collection[str]) -> dict[str, str]:
    """Those of `codes` that stand now, with their texts."""
    rows = connection.execute(
        select(system_fault.c.code, system_fault.c.text).where(
            system_fault.c.code.in_(codes), system_fault.c.ended_us.is_(None)
        )
    )
    return {row.code: row.text for row in rows}


def _write(
    connection: Connection,
    found: Mapping[str, str],
    standing: Mapping[str, str],
    now_us: int,
    severity: Severity,
) -> None:
    for code in standing.keys() - found.keys():
        connection.execute(_END, {"b_code": code, "b_now": now_us})
    for code, text in found.items():
        if code in standing:
            connection.execute(_SAY, {"b_code": code, "b_text": text})
        else:
            connection.execute(system_fault.delete().where(system_fault.c.code == code))
            connection.execute(
                system_fault.insert().values(code=code, severity=severity.value, text=text, since_us=now_us)
            )


_BY_CODE: Final = update(system_fault).where(system_fault.c.code == bindparam("b_code"))
_END: Final = _BY_CODE.values(ended_us=bindparam("b_now"))
_SAY: Final = _BY_CODE.values(text=bindparam("b_text"))
