"""A town for alarms: each dwelling opens an incident of its own and has eight contacts, each with one way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert

from alerts.inbox import TransitionRow, store_transitions
from devices import schema
from devices.database import writing
from devices.model import Carrier, Medium, Role, Severity
from devices.vault import CHANNEL_ADDRESS, CONTACT_NAME, Vault
from rules.transition import To, Transition, Why

FAMILY: Final = 4
"""Contacts of a dwelling's own; four more are the building's: two grid workers and two secretaries."""
CONTACTS: Final = FAMILY + 4
"""Told at once of a P0 and of a P1 in a dwelling, beside the one duty desk of a P0."""
PER_BUILDING: Final = 50
_WHY: Final = Why("as the bench has it", "性能测试")
_SLICE: Final = 20_000


def build_town(
    engine: Engine, vault: Vault, dwellings: int, address: str, carrier: Carrier, now_us: int
) -> None:
    """Writes it all, everybody reached at `address`."""
    rows = _Rows(vault, address, carrier, now_us)
    buildings = -(-dwellings // PER_BUILDING)
    tables: list[tuple[Any, list[dict[str, Any]]]] = [
        (schema.area, [{"id": 1, "level": "grid", "code": "g", "name": "网格"}]),
        (schema.building, [_building(n) for n in range(1, buildings + 1)]),
        (schema.stair, [_stair(n) for n in range(1, dwellings + 1)]),
        (schema.dwelling, [_dwelling(n) for n in range(1, dwellings + 1)]),
        (schema.device, [_device(n, now_us) for n in range(1, dwellings + 1)]),
    ]
    rows.bind(Role.DUTY_DESK, "area", 1)
    for building in range(1, buildings + 1):
        for role in (Role.GRID_WORKER, Role.GRID_WORKER, Role.BUILDING_SECRETARY, Role.BUILDING_SECRETARY):
            rows.bind(role, "building", building)
    for dwelling in range(1, dwellings + 1):
        for _ in range(FAMILY):
            rows.bind(Role.FAMILY, "dwelling", dwelling)
    tables += [
        (schema.contact, rows.contacts), (schema.contact_channel, rows.ways), (schema.binding, rows.bindings),
        (schema.registry_change, [{"at_us": now_us, "by": "bench", "what": "a town"}]),
    ]  # fmt: skip
    with writing(engine) as connection:
        for table, values in tables:
            for start in range(0, len(values), _SLICE):
                connection.execute(insert(table), values[start : start + _SLICE])


class _Rows:
    """The rows of people, in step."""

    def __init__(self, vault: Vault, address: str, carrier: Carrier, now_us: int) -> None:
        self._name = vault.seal("bench", CONTACT_NAME)
        self._address, self._index = vault.seal(address, CHANNEL_ADDRESS), vault.blind_index(address)
        self._carrier, self._now_us = carrier, now_us
        self.contacts: list[dict[str, Any]] = []
        self.ways: list[dict[str, Any]] = []
        self.bindings: list[dict[str, Any]] = []

    def bind(self, role: Role, kind: str, place: int) -> None:
        """A further contact with one way, bound there, first of its role."""
        n = len(self.contacts) + 1
        self.contacts.append(
            {"id": n, "code": f"c{n}", "name_sealed": self._name, "language": "zh-CN", "created_us": 0}
        )
        self.ways.append(
            {
                "contact_id": n, "medium": Medium.PUSH, "carrier": self._carrier, "rank": 1, "added_us": 0,
                "address_sealed": self._address, "address_index": self._index,
            }
        )  # fmt: skip
        self.bindings.append(
            {
                "contact_id": n, "role": role, "place_kind": kind, "place_id": place, "rank": 1,
                "bound_us": 0, "takes_unconfirmed": False, "delay_s": 0,
            }
        )  # fmt: skip


def _building(n: int) -> dict[str, Any]:
    return {"id": n, "area_id": 1, "code": f"b{n}", "name": f"{n}号楼", "floors": 6}


def _stair(n: int) -> dict[str, Any]:
    """One for each dwelling: two fires of a stair would confirm each other."""
    return {"id": n, "building_id": _home(n), "code": f"b{_home(n)}-{n}", "name": f"{n}单元"}


def _home(n: int) -> int:
    return (n - 1) // PER_BUILDING + 1


def _dwelling(n: int) -> dict[str, Any]:
    return {"id": n, "stair_id": n, "floor": 1, "flat": "101", "code": f"b{_home(n)}-{n}-101"}


def _device(n: int, now_us: int) -> dict[str, Any]:
    return {
        "id": n, "uid": uid_of(n), "kind": "smoke", "profile": "own", "dwelling_id": n,
        "registered_us": now_us, "registered_by": "bench",
    }  # fmt: skip


def uid_of(dwelling: int) -> str:
    """The device of a dwelling."""
    return f"own:bench-{dwelling}"


def raise_alarms(connection: Connection, alarms: Iterator[tuple[int, Severity]], now_us: int) -> None:
    """A fire for each dwelling with P0, an overload for every other, raised and received now."""
    store_transitions(connection, [_row(dwelling, severity, now_us) for dwelling, severity in alarms])


def _row(dwelling: int, severity: Severity, now_us: int) -> TransitionRow:
    transition = Transition(
        rule="S1" if severity is Severity.P0 else "O3",
        to=To.RAISED,
        severity=severity,
        slot=dwelling,
        device=dwelling,
        dwelling=dwelling,
        place=0,
        at_us=now_us,
        nudge_ns=0,
        received_us=now_us,
        why=_WHY,
        age_s=0.0,
    )
    return TransitionRow(transition, uid_of(dwelling), "")
