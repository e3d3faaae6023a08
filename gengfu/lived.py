"""When the former ingest process is known to have lived last: where our absence began."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, select

from alerts.schema import pulse
from devices.database import reading
from ingest.snapshot import SnapshotFolder

_INGEST: Final = "ingest"


def lived_us(engine: Engine, snapshots: SnapshotFolder) -> int:
    """The newer of its pulse and its newest snapshot; 0 where there is neither.

    A process that ended in order has taken its pulse away and left a snapshot; one that was killed wrote its
    pulse every few seconds. Ask before this process writes either. What the journal says besides, the rules
    know from their recovery.
    """
    with reading(engine) as connection:
        beaten_us = connection.execute(select(pulse.c.at_us).where(pulse.c.name == _INGEST)).scalar()
    return max(int(beaten_us or 0), snapshots.saved_us)
