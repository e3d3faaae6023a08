"""What the board says of the system itself: standing faults, and processes that are in trouble or silent."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from alerts.ailments import CODES
from alerts.pulse import ailing
from alerts.schema import system_fault
from console.words import say
from devices.model import Severity


@dataclass(frozen=True, slots=True)
class Fault:
    """A standing fault of the system or the registry."""

    code: str
    severity: str
    text: str
    since_us: int


def standing_faults(connection: Connection, language: str, now_us: int) -> list[Fault]:
    """Processes that do not do their work first, then recorded faults that have not ended, worst first."""
    return [*_processes(connection, language, now_us), *_recorded(connection)]


def _processes(connection: Connection, language: str, now_us: int) -> list[Fault]:
    faults = []
    for one in ailing(connection, now_us):
        who = say(language, f"process.{one.name}")
        for part in one.trouble.split("; "):
            trouble, _, which = part.partition(": ")
            what = say(language, f"pulse.{trouble or 'silent'}") + (f" ({which})" if which else "")
            faults.append(Fault(f"process.{one.name}", Severity.P1, who + what, one.since_us))
    return faults


def _recorded(connection: Connection) -> list[Fault]:
    fault = system_fault.c
    rows = connection.execute(
        select(fault.code, fault.severity, fault.text, fault.since_us)
        .where(fault.ended_us.is_(None), fault.code.not_in(CODES))  # those are shown with their process
        .order_by(fault.severity, fault.since_us)
    )
    return [Fault(*row) for row in rows]
