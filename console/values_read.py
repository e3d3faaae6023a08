"""What the registry knows of an incident's devices: their series, what they are called, where they hang."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from devices.model import Metric, PlaceKind
from devices.places import describe_spots
from devices.schema import device, series
from devices.spots import Spot
from ingest.store.history import Series

_METRICS = frozenset(map(int, Metric))


@dataclass(frozen=True, slots=True)
class Card:
    """A device as pages name it; `label` and `place` are empty where nobody said."""

    uid: str
    label: str = ""
    place: str = ""


def series_of(connection: Connection, uids: Collection[str]) -> Mapping[str, Sequence[Series]]:
    """Every series that was heard of these devices, by device; metrics of a later release are left out."""
    found: dict[str, list[Series]] = defaultdict(list)
    s = series.c
    rows = select(s.slot, s.uid, s.channel, s.metric).where(s.uid.in_(uids)).order_by(s.slot)
    for row in connection.execute(rows) if uids else ():
        if row.metric in _METRICS:
            found[row.uid].append(Series(row.slot, row.uid, row.channel, Metric(row.metric)))
    return found


def series_in(connection: Connection, slot: int, uids: Collection[str]) -> Series | None:
    """The series of this slot, where it is of one of these devices."""
    s = series.c
    row = connection.execute(
        select(s.slot, s.uid, s.channel, s.metric).where(s.slot == slot, s.uid.in_(uids))
    ).one_or_none()
    if row is None or row.metric not in _METRICS:
        return None
    return Series(row.slot, row.uid, row.channel, Metric(row.metric))


def cards_of(connection: Connection, uids: Collection[str], language: str) -> Mapping[str, Card]:
    """What each device is called and where it hangs; those that are not registered by their uid alone."""
    d = device.c
    rows = connection.execute(
        select(d.uid, d.label, d.dwelling_id, d.stair_id, d.building_id).where(d.uid.in_(uids))
    ).all()
    spots = {
        row.uid: spot
        for row in rows
        if (spot := _spot(row.dwelling_id, row.stair_id, row.building_id)) is not None
    }
    words = describe_spots(connection, set(spots.values()), [language])
    known = {
        row.uid: Card(row.uid, row.label, words[spots[row.uid], language] if row.uid in spots else "")
        for row in rows
    }
    return {uid: known.get(uid, Card(uid)) for uid in uids}


def _spot(dwelling_id: int | None, stair_id: int | None, building_id: int | None) -> Spot | None:
    if dwelling_id:
        return Spot(PlaceKind.DWELLING, dwelling_id)
    if stair_id:
        return Spot(PlaceKind.STAIR, stair_id)
    return Spot(PlaceKind.BUILDING, building_id) if building_id else None
