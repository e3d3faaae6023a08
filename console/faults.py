"""What the board says of the system itself: standing faults, and processes that are in trouble or silent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from alerts.pulse import ailing
from alerts.schema import system_fault
from alerts.standing import NO_DUTY_DESK
from alerts.troubles import ailment_of
from console.words import say
from devices.model import Severity
from devices.overseen import Unseen
from devices.scope import Scope
from devices.shortlist import shortlist


@dataclass(frozen=True, slots=True)
class Fault:
    """A standing fault of the system or the registry; `since_us` 0: nobody knows since when."""

    code: str
    severity: str
    text: str
    since_us: int


def standing_faults(
    connection: Connection, language: str, now_us: int, scope: Scope, unseen: Unseen
) -> list[Fault]:
    """Processes that do not do their work first, then what is on nobody's screen, then recorded faults that
    have not ended, worst first.

    Whoever does not see everywhere is told that a fault stands, not its text where that may name places or
    people: it may be of another street.
    """
    processes = _processes(connection, language, now_us)
    recorded = _recorded(connection, {one.code for one in processes})
    if not scope.everywhere:
        recorded = [_without_places(one, language) for one in recorded]
    return [*processes, *_on_no_screen(unseen, scope, language), *recorded]


def _on_no_screen(unseen: Unseen, scope: Scope, language: str) -> list[Fault]:
    if not unseen.unplaced:
        return []
    text = say(language, "fault.unplaced_unseen")
    if unseen.areas:
        codes = shortlist(unseen.areas, chinese=language == "zh-CN") if scope.everywhere else ""
        text += f"{say(language, 'fault.areas_unseen')} {codes}".rstrip()
    return [Fault("unseen", Severity.P1, text, 0)]


def _without_places(fault: Fault, language: str) -> Fault:
    if fault.code == NO_DUTY_DESK or ailment_of(fault.code) is not None:
        return fault
    return replace(fault, text=f"{fault.code}: {say(language, 'fault.withheld')}")


def _processes(connection: Connection, language: str, now_us: int) -> list[Fault]:
    faults = []
    for one in ailing(connection, now_us):
        who = say(language, f"process.{one.name}")
        for part in one.trouble.split("; "):
            trouble, _, which = part.partition(": ")
            what = say(language, f"pulse.{trouble or 'silent'}") + (f" ({which})" if which else "")
            faults.append(Fault(f"process.{one.name}", Severity.P1, who + what, one.since_us))
    return faults


def _recorded(connection: Connection, shown: Collection[str]) -> list[Fault]:
    """Those of a process that is `shown` are left out: it says itself what it has. One without a pulse
    cannot."""
    fault = system_fault.c
    rows = connection.execute(
        select(fault.code, fault.severity, fault.text, fault.since_us)
        .where(fault.ended_us.is_(None))
        .order_by(fault.severity, fault.since_us)
    )
    faults = []
    for row in rows:
        one = ailment_of(row.code)
        if one is None or f"process.{one.process}" not in shown:
            faults.append(Fault(*row))
    return faults
