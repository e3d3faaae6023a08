"""A house whose devices say that they are tested, some of them without ever taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import select

from devices.database import reading
from devices.model import Metric
from devices.profiles.profile import Decoded, Hold, Points
from devices.schema import device_test
from ingest.notes import OURS, TESTS, stored_notes
from tests.ingest.house import House
from tests.ingest.plain import PlainProfile

HOLD_US = 30_000_000
Pressed = tuple[str, int, int, int | None]


class PressingProfile(PlainProfile):
    """As `PlainProfile`; `once` in a payload says that its test counts as false after HOLD_US."""

    def decode(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        points: Points,
        *,
        received_us: int = 0,
        retained: Sequence[bool] | None = None,
    ) -> Decoded:
        decoded = super().decode(topics, payloads, points, received_us=received_us, retained=retained)
        holds = [
            Hold(n, points.row(topic[2:], ""), int(Metric.SMOKE_TEST), HOLD_US)
            for n, (topic, payload) in enumerate(zip(topics, payloads, strict=True))
            if "once" in msgspec.json.decode(payload, type=dict[str, float])
        ]
        return replace(decoded, asides=decoded.asides._replace(holds=tuple(holds)))


class PressingHouse(House):
    profile_type = PressingProfile


def pressed(house: House) -> list[Pressed]:
    """All tests on record."""
    c = device_test.c
    with reading(house.engine) as connection:
        query = select(c.uid, c.began_us, c.received_us, c.ended_us).order_by(c.began_us, c.uid)
        return [(row.uid, row.began_us, row.received_us, row.ended_us) for row in connection.execute(query)]


def running(house: House) -> list[str]:
    """What is noted of tests that run."""
    with reading(house.engine) as connection:
        return [one.value for one in stored_notes(connection, OURS, TESTS)]
