"""Cases into SQL, as the difference to what was loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, delete, update

from alerts import schema
from alerts.case import Alarm, Case, Incident, Step
from alerts.inputs import store_inputs
from alerts.why_text import pack_why
from devices.fresh_ids import fresh_ids
from devices.many import insert_many

_NAMING: Final = frozenset({"related", "split"})
"""Kinds of lines that name another incident; in a packed saying no other text looks like its number."""


def store_cases(
    connection: Connection, before: Mapping[int, Case], after: Mapping[int, Case]
) -> dict[int, int]:
    """Writes what differs, with new changes and engine inputs. Returns the real ids of negative ones.

    Pages are the caller's: they need texts. A fixed number of statements.
    """
    ids = _numbered(connection, after)
    old = {key: before.get(key, Case(case.incident)) for key, case in after.items()}
    _update_incidents(
        connection, [c.incident for k, c in after.items() if k > 0 and c.incident != old[k].incident]
    )
    _store_parts(connection, ids, old, after)
    _store_changes(connection, ids, after)
    store_inputs(connection, [(ids[key], one) for key, case in after.items() for one in case.inputs])
    return ids


def _numbered(connection: Connection, after: Mapping[int, Case]) -> dict[int, int]:
    """The id of each case; the new ones are inserted for that."""
    fresh = [key for key in after if key <= 0]
    if not fresh:
        return {key: key for key in after}
    numbers = dict(zip(fresh, fresh_ids(connection, schema.incident, len(fresh)), strict=True))
    rows = [_incident_values(after[key].incident) | {"id": number} for key, number in numbers.items()]
    insert_many(connection, schema.incident, rows)
    return {key: numbers.get(key, key) for key in after}


def _incident_values(incident: Incident) -> dict[str, Any]:
    names = (column.name for column in schema.incident.columns if column.name != "id")
    values: dict[str, Any] = {name: getattr(incident, name) for name in names}
    for name in ("hazard", "severity", "state"):
        values[name] = str(values[name])
    return values | {"tags": ",".join(sorted(incident.tags))[:120]}


def _update_incidents(connection: Connection, incidents: Sequence[Incident]) -> None:
    if incidents:
        connection.execute(
            update(schema.incident).where(schema.incident.c.id == bindparam("b_id")),
            [_incident_values(one) | {"b_id": one.id} for one in incidents],
        )


def _store_parts(
    connection: Connection, ids: Mapping[int, int], old: Mapping[int, Case], new: Mapping[int, Case]
) -> None:
    """Alarms and steps, each by its identity: new ones inserted, changed ones updated."""
    alarms: dict[tuple[Any, ...], dict[str, Any]] = {}
    steps: dict[tuple[Any, ...], dict[str, Any]] = {}
    known: set[tuple[Any, ...]] = set()
    for key, case in new.items():
        for alarm in set(case.alarms) - set(old[key].alarms):
            alarms[ids[key], alarm.rule, alarm.subject] = _alarm_values(alarm) | {"incident_id": ids[key]}
        for step in set(case.steps) - set(old[key].steps):
            steps[ids[key], *step.identity] = _step_values(step) | {"incident_id": ids[key]}
        known.update((ids[key], a.rule, a.subject) for a in old[key].alarms)
        known.update((ids[key], *s.identity) for s in old[key].steps)
    _drop_alarms(connection, old, new)
    _upsert(connection, schema.incident_alarm, ("incident_id", "rule", "subject"), alarms, known)
    _upsert(connection, schema.step, ("incident_id", "epoch", "name", "n"), steps, known)


def _drop_alarms(connection: Connection, old: Mapping[int, Case], new: Mapping[int, Case]) -> None:
    """What an operator has split off stands in another incident now (`alerts.splitting`)."""
    gone = [
        {"b_incident": key, "b_rule": rule, "b_subject": subject}
        for key, case in new.items()
        for rule, subject in {a.identity for a in old[key].alarms} - {a.identity for a in case.alarms}
    ]
    if gone:
        a = schema.incident_alarm.c
        ours = (a.incident_id == bindparam("b_incident")) & (a.rule == bindparam("b_rule"))
        connection.execute(
            delete(schema.incident_alarm).where(ours, a.subject == bindparam("b_subject")), gone
        )


def _upsert(
    connection: Connection,
    table: Table,
    identity: tuple[str, ...],
    rows: Mapping[tuple[Any, ...], dict[str, Any]],
    known: set[tuple[Any, ...]],
) -> None:
    fresh = [rows[key] for key in sorted(rows) if key not in known]
    changed = [rows[key] for key in sorted(rows) if key in known]
    if fresh:
        insert_many(connection, table, fresh)
    if changed:
        where = [table.c[name] == bindparam(f"b_{name}") for name in identity]
        values: dict[str, Any] = {name: bindparam(f"b_{name}") for name in changed[0] if name not in identity}
        connection.execute(
            update(table).where(*where).values(values),
            [{f"b_{name}": value for name, value in row.items()} for row in changed],
        )


def _alarm_values(alarm: Alarm) -> dict[str, Any]:
    return {
        "rule": alarm.rule,
        "subject": alarm.subject,
        "uid": alarm.uid,
        "slot": alarm.slot,
        "place": alarm.place,
        "severity": str(alarm.severity),
        "raised_us": alarm.raised_us,
        "cleared_us": alarm.cleared_us,
        "why": pack_why(alarm.why),
        "hazard": str(alarm.hazard),
        "taken_us": alarm.taken_us,
        "title": pack_why(alarm.title) if alarm.title else "",
    }


def _step_values(step: Step) -> dict[str, Any]:
    return {
        "epoch": step.epoch,
        "name": str(step.name),
        "n": step.n,
        "due_us": step.due_us,
        "state": str(step.state),
        "ended_us": step.ended_us,
    }


def _store_changes(connection: Connection, ids: Mapping[int, int], cases: Mapping[int, Case]) -> None:
    rows = [
        {
            "incident_id": ids[key],
            "at_us": change.at_us,
            "kind": str(change.kind),
            "by": change.by,
            "via": change.via,
            "text": _with_real_id(change.text, ids) if change.kind in _NAMING else change.text,
        }
        for key, case in cases.items()
        for change in case.changes
    ]
    if rows:
        insert_many(connection, schema.incident_change, rows)


def _with_real_id(text: str, ids: Mapping[int, int]) -> str:
    """A line that names an incident opened in this same turn learns its number here."""
    for temporary, real in ids.items():
        if temporary < 0:
            text = text.replace(f'"other":"{temporary}"', f'"other":"{real}"')
    return text
