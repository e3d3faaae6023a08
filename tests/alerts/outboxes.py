"""A registry and an outbox to send from: one incident, contacts with ways, notifications by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import Engine, select, update

from alerts.attempts import handover_of
from alerts.handover import Handover
from alerts.sayings import render
from alerts.schema import attempt, incident, incident_change, notification
from devices.database import open_database, reading, writing
from devices.model import Carrier, Medium, Severity
from devices.schema import contact, contact_channel, registry_change

NOW = 1_700_000_000_000_000
SECOND = 1_000_000


class PlainVault:
    """A vault that seals nothing."""

    def unseal(self, blob: bytes, where: str) -> str:
        assert where == "contact_channel.address"
        if blob == b"broken":
            raise ValueError("does not open")
        return blob.decode()


@dataclass
class Outbox:
    """An incident whose people are told through `engine`."""

    engine: Engine
    incident_id: int
    _steps: Iterator[int]

    def add_contact(self, *ways: tuple[Medium, Carrier, str]) -> list[int]:
        """A contact with `ways` in order of rank; the ids of the channels."""
        with writing(self.engine) as connection:
            code = f"c{next(self._steps)}"
            row = contact.insert().values(code=code, name_sealed=b"", created_us=NOW).returning(contact.c.id)
            owner = connection.execute(row).scalar_one()
            return [
                connection.execute(
                    contact_channel.insert()
                    .values(
                        contact_id=owner,
                        medium=medium,
                        carrier=carrier,
                        address_sealed=address.encode(),
                        address_index=b"",
                        rank=rank,
                    )
                    .returning(contact_channel.c.id)
                ).scalar_one()
                for rank, (medium, carrier, address) in enumerate(ways)
            ]

    def tell(self, channel_ids: Sequence[int], severity: Severity, created_us: int = NOW) -> list[Handover]:
        """A notification for each channel, with attempt 1 started, as a turn commits them."""
        return [self._tell(channel_id, severity, created_us) for channel_id in channel_ids]

    def _tell(self, channel_id: int, severity: Severity, created_us: int) -> Handover:
        with writing(self.engine) as connection:
            way = connection.execute(select(contact_channel).where(contact_channel.c.id == channel_id)).one()
            values = {
                "key": f"{self.incident_id}/1/at_once/{next(self._steps)}/{way.contact_id}/{way.medium}",
                "incident_id": self.incident_id,
                "contact_id": way.contact_id,
                "channel_id": channel_id,
                "role": "family",
                "severity": severity,
                "rank": severity.rank,
                "medium": way.medium,
                "text": "smoke",
                "link": "http://a.example/x",
                "created_us": created_us,
                "state": "sending",
                "attempts": 1,
                "next_try_us": 0,
            }
            row = connection.execute(notification.insert().values(values).returning(notification)).one()
            started = {
                "notification_id": row.id,
                "n": 1,
                "started_us": NOW,
                "outcome": "started",
                "detail": "",
            }
            connection.execute(attempt.insert().values(started))
            return handover_of(row, 1, NOW)

    def notifications(self) -> list[Any]:
        with reading(self.engine) as connection:
            return list(connection.execute(select(notification).order_by(notification.c.id)))

    def attempts(self) -> list[tuple[int, int, str]]:
        """(notification, n, outcome) of every attempt."""
        columns = (attempt.c.notification_id, attempt.c.n, attempt.c.outcome)
        with reading(self.engine) as connection:
            return [tuple(row) for row in connection.execute(select(*columns).order_by(*columns[:2]))]

    def timeline(self, language: str = "en") -> list[str]:
        with reading(self.engine) as connection:
            rows = connection.execute(select(incident_change).order_by(incident_change.c.id))
            return [render(row.text, language) for row in rows if row.kind == "delivery"]

    def close_incident(self, at_us: int) -> None:
        with writing(self.engine) as connection:
            connection.execute(update(incident).values(closed_us=at_us, state="closed"))

    def change_address(self, channel_id: int, address: str) -> None:
        with writing(self.engine) as connection:
            connection.execute(
                update(contact_channel)
                .where(contact_channel.c.id == channel_id)
                .values(address_sealed=address.encode())
            )
            connection.execute(registry_change.insert().values(at_us=NOW, by="test", what="address"))


@contextmanager
def open_outbox(database: str) -> Iterator[Outbox]:
    engine = open_database(database)
    values = {
        "place": "dwelling:1",
        "dwelling_id": 1,
        "building_id": 1,
        "hazard": "fire",
        "severity": "P0",
        "state": "open",
        "epoch": 1,
        "started_us": NOW,
        "opened_us": NOW,
    }
    with writing(engine) as connection:
        number = connection.execute(incident.insert().values(values).returning(incident.c.id)).scalar_one()
    try:
        yield Outbox(engine, number, count())
    finally:
        engine.dispose()
