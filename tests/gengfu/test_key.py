"""A lost key is said before the fire, and no new one is made over sealed data."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, update

from devices.database import open_database, writing
from devices.keyring import read_keyring, replace_keys
from devices.registry.contacts import add_contact
from devices.schema import contact
from devices.secrets import secret_of
from devices.vault import KeyExposed, KeyMissing, Vault, create_key
from gengfu.check import findings
from gengfu.config import Broker, Config
from gengfu.key import KeyLost, fitting_key, settle_key
from gengfu.ports import free_port
from ingest.probes.finding import Finding


def silent(_: str) -> None:
    """Says nothing."""


def seal(engine: Engine, vault: Vault, code: str = "duty-1") -> None:
    with writing(engine) as connection:
        add_contact(connection, vault, code=code, name="值班室", by="test", now_us=1)


def findings_of_key(engine: Engine, config: Config) -> list[Finding]:
    """What `gengfu check` says of the key."""
    where = msgspec.structs.replace(config, database=engine.url.render_as_string(hide_password=False))
    broken = msgspec.structs.replace(where, broker=Broker(host="127.0.0.1", port=free_port()))
    return [one for one in findings(broken) if one.name == "key"]


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


def test_a_key_that_others_may_read_is_refused_where_a_person_starts_something(
    engine: Engine, config: Config, vault: Vault
) -> None:
    seal(engine, vault)
    config.key_path.chmod(0o644)
    with pytest.raises(KeyExposed, match="chmod 600"):
        settle_key(engine, config.key_path, silent)
    with pytest.raises(KeyExposed, match="chmod 600"):
        fitting_key(engine, config.key_path)
    [finding] = findings_of_key(engine, config)
    assert not finding.ok
    assert "chmod 600" in finding.text


def test_a_process_that_comes_back_in_the_night_does_not_look_at_the_mode(
    engine: Engine, config: Config, vault: Vault
) -> None:
    seal(engine, vault)
    config.key_path.chmod(0o644)
    assert Vault.open(config.key_path, {}).newest == 1


def test_a_lost_key_is_said_where_only_the_secrets_of_the_site_are_sealed(
    engine: Engine, config: Config, vault: Vault
) -> None:
    secret_of(engine, vault, "answers.link", 1)
    config.key_path.unlink()
    with pytest.raises(KeyLost):
        settle_key(engine, config.key_path, silent)


def test_check_says_where_the_keys_come_from_and_that_an_old_one_is_left(
    engine: Engine, config: Config, vault: Vault
) -> None:
    seal(engine, vault)
    [finding] = findings_of_key(engine, config)
    assert (finding.ok, str(config.key_path) in finding.text) == (True, True)
    replace_keys(config.key_path, read_keyring(config.key_path, {}).with_new(1))
    [finding] = findings_of_key(engine, config)
    assert "2 keys (`gengfu key prune`" in finding.text
