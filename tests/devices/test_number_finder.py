from __future__ import annotations

from pathlib import Path

import pytest

from devices.keyring import KeyMissing, create_key
from devices.number_finder import NumberFinder
from devices.vault import Vault


def test_it_finds_what_the_vault_indexed_however_it_is_written(tmp_path: Path) -> None:
    key = tmp_path / "key"
    create_key(key)
    assert Vault.open(key).blind_index("139 0000 1234") in NumberFinder(key).indexes("+8613900001234")


def test_it_holds_nothing_that_opens_seals(tmp_path: Path) -> None:
    key = tmp_path / "key"
    create_key(key)
    finder = NumberFinder(key)
    assert not any(isinstance(value, Vault) for value in vars(finder).values())
    closures = finder._indexes.__closure__ or ()
    assert not any(isinstance(cell.cell_contents, Vault) for cell in closures)


def test_it_takes_up_a_new_key_and_keeps_what_it_knew_while_the_file_is_away(tmp_path: Path) -> None:
    key = tmp_path / "key"
    create_key(key)
    finder = NumberFinder(key)
    before = finder.indexes("1")
    text = key.read_bytes()
    key.unlink()
    assert finder.indexes("1") == before
    create_key(key)
    assert finder.indexes("1") == Vault.open(key).blind_indexes("1") != before
    assert text


def test_without_a_key_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing):
        NumberFinder(tmp_path / "none")
