"""A district for the console: four streets, an incident open in each dwelling, workers who answer, accounts.

Incidents are overloads of P2, whose next step is due in two hours: what changes during the measurement is
what the bench changes. The alerts process opens them from stored transitions, as in service.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert

from alerts.inbox import TransitionRow, store_transitions
from benchmarks.alarmed import uid_of
from devices import schema
from devices.database import writing
from devices.model import Carrier, Medium, Role, Severity
from devices.registry.users import add_user, hash_password
from devices.vault import CHANNEL_ADDRESS, CONTACT_NAME, Vault
from rules.transition import To, Transition, Why

STREETS: Final = 4
PER_BUILDING: Final = 50
WORKERS: Final = 4
"""Of each building: each answer is of another of them than the last, so that a line shows which it was."""
PASSWORD: Final = "long-nights-are-counted"  # noqa: S105 - of accounts that live for one measurement
DESK: Final = "desk"
"""The account of the browser: an operator who sees everything."""
_WHY: Final = Why("as the bench has it", "性能测试")
_SLICE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the console; `street` 0 sees everything."""

    login: str
    role: str
    street: int = 0


ACCOUNTS: Final = (
    Account("city-1", "operator"),
    *(Account(f"street-{n}", "operator", n) for n in range(1, STREETS + 1)),
    Account("city-2", "supervisor"),
    Account("worker-1", "grid_worker", 1),
    Account("chief-2", "supervisor", 2),
)
"""Streams are dealt to them in turn: two of eight see all, the others a quarter (chosen)."""


def building_of(dwelling: int) -> int:
    """The building of a dwelling; both are numbered from 1."""
    return (dwelling - 1) // PER_BUILDING + 1


def street_of(dwelling: int) -> int:
    """1 to STREETS: buildings lie in the streets in turn."""
    return (building_of(dwelling) - 1) % STREETS + 1


def worker_of(dwelling: int, n: int) -> int:
    """The contact who answers as the n-th for a dwelling."""
    return (building_of(dwelling) - 1) * WORKERS + n % WORKERS + 1


def build_district(engine: Engine, dwellings: int, now_us: int) -> None:
    """Writes places and devices."""
    buildings = range(1, building_of(dwellings) + 1)
    homes = range(1, dwellings + 1)
    _write(
        engine,
        (schema.area, _areas()),
        (schema.building, [_building(n) for n in buildings]),
        (schema.stair, [_stair(n) for n in homes]),
        (schema.dwelling, [_dwelling(n) for n in homes]),
        (schema.device, [_device(n, now_us) for n in homes]),
        (schema.registry_change, [{"at_us": now_us, "by": "bench", "what": "a district"}]),
    )


def add_people(engine: Engine, vault: Vault, dwellings: int, address: str, now_us: int) -> None:
    """Writes the workers, reached at `address`, and the accounts. After the incidents: who is told of
    thousands at once is told of them in summaries for minutes, which would be changes too."""
    people = _people(vault, address, building_of(dwellings))
    _write(engine, *people, (schema.registry_change, [{"at_us": now_us, "by": "bench", "what": "people"}]))
    _add_accounts(engine, now_us)


def _write(engine: Engine, *tables: tuple[Any, list[dict[str, Any]]]) -> None:
    with writing(engine) as connection:
        for table, rows in tables:
            for start in range(0, len(rows), _SLICE):
                connection.execute(insert(table), rows[start : start + _SLICE])


def _areas() -> list[dict[str, Any]]:
    city = {"id": 1, "level": "district", "code": "district", "name": "河东区", "parent_id": None}
    streets = [
        {"id": 1 + n, "level": "street", "code": f"street-{n}", "name": f"{n}街道", "parent_id": 1}
        for n in range(1, STREETS + 1)
    ]
    grids = [
        {"id": _grid(n), "level": "grid", "code": f"grid-{n}", "name": f"{n}网格", "parent_id": 1 + n}
        for n in range(1, STREETS + 1)
    ]
    return [city, *streets, *grids]


def _grid(street: int) -> int:
    return 1 + STREETS + street


def _building(n: int) -> dict[str, Any]:
    return {
        "id": n, "area_id": _grid((n - 1) % STREETS + 1), "code": f"b{n}", "name": f"{n}号楼", "floors": 6
    }  # fmt: skip


def _stair(n: int) -> dict[str, Any]:
    building = building_of(n)
    return {"id": n, "building_id": building, "code": f"b{building}-{n}", "name": f"{n}单元"}


def _dwelling(n: int) -> dict[str, Any]:
    return {"id": n, "stair_id": n, "floor": 1, "flat": "101", "code": f"b{building_of(n)}-{n}-101"}


def _device(n: int, now_us: int) -> dict[str, Any]:
    return {
        "id": n, "uid": uid_of(n), "kind": "meter", "profile": "own", "dwelling_id": n,
        "registered_us": now_us, "registered_by": "bench",
    }  # fmt: skip


def _people(vault: Vault, address: str, buildings: int) -> list[tuple[Any, list[dict[str, Any]]]]:
    """The workers of each building, contact by contact as `worker_of` counts them, and one duty desk."""
    workers = buildings * WORKERS
    name = vault.seal("bench", CONTACT_NAME)
    sealed, index = vault.seal(address, CHANNEL_ADDRESS), vault.blind_index(address)
    contacts, ways, bindings = [], [], []
    for n in range(1, workers + 2):
        role, kind, place = Role.GRID_WORKER, "building", (n - 1) // WORKERS + 1
        if n > workers:
            role, kind, place = Role.DUTY_DESK, "area", 1
        contacts.append({"id": n, "code": f"w{n}", "name_sealed": name, "language": "zh-CN", "created_us": 0})
        ways.append(
            {
                "contact_id": n, "medium": Medium.PUSH, "carrier": Carrier.WEBHOOK, "rank": 1, "added_us": 0,
                "address_sealed": sealed, "address_index": index,
            }
        )  # fmt: skip
        bindings.append(
            {
                "contact_id": n, "role": role, "place_kind": kind, "place_id": place, "rank": 1,
                "bound_us": 0, "takes_unconfirmed": False, "delay_s": 0,
            }
        )  # fmt: skip
    return [(schema.contact, contacts), (schema.contact_channel, ways), (schema.binding, bindings)]


def _add_accounts(engine: Engine, now_us: int) -> None:
    password = hash_password(PASSWORD)
    with writing(engine) as connection:
        for one in (*ACCOUNTS, Account(DESK, "operator")):
            add_user(
                connection, login=one.login, password=password, role=one.role,
                areas=(f"street-{one.street}",) if one.street else (), everywhere=not one.street,
                contact_code="w1" if one.role == "grid_worker" else None, by="bench", now_us=now_us,
            )  # fmt: skip


def store_overload(connection: Connection, dwelling: int, rule: str, to: To, now_us: int) -> None:
    """An overload (P2) of a dwelling's meter by this rule, begun or ended now, as ingest stores it."""
    transition = Transition(
        rule=rule,
        to=to,
        severity=Severity.P2,
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
    store_transitions(connection, [TransitionRow(transition, uid_of(dwelling), "")])
