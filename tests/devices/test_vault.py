from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.vault import (
    CHANNEL_ADDRESS,
    CONTACT_NAME,
    KeyExists,
    KeyExposed,
    KeyMissing,
    KeyUnreadable,
    SealBroken,
    Vault,
    VaultError,
    create_key,
)

KEY = bytes(range(32))
FIRST_RELEASE = "de7d36a39d866dd75779d3cacbb04b02b13718a8e7e6dade54"
"""A name as version 0.1.0 wrote it under KEY."""


def test_a_new_key_opens_a_vault_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "secret.key"
    create_key(path)
    vault = Vault.open(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert vault.unseal(vault.seal("网格员", CONTACT_NAME), CONTACT_NAME) == "网格员"
    assert [p.name for p in path.parent.iterdir()] == ["secret.key"]


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    create_key(path)
    before = path.read_bytes()
    with pytest.raises(KeyExists):
        create_key(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["secret.key"]


def test_two_new_keys_differ(tmp_path: Path) -> None:
    create_key(tmp_path / "one")
    create_key(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() != (tmp_path / "two").read_bytes()


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match=r"nowhere\.key"):
        Vault.open(tmp_path / "nowhere.key")


@pytest.mark.parametrize("content", [b"", b"not base64!", b"c2hvcnQ=", bytes(32), b"\xff\xfe"])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    with pytest.raises(KeyUnreadable):
        Vault.open(path)


def test_a_folder_in_place_of_the_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyUnreadable):
        Vault.open(tmp_path)


@given(text=st.text())
def test_what_is_sealed_opens_to_the_same_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    vault = Vault(KEY)
    assert vault.unseal(vault.seal(text, CONTACT_NAME), CONTACT_NAME) == text


def test_another_key_does_not_open_it() -> None:
    sealed = Vault(KEY).seal("13800001234", CHANNEL_ADDRESS)
    with pytest.raises(SealBroken):
        Vault(bytes(32)).unseal(sealed, CHANNEL_ADDRESS)


def test_a_seal_moved_to_another_column_does_not_open() -> None:
    vault = Vault(KEY)
    with pytest.raises(SealBroken):
        vault.unseal(vault.seal("13800001234", CHANNEL_ADDRESS), CONTACT_NAME)


def test_every_tampered_byte_breaks_the_seal() -> None:
    vault = Vault(KEY)
    sealed = vault.seal("13800001234", CHANNEL_ADDRESS)
    for n in range(len(sealed)):
        tampered = sealed[:n] + bytes([sealed[n] ^ 1]) + sealed[n + 1 :]
        with pytest.raises(SealBroken):
            vault.unseal(tampered, CHANNEL_ADDRESS)


@given(blob=st.binary(max_size=64))
def test_any_bytes_are_a_broken_seal_and_nothing_worse(blob: bytes) -> None:
    with pytest.raises(SealBroken):
        Vault(KEY).unseal(blob, CONTACT_NAME)


def test_one_text_is_sealed_differently_each_time() -> None:
    vault = Vault(KEY)
    assert vault.seal("x", CONTACT_NAME) != vault.seal("x", CONTACT_NAME)


def test_the_blind_index_is_equal_for_one_number_however_written() -> None:
    vault = Vault(KEY)
    index = vault.blind_index("13800001234")
    assert len(index) == 32
    assert vault.blind_index("+86 138-0000-1234") == index
    assert vault.blind_index("13800001235") != index
    assert Vault(bytes(32)).blind_index("13800001234") != index


def test_every_error_is_a_vault_error() -> None:
    errors = (KeyMissing, KeyExists, KeyExposed, KeyUnreadable, SealBroken)
    assert all(issubclass(error, VaultError) for error in errors)


def test_what_the_first_release_sealed_opens_still() -> None:
    sealed = bytes.fromhex(
        "01000102030405060708090a0b" + FIRST_RELEASE  # version 1, nonce, AES-256-GCM text and tag
    )
    assert Vault(KEY).unseal(sealed, CONTACT_NAME) == "王小明"


def test_nothing_sealed_does_not_open_and_says_that_it_is_erased() -> None:
    with pytest.raises(SealBroken, match="erased"):
        Vault(KEY).unseal(b"", CONTACT_NAME)


def test_a_key_that_is_not_there_is_named() -> None:
    with pytest.raises(SealBroken, match="key 7"):
        Vault(KEY).unseal(b"\x07" + bytes(40), CONTACT_NAME)
