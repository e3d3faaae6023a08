"""When devices were last heard: the time of the newest point of each, as far as the store of points says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Engine

from console.values_gate import Busy, Gate
from console.values_read import series_of
from devices.database import reading
from ingest.store.histories import Histories

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sighted:
    """Microseconds since 1970 UTC of the newest point by device; `lacks`: not all points could be asked
    for, so a device that is missing may have spoken."""

    at_us: Mapping[str, int] = field(default_factory=dict)
    lacks: bool = False


def sighted(engine: Engine, histories: Histories | None, gate: Gate, uids: Sequence[str]) -> Sighted:
    """Never raises: a page goes without."""
    if histories is None or not uids:
        return Sighted(lacks=histories is None)
    try:
        with gate.entered():
            with reading(engine) as connection:
                known = series_of(connection, uids)
            newest = histories.latest([one for many in known.values() for one in many])
    except Busy:
        return Sighted(lacks=True)
    except Exception as error:  # whatever it is: the page says that times are missing
        log.error("values_not_read", error=repr(error))
        return Sighted(lacks=True)
    device_of = {one.slot: uid for uid, many in known.items() for one in many}
    found: dict[str, int] = {}
    for slot, ts_ns in zip(newest.points.slot.tolist(), newest.points.ts_ns.tolist(), strict=True):
        uid = device_of[slot]
        found[uid] = max(found.get(uid, 0), ts_ns // 1000)
    return Sighted(found, bool(newest.lacks))
