"""Leave to test a contact. A test cannot be made without it, and this file gives none for a station.

No test reaches a micro station or a fire brigade (life_safety, "who is told"): not who is bound as one
anywhere, not who stands in for one now or later, and not a number or address that is a station's too,
whoever else it is registered for. Leave is asked for when a test is made, and again when it is begun.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from sqlalchemy import Connection, Select, or_, select

from alerts.gate import GateError
from devices.model import Role
from devices.schema import binding, contact_channel, substitution
from devices.spots import IDS, rows_in

STATIONS: Final = (Role.MICRO_STATION, Role.FIRE_BRIGADE)


class _Seal:
    """Known to this file only."""


_SEAL: Final = _Seal()


class LeaveToTest:
    """Leave to test one contact by any of its ways but those in `barred`, whose addresses are a station's."""

    __slots__ = ("barred", "contact_id")

    def __init__(self, seal: _Seal, contact_id: int, barred: frozenset[int]) -> None:
        if seal is not _SEAL:
            raise GateError("leave to test a contact is given by alerts.leave_to_test only")
        self.contact_id = contact_id
        self.barred = barred

    def covers(self, contact_id: int, channel_id: int) -> bool:
        """Whether this way of this contact may be tested."""
        return contact_id == self.contact_id and channel_id not in self.barred


def leaves(connection: Connection, contact_ids: Collection[int], now_us: int) -> dict[int, LeaveToTest]:
    """Leave for each of these contacts who is no station; nothing for the others."""
    stations = station_ids(connection, now_us)
    shared = station_channels(connection, contact_ids, now_us)
    mine = {n: frozenset(c for owner, c in shared if owner == n) for n in {owner for owner, _ in shared}}
    return {n: LeaveToTest(_SEAL, n, mine.get(n, frozenset())) for n in contact_ids if n not in stations}


def station_ids(connection: Connection, now_us: int) -> frozenset[int]:
    """Contacts who are a station anywhere, or stand in for one now or later."""
    return frozenset(connection.scalars(_stations(now_us)))


def _stations(now_us: int) -> Select[Any]:
    """As rows are written, whatever clocks say of their beginnings: rather one test less."""
    bound = select(binding.c.contact_id).where(binding.c.role.in_(STATIONS), binding.c.ended_us.is_(None))
    standing_in = select(substitution.c.substitute_id).where(
        substitution.c.contact_id.in_(bound),
        substitution.c.cancelled_us.is_(None),
        substitution.c.until_us > now_us,
        or_(substitution.c.role == "", substitution.c.role.in_(STATIONS)),
    )
    return bound.union(standing_in)  # type: ignore[return-value]


def station_channels(connection: Connection, contact_ids: Iterable[int], now_us: int) -> set[tuple[int, int]]:
    """Of these contacts the ways whose address is a station's too, as contact and channel."""
    way = contact_channel.c
    theirs = (
        select(way.address_index)
        .where(way.contact_id.in_(_stations(now_us)), way.removed_us.is_(None))
        .distinct()
    )
    indexes = [one for one in connection.scalars(theirs) if one]
    if not indexes:
        return set()
    query = select(way.contact_id, way.id).where(way.contact_id.in_(IDS), way.address_index.in_(indexes))
    return {(row.contact_id, row.id) for row in rows_in(connection, query, set(contact_ids))}
