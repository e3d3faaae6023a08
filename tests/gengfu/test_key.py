"""A lost key is said before the fire, and no new one is made over sealed data."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from devices.database import open_database, writing
from devices.registry.contacts import add_contact
from devices.schema import contact
from devices.vault import KeyMissing, Vault, create_key
from gengfu.config import Config
from gengfu.key import KeyLost, fitting_key, settle_key


def silent(_: str) -> None:
    """Says nothing."""


def seal(engine: Engine, vault: Vault, code: str = "duty-1") -> None:
    with writing(engine) as connection:
        add_contact(connection, vault, code=code, name="值班室", by="test", now_us=1)


def test_a_new_service_gets_a_key_and_is_told_to_keep_a_copy(engine: Engine, config: Config) -> None:
    said: list[str] = []
    vault = settle_key(engine, config.key_path, said.append)
    assert "keep a copy" in said[0]
    seal(engine, vault)
    settle_key(engine, config.key_path, said.append)
    assert len(said) == 1


def test_before_the_first_migration_there_is_nothing_sealed(tmp_path: Path) -> None:
    empty = open_database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(KeyMissing):
        fitting_key(empty, tmp_path / "key")
    settle_key(empty, tmp_path / "key", silent)
    empty.dispose()


def test_no_new_key_is_made_over_sealed_data(engine: Engine, config: Config, vault: Vault) -> None:
    seal(engine, vault)
    config.key_path.unlink()
    with pytest.raises(KeyLost, match="put its copy back"):
        settle_key(engine, config.key_path, silent)
    assert not config.key_path.exists()


def test_a_key_that_opens_nothing_is_refused(engine: Engine, config: Config, vault: Vault) -> None:
    seal(engine, vault)
    config.key_path.unlink()
    create_key(config.key_path)
    with pytest.raises(KeyLost, match="does not open"):
        settle_key(engine, config.key_path, silent)
    with pytest.raises(KeyLost, match="does not open"):
        fitting_key(engine, config.key_path)


def test_one_damaged_row_does_not_keep_a_service_from_starting(
    engine: Engine, config: Config, vault: Vault
) -> None:
    seal(engine, vault, "first")
    seal(engine, vault, "last")
    with writing(engine) as connection:
        connection.execute(
            update(contact).where(contact.c.code == "first").values(name_sealed=b"\x01" + b"x" * 40)
        )
    settle_key(engine, config.key_path, silent)
