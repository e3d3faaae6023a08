"""Up and down again with people in the tables: what both releases know survives, and both can read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, text
from structlog.testing import capture_logs

from devices import registry
from devices.database import open_database, reading, writing
from devices.registry import Written
from devices.schema import contact, placement
from devices.vault import CHANNEL_ADDRESS, CONTACT_NAME, KEY_BYTES, Vault
from gengfu.migrate import _script, downgrade, revision_of, upgrade
from tests.conftest import NewDatabase

from alembic import command  # isort: skip

NOW_US = 1_763_755_200_000_000
WHO = Written(by="t", now_us=NOW_US)
LATER = Written(by="t", now_us=NOW_US + 1_000)


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(KEY_BYTES))


@pytest.fixture
def first(new_database: NewDatabase) -> Iterator[Engine]:
    """A database as the first release made it."""
    engine = open_database(new_database())
    with writing(engine) as connection:
        config = _script()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    yield engine
    engine.dispose()


def put(connection: Connection, table: str, **values: Any) -> int:
    """One row, written as the first release wrote it: without this release's columns."""
    columns = ", ".join(f'"{name}"' for name in values)
    said = ", ".join(f":{name}" for name in values)
    query = text(f'INSERT INTO "{table}" ({columns}) VALUES ({said}) RETURNING id')
    return int(connection.execute(query, values).scalar_one())


def fill_first(connection: Connection, vault: Vault) -> None:
    """A block with a device in service and a retired one, a worker, and a contact without a name."""
    city = put(connection, "area", level="city", code="C", name="演示市")
    area = put(connection, "area", parent_id=city, level="community", code="K", name="幸福里")
    building = put(connection, "building", area_id=area, code="B", name="3号楼", floors=6)
    stair = put(connection, "stair", building_id=building, code="S1", name="1单元")
    home = put(connection, "dwelling", stair_id=stair, floor=5, flat="501", code="501")
    device = {
        "kind": "smoke", "profile": "gengfu", "label": "厨房", "registered_by": "t", "registered_us": 10,
    }  # fmt: skip
    put(connection, "device", uid="own:a", dwelling_id=home, **device)
    put(connection, "device", uid="own:b", building_id=building, retired_us=90, **device)
    worker = put(
        connection, "contact", code="worker", name_sealed=vault.seal("示例甲", CONTACT_NAME), created_us=20
    )
    put(
        connection, "contact_channel", contact_id=worker, medium="sms", carrier="webhook", rank=1,
        address_sealed=vault.seal("https://sms.example/1", CHANNEL_ADDRESS),
        address_index=vault.blind_index("https://sms.example/1"),
    )  # fmt: skip
    nameless = put(connection, "contact", code="nameless", name_sealed=b"", created_us=30)
    put(
        connection, "contact_channel", contact_id=nameless, medium="sms", carrier="webhook", rank=1,
        address_sealed=b"", address_index=b"",
    )  # fmt: skip
    bound = {"place_kind": "area", "place_id": area, "bound_us": 40, "role": "grid_worker"}
    put(connection, "binding", contact_id=worker, **bound)
    put(connection, "binding", contact_id=worker, **bound | {"role": "volunteer", "ended_us": 60})
    put(connection, "binding", contact_id=nameless, **bound | {"ended_us": 70})
    put(connection, "look", at_us=80, by="anna", contact_id=worker, what="name, addresses")


def fill_second(connection: Connection, vault: Vault) -> None:
    """What only this release knows, and an erased contact with all that can hang on one."""
    registry.add_contact(connection, vault, code="desk", name="示例乙", **WHO)
    for n in (1, 2):
        channel = registry.add_channel(
            connection, vault, contact_code="worker", medium="voice", carrier="webhook",
            address=f"https://voice.example/{n}", **WHO,
        )  # fmt: skip
    registry.remove_channel(connection, contact_code="worker", channel_id=channel, **LATER)
    registry.add_contact(connection, vault, code="gone", name="示例丙", **WHO)
    registry.add_channel(
        connection, vault, contact_code="gone", medium="sms", carrier="webhook",
        address="https://sms.example/gone", **WHO,
    )  # fmt: skip
    place: dict[str, Any] = {"place_kind": "dwelling", "place_code": "501"}
    registry.bind(connection, contact_code="gone", role="family", **place, **WHO)
    registry.bind(connection, contact_code="worker", role="volunteer", **place, quiet="22:00-07:00", **WHO)
    for away, stand_in in (("gone", "worker"), ("desk", "worker")):
        registry.substitute(
            connection, contact_code=away, substitute_code=stand_in, from_us=NOW_US,
            until_us=NOW_US + 10**12, **WHO,
        )  # fmt: skip
    registry.erase_contact(connection, "gone", **LATER)
    registry.add_publisher(connection, name="gw-1", kind="gateway", prefixes=["zigbee2mqtt"], **WHO)


def rows_of(engine: Engine, *tables: str) -> dict[str, list[dict[str, Any]]]:
    with reading(engine) as connection:
        return {
            table: [
                dict(row)
                for row in connection.execute(text(f'SELECT * FROM "{table}" ORDER BY id')).mappings()
            ]
            for table in tables
        }


def first_lists(engine: Engine, vault: Vault) -> dict[str, tuple[str, list[str]]]:
    """Every contact with name and addresses, by the very queries of the first release."""
    contacts = text("SELECT id, code, name_sealed, language FROM contact ORDER BY code")
    ways = text("SELECT contact_id, address_sealed FROM contact_channel ORDER BY rank, id")
    with reading(engine) as connection:
        mine: dict[int, list[str]] = {}
        for row in connection.execute(ways):
            address = vault.unseal(bytes(row.address_sealed), CHANNEL_ADDRESS)
            mine.setdefault(row.contact_id, []).append(address)
        return {
            row.code: (vault.unseal(bytes(row.name_sealed), CONTACT_NAME), mine.get(row.id, []))
            for row in connection.execute(contacts)
        }


BOTH_KNOW = (
    "area",
    "building",
    "stair",
    "dwelling",
    "device",
    "contact",
    "contact_channel",
    "binding",
    "look",
)


def test_up_keeps_every_row_of_the_first_release(first: Engine, vault: Vault) -> None:
    with writing(first) as connection:
        fill_first(connection, vault)
    before = rows_of(first, *BOTH_KNOW)
    upgrade(first)
    after = rows_of(first, *BOTH_KNOW)
    for table, rows in before.items():
        assert [
            {name: now[name] for name in was} for was, now in zip(rows, after[table], strict=True)
        ] == rows
    with reading(first) as connection:
        stays = connection.execute(
            select(placement.c.since_us, placement.c.until_us).order_by(placement.c.device_id)
        )
        assert [tuple(row) for row in stays] == [(10, None), (10, 90)]
        listed = {row.code: row for row in registry.list_contacts(connection, vault)}
    assert listed["worker"].name == "示**"
    assert [way["added_us"] for way in after["contact_channel"]] == [20, 30]
    assert (listed["nameless"].erased_us, listed["nameless"].unopened) == (70, ())
    assert [way["removed_us"] for way in after["contact_channel"]] == [None, 70]


def test_down_the_first_release_can_read_what_is_left_and_up_again_so_can_this(
    first: Engine, vault: Vault
) -> None:
    with writing(first) as connection:
        fill_first(connection, vault)
    upgrade(first)
    with writing(first) as connection:
        fill_second(connection, vault)
    full = rows_of(first, *BOTH_KNOW)
    erased = {row["id"] for row in full["contact"] if row["erased_us"] is not None}
    assert len(erased) == 2
    with capture_logs() as logs:
        downgrade(first, "0001")
    [said] = [one for one in logs if one["event"] == "downgrade_deletes"]
    assert (said["publisher"], said["substitution"], said["erased contacts"]) == (1, 2, 2)
    with reading(first) as connection:
        assert revision_of(connection) == "0001"
    assert first_lists(first, vault) == {
        "worker": ("示例甲", ["https://sms.example/1", "https://voice.example/1"]),
        "desk": ("示例乙", []),
    }
    left = rows_of(first, *BOTH_KNOW)
    for table in BOTH_KNOW:
        stay = [
            row
            for row in full[table]
            if row.get("removed_us") is None
            and row.get("contact_id") not in erased
            and not (table == "contact" and row["id"] in erased)
        ]
        kept = [{name: row[name] for name in now} for row, now in zip(stay, left[table], strict=True)]
        assert kept == left[table], table
    with writing(first) as connection:  # the first release goes on writing
        put(connection, "contact", code="new", name_sealed=vault.seal("示例丁", CONTACT_NAME), created_us=99)
    upgrade(first)
    with reading(first) as connection:
        again = registry.list_contacts(connection, vault)
        assert [(row.code, row.unopened, row.erased_us) for row in again] == [
            ("desk", (), None), ("new", (), None), ("worker", (), None),
        ]  # fmt: skip
        bindings = registry.list_bindings(connection, contact_code="worker", history=True)
    assert sorted((row.role, row.bound_us, row.ended_us) for row in bindings) == [
        ("grid_worker", 40, None), ("volunteer", 40, 60), ("volunteer", NOW_US, None),
    ]  # fmt: skip
    with writing(first) as connection:
        registry.add_contact(connection, vault, code="gone", name="示例戊", **LATER)
        assert connection.scalar(select(contact.c.code).where(contact.c.code == "gone")) == "gone"
