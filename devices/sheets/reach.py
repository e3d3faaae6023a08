"""Who would no longer be reached after an import: found before the write lock is asked for.

The rows of the import are applied to temporary copies of the tables that say who is bound where. The copies
have the names of their originals: on this connection `devices.unreachable` and `devices.bound` then answer
from what the registry will be. All of it is rolled back, and nobody waits. With 100,000 devices, their
dwellings and people it takes 1.7 s, 2.7 s where a way of each contact ends (measured on SQLite).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, Table

from devices.bound import duty_desks, has_duty_desk
from devices.registry.losses import alone_now
from devices.schema import area, binding, building, contact, contact_channel, device, dwelling, stair
from devices.sheets.carry_out import Moved, statement
from devices.sheets.faults import Faults
from devices.sheets.forms import HANGING
from devices.sheets.known import Registry, version_of
from devices.sheets.plan import Step
from devices.sheets.shown import shown_code
from devices.sheets.writes import Batch
from devices.unreachable import unreachable_places

FIRST: Final = 5
"""Codes that are named (chosen)."""
_ASKED: Final = (area, building, stair, dwelling, contact, contact_channel, binding, device)


@dataclass(frozen=True, slots=True)
class Reach:
    """Places with a device whose people would all be out of reach after the import and are not before: how
    many, and the codes of the first, dwellings before stairs before buildings. `last_desks` are the codes of
    the duty desks that can be reached before, where none can be afterwards; else empty."""

    places: int = 0
    first: tuple[str, ...] = ()
    last_desks: tuple[str, ...] = ()


def may_lose(steps: Mapping[str, Step]) -> bool:
    """Whether somebody could be out of reach after these steps: ways, bindings, places or stays change."""
    changed = {name: step.changed for name, step in steps.items()}
    devices = steps.get("device")
    return (
        any(changed.get(name) for name in ("area", "building", "stair", "dwelling", "binding"))
        or any(one.old[3] != one.new[3] for one in changed.get("contact", ()))
        or any(one.old[HANGING] != one.new[HANGING] for one in changed.get("device", ()))
        or bool(devices is not None and devices.new)
    )


def reach_after(
    connection: Connection, registry: Registry, laid_out: Sequence[tuple[Batch, str]], now_us: int
) -> Reach:
    """What the import would do to reachability. `laid_out` are its batches and the tables they lie in.

    The connection is as before at the end. Raises Moved when the registry is not the one of the plan.
    """
    transaction = connection.begin()
    try:
        _check_still(connection, registry)
        before = alone_now(connection, now_us)
        desks = [one.code for one in duty_desks(connection, now_us, live=True) if one.ways]
        for table in {batch.table.name: batch.table for batch, _ in laid_out}.values():
            if table in _ASKED:
                _shadow(connection, table)
        for batch, source in laid_out:
            if batch.table in _ASKED:
                _apply(connection, batch, source)
        gaps = unreachable_places(connection, now_us, live=True)
        lost = [gap.code for gap in gaps if (gap.kind, gap.code) not in before]
        last = bool(desks) and not has_duty_desk(connection, now_us, live=True)
        reach = Reach(
            len(lost),
            tuple(lost[:FIRST]),
            tuple(sorted(set(desks))) if last else (),
        )
        _check_still(connection, registry)
        return reach
    finally:
        transaction.rollback()


def refuse_last_desk(reach: Reach, steps: Mapping[str, Step], registry: Registry, faults: Faults) -> None:
    """A fault for each duty desk that is lost, on its line where the file names it."""
    allowed = "a way that remains: nobody could reach any duty desk any more; --force to do it nevertheless"
    step = steps.get("contact")
    lines = {code: step.lines[code] for code in reach.last_desks if code in step.lines} if step else {}
    for code, line in lines.items():
        assert step is not None
        faults.add(step.table.file, line, "way", "", f"{allowed} ({shown_code(code, there=True)})")
    if reach.last_desks and not lines:
        faults.add(next(iter(steps.values())).table.file, 0, "", "", allowed)


def _check_still(connection: Connection, registry: Registry) -> None:
    if version_of(connection) != registry.version:
        raise Moved


def _columns(table: Table) -> list[str]:
    """What is asked for; nobody needs sealed text and blind indexes for it."""
    return [one.name for one in table.columns if not one.name.endswith(("_sealed", "_index"))]


def _shadow(connection: Connection, table: Table) -> None:
    """A temporary copy under the same name: temporary tables are found first."""
    names = ", ".join(f'"{name}"' for name in _columns(table))
    connection.exec_driver_sql(
        f'CREATE TEMPORARY TABLE "{table.name}" AS SELECT {names} FROM {_home(connection)}"{table.name}"'  # noqa: S608
    )
    for name in _columns(table):
        if name == "id" or (name.endswith("_id") and name != "change_id"):
            index = f"trial_{table.name}_{name}"
            where = "temp." if connection.dialect.name == "sqlite" else ""
            connection.exec_driver_sql(f'CREATE INDEX {where}"{index}" ON "{table.name}" ("{name}")')
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f'ANALYZE "{table.name}"')


def _home(connection: Connection) -> str:
    return "main." if connection.dialect.name == "sqlite" else ""


def _apply(connection: Connection, batch: Batch, source: str) -> None:
    kept = tuple(name for name in batch.columns if name in _columns(batch.table))
    if not batch.match or batch.stamped or set(kept) - {batch.match}:
        connection.exec_driver_sql(statement(replace(batch, columns=kept), source, 0))
