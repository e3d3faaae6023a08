"""The books of a house: what was journalled, stored and raised, read back from the files it left."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from sqlalchemy import select

from alerts.schema import transition
from devices.database import reading
from devices.schema import series
from ingest.journal_files import list_segments, next_record
from ingest.record import Record
from ingest.record_bytes import decode_record
from tests.crash.composed import House
from tests.crash.mortal import copy_segments

Row = tuple[str, str, int, int, float, int]
"""uid, channel, metric, ns, value, quality."""


@dataclass(frozen=True)
class Books:
    """Everything that must come out equal, however often the process died."""

    journalled: Counter[int]
    points: Counter[Row]
    transitions: list[tuple[object, ...]]
    state: dict[str, NDArray[Any]]

    @property
    def named(self) -> Counter[tuple[str, str, int, float]]:
        """The points without time and quality."""
        found: Counter[tuple[str, str, int, float]] = Counter()
        for (uid, channel, metric, _, value, _), count in self.points.items():
            found[uid, channel, metric, value] += count
        return found


def books(house: House) -> Books:
    """The books of a house in which all is done; its last process may have ended."""
    house.write_points()
    copy_segments(house.folder / "journal", house.archive)
    return Books(
        journalled=Counter(
            packet_id for record in records(house) for packet_id in record.messages.packet_id.tolist()
        ),
        points=stored(house),
        transitions=raised(house),
        state=house.state(),
    )


def records(house: House) -> list[Record]:
    """All that ever was journalled, also what was trimmed since."""
    found = []
    for segment in list_segments(house.archive):
        data, at = segment.path.read_bytes(), 0
        while one := next_record(data, at):
            start, header = one
            found.append(decode_record(data, start))
            at = start + header.size
    return found


def stored(house: House) -> Counter[Row]:
    """Every point of the store, as often as it is there."""
    with reading(house.engine) as connection:
        rows = connection.execute(
            select(series.c.slot, series.c.uid, series.c.channel, series.c.metric)
        ).all()
    found: Counter[Row] = Counter()
    for slot, uid, channel, metric in rows:
        points = house.store.read(slot, 0, 2**62, limit=10**6)
        columns = (points.ts_ns.tolist(), points.value.tolist(), points.quality.tolist())
        found.update((uid, channel, metric, *one) for one in zip(*columns, strict=True))
    return found


def raised(house: House) -> list[tuple[object, ...]]:
    """All transitions but for their ids, in the order of their ids."""
    columns = [one for one in transition.c if one.name != "id"]
    with reading(house.engine) as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(transition.c.id))]
