"""Keys as text: several in a file, one line each, and none of it ever in an error or a log."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.keyring import (
    ENVIRONMENT,
    KEY_BYTES,
    Key,
    KeyExposed,
    Keyring,
    KeyUnreadable,
    VaultError,
    check_mode,
    create_key,
    new_keyring,
    parse_keyring,
    read_keyring,
    replace_keys,
)

SECRET = bytes(range(KEY_BYTES))
WORD = base64.b64encode(SECRET).decode()
OTHER = base64.b64encode(bytes(KEY_BYTES)).decode()

rings = st.lists(
    st.builds(
        Key,
        st.integers(1, 255),
        st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES),
        st.none() | st.integers(0, 4_000_000_000).map(lambda s: s * 1_000_000),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda key: key.number,
).map(lambda keys: Keyring(tuple(keys)))


@given(ring=rings)
def test_a_ring_written_down_reads_as_the_same_ring(ring: Keyring) -> None:
    assert parse_keyring(ring.text().encode(), "x") == ring
    assert parse_keyring(ring.text().strip().replace("\n", ",").encode(), "x") == ring


def test_base64_alone_is_key_number_1_as_files_of_the_first_release_are() -> None:
    assert parse_keyring(f"{WORD}\n".encode(), "x") == Keyring((Key(1, SECRET),))


def test_the_first_line_is_the_newest_whatever_its_number() -> None:
    ring = parse_keyring(f"2 {OTHER}\n9 {WORD} 2026-01-02T03:04:05Z\n".encode(), "x")
    assert ring.newest.number == 2
    assert ring.numbers == (2, 9)
    assert ring.keys[1].made_us == 1_767_323_045_000_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        f"0 {WORD}",
        f"256 {WORD}",
        f"-1 {WORD}",
        f"one {WORD}",
        f"1 {WORD}\n1 {OTHER}",
        f"1 {WORD[:-4]}",
        f"1 {WORD} yesterday",
        f"1 {WORD} 2026-01-01 12:00",
        f"1 {WORD}!",
        f"½ {WORD}",
        f"{10**400} {WORD}",
    ],
)
def test_what_is_no_ring_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(KeyUnreadable, match="the file") as refused:
        parse_keyring(text.encode(), "the file")
    assert WORD[:10] not in str(refused.value)


@given(text=st.binary(max_size=200))
def test_any_bytes_are_a_ring_or_refused_and_nothing_worse(text: bytes) -> None:
    try:
        parse_keyring(text, "x")
    except KeyUnreadable:
        return


@given(ring=rings)
def test_no_secret_stands_in_what_is_printed_of_a_ring(ring: Keyring) -> None:
    shown = f"{ring!r} {ring} {ring.newest}"
    for key in ring.keys:
        assert repr(key.secret) not in shown
        assert base64.b64encode(key.secret).decode() not in shown


@given(ring=rings)
def test_a_new_key_goes_in_front_under_a_number_of_its_own(ring: Keyring) -> None:
    grown = ring.with_new(5_000_000)
    assert grown.keys[1:] == ring.keys
    assert grown.newest.number not in ring.numbers
    assert grown.newest.made_us == 5_000_000
    assert grown.newest_alone().numbers == (grown.newest.number,)


def test_after_255_keys_the_numbers_of_removed_ones_come_again() -> None:
    assert Keyring((Key(255, SECRET),)).with_new(0).newest.number == 1
    full = Keyring(tuple(Key(number, SECRET) for number in range(1, 256)))
    with pytest.raises(VaultError, match="prune"):
        full.with_new(0)


def test_the_environment_wins_over_the_file_and_needs_none(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    assert read_keyring(path, {ENVIRONMENT: f"7 {WORD},3 {OTHER}"}).numbers == (7, 3)
    create_key(path)
    assert read_keyring(path, {ENVIRONMENT: f"7 {WORD}"}).numbers == (7,)
    assert read_keyring(path, {ENVIRONMENT: "  "}).numbers == (1,)
    assert read_keyring(path, {}).numbers == (1,)


def test_a_wrong_variable_is_named_and_the_file_is_not_taken_in_its_place(tmp_path: Path) -> None:
    create_key(tmp_path / "secret.key")
    with pytest.raises(KeyUnreadable, match=r"\$GENGFU_KEY"):
        read_keyring(tmp_path / "secret.key", {ENVIRONMENT: "\udcff nonsense"})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o610])
def test_a_key_that_others_may_use_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "secret.key"
    create_key(path)
    check_mode(path)
    path.chmod(mode)
    with pytest.raises(KeyExposed, match=f"chmod 600 {path}"):
        check_mode(path)


def test_a_file_that_is_not_there_is_open_to_nobody(tmp_path: Path) -> None:
    check_mode(tmp_path / "nowhere" / "secret.key")


def test_keys_are_replaced_whole_with_the_mode_of_a_secret_and_nothing_lies_beside(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    create_key(path)
    (tmp_path / ".secret.key.draft").write_text("of a replacement that was cut off")
    ring = read_keyring(path, {}).with_new(0)
    replace_keys(path, ring)
    assert read_keyring(path, {}) == ring
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["secret.key"]


def test_behind_a_link_the_file_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "secret.key", tmp_path / "secret.key"
    create_key(real)
    link.symlink_to(real)
    ring = read_keyring(link, {}).with_new(0)
    replace_keys(link, ring)
    assert link.is_symlink()
    assert read_keyring(real, {}) == ring


def test_the_owner_of_the_file_stays_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    create_key(path)
    if os.geteuid() == 0:  # anybody else cannot give files away, and is the owner
        os.chown(path, 12_345, 23_456)
    before = path.stat()
    replace_keys(path, new_keyring())
    assert (path.stat().st_uid, path.stat().st_gid) == (before.st_uid, before.st_gid)


def test_where_no_file_can_be_made_the_old_keys_stand(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    create_key(path)
    before = path.read_bytes()
    (tmp_path / ".secret.key.draft").mkdir()
    with pytest.raises(OSError):
        replace_keys(path, new_keyring())
    assert path.read_bytes() == before
