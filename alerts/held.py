"""Notifications that wait to be told together (`alerts.rollup`), in SQL: what a contact had lately, and the
release of what is due.

A held notification stands in the outbox in state `held`, so that steps know of it as of any other. Released,
one of a contact's goes out, alone as it was written, or with a summary of all for its text, and counts from
then on; the others are `rolled`: told by it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from alerts.attempts import handover_of
from alerts.backoff import URGENT_RANK
from alerts.handover import Handover, pack_parts, read_parts
from alerts.links import link_url, summary_token
from alerts.plain_words import since_text
from alerts.rollup import WINDOW_US, Held, summary
from alerts.sayings import Words, pack
from alerts.schema import attempt, incident, incident_change, notification
from alerts.settings import Settings
from alerts.text_file import Texts
from devices.schema import building

HELD: Final = "held"
ROLLED: Final = "rolled"
_SLICE: Final = 500
_CONTACTS: Final = 200
"""Contacts released in one turn (chosen: a fire waits for the end of the turn)."""


def lately_told(connection: Connection, contact_ids: Collection[int], now_us: int) -> dict[int, list[int]]:
    """When each of these contacts was sent lesser messages in the last minute; summaries count as one."""
    n, every = notification.c, sorted(contact_ids)
    found: dict[int, list[int]] = defaultdict(list)
    for start in range(0, len(every), _SLICE):
        rows = connection.execute(
            select(n.contact_id, n.created_us).where(
                n.contact_id.in_(every[start : start + _SLICE]),
                n.created_us > now_us - WINDOW_US,
                n.rank > URGENT_RANK,
                n.state.not_in((HELD, ROLLED)),
            )
        )
        for contact_id, created_us in rows:
            found[contact_id].append(created_us)
    return found


def next_release_us(connection: Connection) -> int | None:
    """When the first held message is due; None without one."""
    first: int | None = connection.scalar(
        select(func.min(notification.c.next_try_us)).where(notification.c.state == HELD)
    )
    return first


def release(connection: Connection, now_us: int, zone: tzinfo, settings: Settings) -> list[Handover]:
    """Begins what is due: everything held for a contact of whom something is. What was to be told before its
    incident was closed dies instead."""
    n = notification.c
    due = select(n.contact_id).where(n.state == HELD, n.next_try_us <= now_us).distinct().limit(_CONTACTS)
    contacts = list(connection.scalars(due))
    if not contacts:
        return []
    rows = connection.execute(
        select(notification, incident.c.closed_us, building.c.name.label("building"))
        .join(incident, n.incident_id == incident.c.id)
        .outerjoin(building, incident.c.building_id == building.c.id)
        .where(n.contact_id.in_(contacts), n.state == HELD)
        .order_by(n.contact_id, n.rank, n.created_us.desc(), n.id)
    ).all()
    over = {row.id for row in rows if row.closed_us is not None and row.created_us < row.closed_us}
    _set_state(connection, over, "dead")
    by_contact: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        if row.id not in over:
            by_contact[row.contact_id].append(row)
    return _begun(connection, list(by_contact.values()), now_us, zone, settings)


def _begun(
    connection: Connection,
    groups: Sequence[Sequence[Row[Any]]],
    now_us: int,
    zone: tzinfo,
    settings: Settings,
) -> list[Handover]:
    """Of each contact's messages the worst and newest, first of its group, with the summary where it is not
    the only one."""
    if not groups:
        return []
    words = [_words(group, now_us, zone, settings.texts) for group in groups]
    links = [_link(group, settings) for group in groups]
    connection.execute(
        _BEGIN,
        [
            {"b_id": group[0].id, "b_at": now_us, "b_link": link, "b_in": group[0].id if group[1:] else None}
            | {f"b_{name}": text for name, text in said.items()}
            for group, said, link in zip(groups, words, links, strict=True)
        ],
    )
    started = [{"notification_id": group[0].id, "n": 1, "started_us": now_us} for group in groups]
    connection.execute(insert(attempt).values(outcome="started", detail=""), started)
    if rolled := [{"b_id": row.id, "b_in": group[0].id} for group in groups for row in group[1:]]:
        connection.execute(_ROLL, rolled)
    if lines := [line for group in groups if len(group) > 1 for line in _lines(group, now_us)]:
        connection.execute(insert(incident_change), lines)
    return [
        replace(
            handover_of(group[0], 1, now_us),
            text=said["text"],
            parts=read_parts(said["parts"]),
            link=link,
            created_us=now_us,
        )
        for group, said, link in zip(groups, words, links, strict=True)
    ]


def _link(group: Sequence[Row[Any]], settings: Settings) -> str:
    """A summary's own link, which answers for all that it tells of; else that of the incident."""
    if len(group) == 1 or not settings.answers_url:
        return str(group[0].link)
    return link_url(settings.answers_url, summary_token(settings.link_key, group[0].id))


def _lines(group: Sequence[Row[Any]], now_us: int) -> list[dict[str, Any]]:
    """On the timeline of every incident that the summary tells of."""
    text = pack("rolled_up", role=Words([group[0].role]), count=str(len(group)))
    line = {"at_us": now_us, "kind": "told", "by": "gengfu", "via": "clock", "text": text}
    return [{"incident_id": one, **line} for one in sorted({row.incident_id for row in group})]


def _words(group: Sequence[Row[Any]], now_us: int, zone: tzinfo, texts: Texts) -> dict[str, str]:
    return (
        _summed_up(group, now_us, zone, texts)
        if len(group) > 1
        else {"text": group[0].text, "parts": group[0].parts}
    )


def _summed_up(rows: Sequence[Row[Any]], now_us: int, zone: tzinfo, texts: Texts) -> dict[str, str]:
    language = rows[0].language
    pieces = [read_parts(row.parts) for row in rows]
    held = [
        Held(row.building or said.get("where", ""), said.get("what", ""))
        for row, said in zip(rows, pieces, strict=True)
    ]
    since = since_text(min(row.created_us for row in rows), now_us, zone)
    text = summary(held, since, language, texts)
    worst = pieces[0]
    return {"text": text, "parts": pack_parts({**worst, "what": text})}


def _set_state(connection: Connection, ids: Collection[int], state: str) -> None:
    if ids:
        connection.execute(_STATE, [{"b_id": one, "b_state": state} for one in sorted(ids)])


_STATE: Final = (
    update(notification).where(notification.c.id == bindparam("b_id")).values(state=bindparam("b_state"))
)
_ROLL: Final = (
    update(notification)
    .where(notification.c.id == bindparam("b_id"))
    .values(state=ROLLED, told_in=bindparam("b_in"))
)
_BEGIN: Final = (
    update(notification)
    .where(notification.c.id == bindparam("b_id"))
    .values(
        state="sending",
        attempts=1,
        created_us=bindparam("b_at"),
        next_try_us=bindparam("b_at"),
        text=bindparam("b_text"),
        parts=bindparam("b_parts"),
        link=bindparam("b_link"),
        told_in=bindparam("b_in"),
    )
)
