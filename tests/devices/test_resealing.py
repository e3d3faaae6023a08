"""Every sealed column is known to the rotation, and a pass loses and mixes up nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, LargeBinary, insert, select, update

from devices import registry
from devices.database import reading, writing
from devices.keyring import create_key, read_keyring, replace_keys
from devices.registry import Written
from devices.resealing import BATCH, SEALED, is_sealed_by_another, reseal, rows_by_key
from devices.schema import contact, contact_channel, metadata
from devices.secrets import secret_of
from devices.vault import CHANNEL_ADDRESS, CONTACT_NAME, Vault
from tests.devices.conftest import NOW_US, build_block

WHO = Written(by="t", now_us=NOW_US)


def no_rest() -> None:
    """In a test nobody waits for the lock."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_key(tmp_path / "secret.key")
    return tmp_path / "secret.key"


@pytest.fixture
def own(path: Path) -> Vault:
    return Vault.open(path, {})


def add_key(path: Path) -> None:
    replace_keys(path, read_keyring(path, {}).with_new(NOW_US))


def address(n: int) -> str:
    return f"https://sms.example/1380000{n:04}"


def people_of(vault: Vault, people: int) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Rows of contacts with a name and a number each, as an import writes them."""
    contacts: list[dict[str, object]] = [
        {
            "id": n + 1,
            "code": f"p{n}",
            "name_sealed": vault.seal(f"示例{n}", CONTACT_NAME),
            "created_us": NOW_US,
        }
        for n in range(people)
    ]
    ways: list[dict[str, object]] = [
        {
            "contact_id": n + 1,
            "medium": "sms",
            "carrier": "webhook",
            "address_sealed": vault.seal(address(n), CHANNEL_ADDRESS),
            "address_index": vault.blind_index(address(n)),
            "rank": 1,
        }
        for n in range(people)
    ]
    return contacts, ways


def fill(engine: Engine, vault: Vault, people: int) -> None:
    contacts, ways = people_of(vault, people)
    with writing(engine) as connection:
        build_block(connection, vault)
        connection.execute(insert(contact), contacts)
        connection.execute(insert(contact_channel), ways)
    secret_of(engine, vault, "answers.link", NOW_US)


def names_of(connection: Connection) -> dict[str, bytes]:
    rows = connection.execute(select(contact.c.code, contact.c.name_sealed))
    return {row.code: row.name_sealed for row in rows}


def test_every_column_of_sealed_text_and_every_blind_index_is_known_to_the_rotation() -> None:
    sealed = {
        column
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
        and (column.name == "sealed" or column.name.endswith("_sealed"))
    }
    assert sealed == {one.column for one in SEALED}
    indexes = {
        column
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name.endswith("_index")
    }
    assert indexes == {one.index for one in SEALED if one.index is not None}


def test_more_rows_than_a_transaction_takes_are_sealed_anew_and_found_by_number(
    engine: Engine, own: Vault, path: Path
) -> None:
    people = BATCH + 7
    fill(engine, own, people)
    assert rows_by_key(engine) == {1: 2 * people + 1}
    add_key(path)
    rests: list[None] = []
    done = reseal(engine, own, lambda: rests.append(None))
    assert done.rows["contact.name_sealed"] == people
    assert done.rows["contact_channel.address_sealed"] == people
    assert done.rows["site_secret.sealed"] == 1
    assert done.unreadable == ()
    assert len(rests) == 5
    assert rows_by_key(engine) == {2: 2 * people + 1}
    replace_keys(path, read_keyring(path, {}).newest_alone())
    alone = Vault.open(path, {})
    with reading(engine) as connection:
        assert registry.find_by_address(connection, alone, "https://SMS.example/13800000306") == ("p306",)
        assert not is_sealed_by_another(connection, 2)
    with writing(engine) as connection:
        names = {row.code: row.name for row in registry.reveal_contacts(connection, alone, **WHO)}
    assert names == {f"p{n}": f"示例{n}" for n in range(people)}


def test_what_is_erased_or_damaged_stays_as_it_is_and_the_damaged_is_named(
    engine: Engine, own: Vault, path: Path
) -> None:
    fill(engine, own, 3)
    with writing(engine) as connection:
        connection.execute(update(contact).where(contact.c.code == "p0").values(name_sealed=b""))
        damaged = b"\x01" + bytes(40)
        connection.execute(update(contact).where(contact.c.code == "p1").values(name_sealed=damaged))
        row = connection.scalar(select(contact.c.id).where(contact.c.code == "p1"))
    add_key(path)
    assert reseal(engine, own, no_rest).unreadable == (f"contact.name_sealed {row}",)
    with reading(engine) as connection:
        sealed = names_of(connection)
        assert is_sealed_by_another(connection, 2)
    assert bytes(sealed["p0"]) == b""
    assert bytes(sealed["p1"]) == damaged
    assert own.unseal(bytes(sealed["p2"]), CONTACT_NAME) == "示例2"


def test_a_row_erased_or_renamed_during_a_pass_stays_erased_or_renamed(
    engine: Engine, own: Vault, path: Path
) -> None:
    fill(engine, own, 2 * BATCH)
    add_key(path)

    def behind_its_back() -> None:
        with writing(engine) as connection:
            connection.execute(update(contact).where(contact.c.code == "p599").values(name_sealed=b""))
            renamed = Vault.open(path, {}).seal("新名", CONTACT_NAME)
            connection.execute(update(contact).where(contact.c.code == "p598").values(name_sealed=renamed))
            old = Vault(read_keyring(path, {}).keys[-1].secret).seal("旧钥", CONTACT_NAME)
            connection.execute(update(contact).where(contact.c.code == "p0").values(name_sealed=old))

    called = [no_rest, no_rest, behind_its_back]

    def rest() -> None:
        if called:
            called.pop(0)()

    reseal(engine, own, rest)
    with reading(engine) as connection:
        sealed = names_of(connection)
        assert not is_sealed_by_another(connection, 2)
    assert bytes(sealed["p599"]) == b""
    assert own.unseal(bytes(sealed["p598"]), CONTACT_NAME) == "新名"
    assert own.unseal(bytes(sealed["p0"]), CONTACT_NAME) == "旧钥"


class Overtaken(Vault):
    """A vault during whose work somebody else erases the contact it has just opened."""

    engine: Engine

    def unseal(self, blob: bytes, where: str) -> str:
        text = super().unseal(blob, where)
        if where == CONTACT_NAME:
            with writing(self.engine) as connection:
                connection.execute(
                    update(contact).where(contact.c.name_sealed == blob).values(name_sealed=b"")
                )
        return text


def test_a_name_erased_between_reading_and_writing_does_not_come_back(engine: Engine, path: Path) -> None:
    fill(engine, Vault.open(path, {}), 3)
    add_key(path)
    overtaken = Overtaken(read_keyring(path, {}))
    overtaken.engine = engine
    reseal(engine, overtaken, no_rest)
    with reading(engine) as connection:
        assert set(map(bytes, names_of(connection).values())) == {b""}


def test_a_contact_is_not_given_the_same_number_twice_across_keys(
    engine: Engine, own: Vault, path: Path
) -> None:
    fill(engine, own, 1)
    add_key(path)
    with pytest.raises(registry.AlreadyThere), writing(engine) as connection:
        registry.add_channel(
            connection,
            own,
            contact_code="p0",
            medium="sms",
            carrier="webhook",
            address="https://sms.example/13800000000",
            **WHO,
        )
    with reading(engine) as connection:
        assert registry.find_by_address(connection, own, "https://sms.example/13800000000") == ("p0",)
        assert connection.scalar(select(contact_channel.c.address_index)) != own.blind_index(
            "https://sms.example/13800000000"
        )
