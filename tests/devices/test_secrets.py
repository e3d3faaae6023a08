"""The site's secrets: made once whoever asks, and unchanged by a rotation."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from devices.database import open_database, reading, writing
from devices.keyring import create_key, read_keyring, replace_keys
from devices.resealing import reseal
from devices.schema import metadata, site_secret
from devices.secrets import SecretUnavailable, secret_of
from devices.vault import SealBroken, Vault, VaultError
from tests.databases import sqlite_in

NOW_US = 1_763_755_200_000_000


def test_a_secret_is_made_once_and_is_another_for_each_purpose(engine: Engine, vault: Vault) -> None:
    link = secret_of(engine, vault, "answers.link", NOW_US)
    assert len(link) == 32
    assert secret_of(engine, vault, "answers.link", NOW_US + 1) == link
    assert secret_of(engine, vault, "console.session", NOW_US) != link


def test_processes_that_ask_at_once_get_the_same(engine: Engine, vault: Vault) -> None:
    found: list[bytes] = []
    together = threading.Barrier(4)

    def ask() -> None:
        together.wait()
        found.append(secret_of(engine, vault, "answers.link", NOW_US))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_rotation_and_the_end_of_the_old_key_leave_secrets_as_they_are(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "secret.key"
    create_key(path)
    before = secret_of(engine, Vault.open(path, {}), "answers.link", NOW_US)
    replace_keys(path, read_keyring(path, {}).with_new(NOW_US))
    reseal(engine, Vault.open(path, {}), lambda: None)
    replace_keys(path, read_keyring(path, {}).newest_alone())
    assert secret_of(engine, Vault.open(path, {}), "answers.link", NOW_US) == before


def test_a_secret_cannot_be_swapped_for_another_purpose(engine: Engine, vault: Vault) -> None:
    secret_of(engine, vault, "answers.link", NOW_US)
    with writing(engine) as connection:
        sealed = connection.scalar(select(site_secret.c.sealed))
        connection.execute(
            site_secret.insert().values(purpose="console.session", sealed=sealed, created_us=NOW_US)
        )
    with pytest.raises(SealBroken):
        secret_of(engine, vault, "console.session", NOW_US)


def test_a_secret_that_is_there_is_read_while_somebody_holds_the_write_lock(
    engine: Engine, vault: Vault
) -> None:
    link = secret_of(engine, vault, "answers.link", NOW_US)
    with writing(engine):
        assert secret_of(engine, vault, "answers.link", NOW_US) == link


def test_a_database_that_takes_no_writes_gives_a_secret_it_has_and_says_so_for_one_it_has_not(
    tmp_path: Path, vault: Vault
) -> None:
    engine = open_database(sqlite_in(tmp_path))
    metadata.create_all(engine)
    link = secret_of(engine, vault, "answers.link", NOW_US)
    engine.dispose()
    readonly = open_database(f"sqlite:///file:{tmp_path / 'gengfu.db'}?mode=ro&uri=true")
    assert secret_of(readonly, vault, "answers.link", NOW_US) == link
    with pytest.raises(SecretUnavailable, match=r"console\.session.*readonly"):
        secret_of(readonly, vault, "console.session", NOW_US)
    readonly.dispose()


def test_a_database_without_tables_is_a_refusal_that_a_process_can_say(tmp_path: Path, vault: Vault) -> None:
    engine = open_database(sqlite_in(tmp_path))
    with pytest.raises(VaultError, match="site_secret"):
        secret_of(engine, vault, "answers.link", NOW_US)
    with reading(engine):
        engine.dispose()
