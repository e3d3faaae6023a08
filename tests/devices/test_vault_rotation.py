"""Several vaults on one key file, each at a state of its own: what one seals every other opens and finds."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from devices.keyring import create_key, read_keyring, replace_keys
from devices.vault import CHANNEL_ADDRESS, SealBroken, Vault

NUMBERS = [f"1380000{n:04}" for n in range(8)]


class Rotations(RuleBasedStateMachine):
    """A table of sealed numbers with their blind indexes, and processes that come and go.

    Pruning seals stragglers anew first, as `gengfu key prune` does; the old bytes are gone then.
    """

    vaults = Bundle("vaults")

    @initialize()
    def a_service(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "secret.key"
        create_key(self.path)
        self.rows: list[tuple[str, bytes, bytes]] = []
        self.running: list[Vault] = []

    @rule(target=vaults)
    def a_process_starts(self) -> Vault:
        vault = Vault.open(self.path, {})
        self.running.append(vault)
        return vault

    @rule(vault=vaults, number=st.sampled_from(NUMBERS))
    def it_writes(self, vault: Vault, number: str) -> None:
        self.rows.append((number, vault.seal(number, CHANNEL_ADDRESS), vault.blind_index(number)))

    @rule(vault=vaults, number=st.sampled_from(NUMBERS))
    def it_finds_by_number_however_written(self, vault: Vault, number: str) -> None:
        wanted = vault.blind_indexes(f"+86 {number[:3]}-{number[3:]}")
        found = [text for text, _, index in self.rows if index in wanted]
        assert found == [text for text, _, _ in self.rows if text == number]

    @rule()
    def a_key_is_added(self) -> None:
        replace_keys(self.path, read_keyring(self.path, {}).with_new(0))

    @rule(upto=st.integers(0, 20))
    def some_rows_are_sealed_anew(self, upto: int) -> None:
        self._reseal(upto)

    @rule()
    def the_old_keys_go(self) -> None:
        self._reseal(len(self.rows))
        replace_keys(self.path, read_keyring(self.path, {}).newest_alone())

    def _reseal(self, upto: int) -> None:
        vault = Vault.open(self.path, {})
        self.rows[:upto] = [
            (text, vault.seal(text, CHANNEL_ADDRESS), vault.blind_index(text))
            for text, _, _ in self.rows[:upto]
        ]

    @invariant()
    def every_process_opens_every_row(self) -> None:
        for vault in getattr(self, "running", []):
            for text, sealed, _ in self.rows:
                assert vault.unseal(sealed, CHANNEL_ADDRESS) == text

    @invariant()
    def a_process_that_starts_now_opens_every_row(self) -> None:
        if hasattr(self, "rows"):
            vault = Vault.open(self.path, {})
            assert [vault.unseal(sealed, CHANNEL_ADDRESS) for _, sealed, _ in self.rows] == [
                text for text, _, _ in self.rows
            ]

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


Rotations.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestRotations = Rotations.TestCase


def test_a_running_vault_seals_with_a_key_added_since(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    create_key(path)
    vault = Vault.open(path, {})
    assert vault.seal("x", CHANNEL_ADDRESS)[0] == 1
    replace_keys(path, read_keyring(path, {}).with_new(0))
    assert vault.seal("x", CHANNEL_ADDRESS)[0] == 2
    assert vault.newest == 2


def test_a_key_removed_since_still_opens_what_was_read_before_and_seals_no_more(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    create_key(path)
    vault = Vault.open(path, {})
    read_before = vault.seal("13800001234", CHANNEL_ADDRESS)
    replace_keys(path, read_keyring(path, {}).with_new(0).newest_alone())
    assert vault.unseal(vault.seal("x", CHANNEL_ADDRESS), CHANNEL_ADDRESS) == "x"
    assert vault.unseal(read_before, CHANNEL_ADDRESS) == "13800001234"


def test_a_file_that_is_gone_or_broken_leaves_a_running_vault_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    create_key(path)
    vault = Vault.open(path, {})
    sealed = vault.seal("x", CHANNEL_ADDRESS)
    path.write_text("half a li")
    assert vault.unseal(vault.seal("y", CHANNEL_ADDRESS), CHANNEL_ADDRESS) == "y"
    path.unlink()
    assert vault.unseal(sealed, CHANNEL_ADDRESS) == "x"
    create_key(path)
    other = Vault.open(path, {}).seal("z", CHANNEL_ADDRESS)
    assert vault.unseal(other, CHANNEL_ADDRESS) == "z"


def test_a_vault_of_the_environment_follows_no_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    create_key(path)
    text = read_keyring(path, {}).text()
    vault = Vault.open(path, {"GENGFU_KEY": text})
    replace_keys(path, read_keyring(path, {}).with_new(0))
    assert vault.newest == 1
    new = Vault.open(path, {}).seal("x", CHANNEL_ADDRESS)
    try:
        vault.unseal(new, CHANNEL_ADDRESS)
    except SealBroken as error:
        assert "key 2" in str(error)
    else:
        raise AssertionError("a key from nowhere")
