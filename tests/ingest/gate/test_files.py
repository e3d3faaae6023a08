"""The broker's files say what the registry says, and nothing a name could smuggle in."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.registry.credentials import broker_hash, check_name, check_prefix
from devices.registry.errors import NotAllowed
from ingest.gate.files import ACCESS, PASSWORDS, Account, file_texts, write_files

HASH = broker_hash("x", b"salt")
ODD = st.text(st.sampled_from("ab/+#$:\n\r\t \u2028\x00é'"), max_size=8)


def lines(accounts: list[Account]) -> tuple[list[str], list[str]]:
    """Of the password file, and of the access list without remarks and empty lines."""
    texts = file_texts(accounts)
    access = [line for line in texts[ACCESS].splitlines() if line and not line.startswith("#")]
    return texts[PASSWORDS].splitlines(), access


def test_a_device_of_our_own_format_needs_a_password_line_and_no_entry() -> None:
    passwords, access = lines([Account("dev-1", HASH, ("gengfu/dev-1",), reads=False)])
    assert passwords == [f"dev-1:{HASH}"]
    assert access == ["pattern write gengfu/%u/#"]


def test_a_gateway_has_an_entry_for_each_of_its_prefixes() -> None:
    _, access = lines([Account("hub", HASH, ("zigbee2mqtt", "home/2 A"))])
    own = ["user hub", "topic readwrite zigbee2mqtt/#", "topic readwrite home/2 A/#"]
    assert access == [*own, "pattern write gengfu/%u/#"]


def test_a_device_with_topics_of_another_form_may_write_and_not_read() -> None:
    _, access = lines([Account("z", HASH, ("zigbee2mqtt/x",), reads=False)])
    assert access == ["user z", "topic write zigbee2mqtt/x/#", "pattern write gengfu/%u/#"]


def test_the_service_itself_reads_everything_and_writes_nothing() -> None:
    _, access = lines([Account("gengfu-ingest", HASH, reads_all=True)])
    assert access == ["user gengfu-ingest", "topic read #", "pattern write gengfu/%u/#"]


def test_of_two_with_one_name_the_first_counts() -> None:
    passwords, access = lines([Account("a", HASH), Account("a", HASH, ("b",))])
    assert len(passwords) == 1
    assert "topic readwrite b/#" not in access


@given(ODD, ODD)
def test_no_name_and_no_prefix_brings_in_a_line_of_its_own(name: str, prefix: str) -> None:
    try:
        passwords, access = lines([Account(name, HASH, (prefix,))])
    except ValueError:
        return
    assert passwords == [f"{name}:{HASH}"]
    assert passwords[0].count(":") == 1
    assert len(access) <= 3
    assert all("+" not in line and line.count("#") == 1 for line in access if line.startswith("topic "))


@given(ODD, ODD)
def test_whatever_the_registry_takes_the_files_can_hold(name: str, prefix: str) -> None:
    try:
        account = Account(check_name(name), HASH, (check_prefix(prefix),))
    except NotAllowed:
        return
    lines([account])


def test_files_are_open_to_their_owner_only_and_written_only_when_they_differ(tmp_path: Path) -> None:
    texts = file_texts([Account("a", HASH)])
    assert write_files(tmp_path, texts)
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in texts} == {0o600}
    assert not write_files(tmp_path, texts)
    assert write_files(tmp_path, file_texts([Account("b", HASH)]))
    assert sorted(path.name for path in tmp_path.iterdir()) == [ACCESS, PASSWORDS]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    write_files(tmp_path, file_texts([Account("a", HASH)]))
    (tmp_path / f"{PASSWORDS}.new").mkdir()
    with pytest.raises(OSError):
        write_files(tmp_path, file_texts([Account("b", HASH)]))
    assert (tmp_path / PASSWORDS).read_text().startswith("a:")
