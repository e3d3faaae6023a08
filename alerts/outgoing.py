"""From pages to committed notifications, each with its first attempt begun: what the sender takes over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from alerts.attempts import begin
from alerts.backoff import URGENT_RANK
from alerts.handover import Handover, pack_parts, read_parts
from alerts.held import HELD, lately_told
from alerts.links import link_token, link_url
from alerts.rollup import held_until_us
from alerts.schema import attempt, notification
from alerts.settings import Settings
from alerts.wording import Worded
from devices.fresh_ids import fresh_ids
from devices.many import insert_many
from devices.model import Medium


def store_notifications(
    connection: Connection,
    worded: Sequence[Worded],
    ids: Mapping[int, int],
    settings: Settings,
    now_us: int,
) -> list[Handover]:
    """Writes notifications in state `sending` with attempt 1 `started`; urgent handovers come first. Lesser
    ones that are to be told together (`alerts.rollup`) are written as `held` and handed over when released.

    A notification that is there already (same incident, epoch, step, repetition, contact and medium) is left
    alone and not handed over again.
    """
    rows, hazards = {}, {}
    for one in worded:
        row = _row(one, ids[one.case_id], settings, now_us)
        rows[row["key"]], hazards[row["key"]] = row, one.hazard
    if not rows:
        return []
    _hold(connection, rows, hazards, settings.messages_per_minute, now_us)
    new = _inserted(connection, rows)
    begun = sorted((n for n in new if new[n]["state"] != HELD), key=lambda n: (new[n]["rank"], n))
    insert_many(connection, attempt, [begin(n, 1, now_us) for n in begun])
    return [_handover(n, new[n]) for n in begun]


def _inserted(connection: Connection, rows: Mapping[str, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Those that were not there already, by their new ids."""
    new = dict(zip(fresh_ids(connection, notification, len(rows)), rows.values(), strict=True))
    insert_many(connection, notification, [row | {"id": n} for n, row in new.items()], new=True)
    there = connection.scalars(select(notification.c.id).where(notification.c.id >= min(new)))
    return {n: new[n] for n in there}


def _hold(
    connection: Connection,
    rows: Mapping[str, dict[str, Any]],
    hazards: Mapping[str, str],
    limit: int,
    now_us: int,
) -> None:
    """Marks the rows that wait, worst first, so that of a contact's many the worst go out by themselves."""
    lesser = [key for key, row in rows.items() if row["rank"] > URGENT_RANK]
    if not lesser:
        return
    lately = lately_told(connection, {rows[key]["contact_id"] for key in lesser}, now_us)
    for key in sorted(lesser, key=lambda key: rows[key]["rank"]):
        row = rows[key]
        told = lately.setdefault(row["contact_id"], [])
        until_us = held_until_us(row["rank"], hazards[key], told, now_us, limit)
        if until_us:
            row |= {"state": HELD, "attempts": 0, "next_try_us": until_us}
        else:
            told.append(now_us)


def _row(one: Worded, incident_id: int, settings: Settings, now_us: int) -> dict[str, Any]:
    page = one.page
    contact_id = page.to.contact_id
    return {
        "key": f"{incident_id}/{page.epoch}/{page.step}/{page.n}/{contact_id}/{page.way.medium}",
        "incident_id": incident_id,
        "contact_id": contact_id,
        "channel_id": page.way.channel_id,
        "role": str(page.to.role),
        "severity": one.severity,
        "rank": one.rank,
        "medium": str(page.way.medium),
        "text": one.text,
        "language": page.to.language,
        "parts": pack_parts(one.parts),
        "link": link_of(settings, incident_id, contact_id),
        "created_us": now_us,
        "state": "sending",
        "attempts": 1,
        "next_try_us": now_us,
    }


def link_of(settings: Settings, incident_id: int, contact_id: int) -> str:
    """The one-tap link of this contact and incident; empty where no page is configured."""
    token = link_token(settings.link_key, incident_id, contact_id)
    return link_url(settings.answers_url, token)


def _handover(notification_id: int, row: Mapping[str, Any]) -> Handover:
    return Handover(
        notification_id=notification_id,
        n=1,
        key=row["key"],
        incident_id=row["incident_id"],
        contact_id=row["contact_id"],
        channel_id=row["channel_id"],
        medium=Medium(row["medium"]),
        rank=row["rank"],
        text=row["text"],
        link=row["link"],
        language=row["language"],
        parts=read_parts(row["parts"]),
        created_us=row["created_us"],
        started_us=row["created_us"],
    )
