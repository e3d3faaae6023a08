"""A private authority, and what is said of certificates that will not do."""

from __future__ import annotations

import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gengfu.tls import (
    AUTHORITY,
    AUTHORITY_KEY,
    CERTIFICATE,
    KEY,
    SERVER_DAYS,
    TlsError,
    faults_of,
    fits,
    make_authority,
    make_server,
    names_of,
    show,
)
from tests.gengfu.gated import gated
from tests.gengfu.program import eventually, gengfu, objects

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_authority(tmp_path, "test", NOW)
    make_server(tmp_path, ["broker.example", "10.0.0.1"], NOW)
    return tmp_path


def faults(folder: Path, now: datetime = NOW) -> list[str]:
    return faults_of(folder / CERTIFICATE, folder / KEY, folder / AUTHORITY, now)


def test_a_new_certificate_fits_its_key_names_and_authority_and_keys_are_ours_alone(folder: Path) -> None:
    assert faults(folder) == []
    assert names_of(folder / CERTIFICATE) == ["broker.example", "10.0.0.1"]
    shown = show(folder / CERTIFICATE, "broker", NOW)
    assert shown.days_left == SERVER_DAYS
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in (KEY, AUTHORITY_KEY)} == {0o600}


def test_the_end_is_said_thirty_days_before(folder: Path) -> None:
    end = NOW + timedelta(days=SERVER_DAYS)
    assert faults(folder, end - timedelta(days=31)) == []
    assert "ends in 29 days" in faults(folder, end - timedelta(days=29, hours=1))[0]
    assert "ended" in faults(folder, end + timedelta(days=1))[0]
    assert "begins only" in faults(folder, NOW - timedelta(days=3))[0]


def test_a_key_or_an_authority_of_another_is_said(folder: Path) -> None:
    other = folder / "other"
    make_authority(other, "other", NOW)
    make_server(other, ["broker.example"], NOW)
    assert not fits(folder / CERTIFICATE, other / KEY)
    assert "is not the key" in faults_of(folder / CERTIFICATE, other / KEY, None, NOW)[0]
    assert "is not issued by" in faults_of(folder / CERTIFICATE, folder / KEY, other / AUTHORITY, NOW)[0]
    (other / KEY).write_text("nothing")
    assert "cannot be used" in faults_of(folder / CERTIFICATE, other / KEY, None, NOW)[0]
    assert "cannot be read" in faults_of(other / "none", other / KEY, None, NOW)[0]


def test_a_long_chinese_site_name_is_cut_to_what_a_certificate_holds(tmp_path: Path) -> None:
    make_authority(tmp_path, "幸福" * 50, NOW)


def test_an_authority_that_devices_trust_is_never_replaced(folder: Path) -> None:
    with pytest.raises(TlsError, match="renew"):
        make_authority(folder, "again", NOW)


@pytest.mark.parametrize("name", ["", "a b", "http://a", "ä.example", "a" * 254])
def test_what_is_no_host_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(TlsError, match="host name"):
        make_server(folder, [name], NOW)


def test_the_command_makes_shows_and_renews(tmp_path: Path) -> None:
    init = ("tls", "init", "--name", "broker.example", "--name", "::1", "--json")
    [made] = objects(gengfu(*init, cwd=tmp_path).stdout)
    assert made["names"] == ["broker.example", "::1"]
    before = objects(gengfu("tls", "show", "--json", cwd=tmp_path).stdout)
    again = gengfu(*init, cwd=tmp_path)
    assert again.returncode == 1
    assert "renew" in again.stderr
    assert gengfu("tls", "renew", cwd=tmp_path).returncode == 0
    after = objects(gengfu("tls", "show", "--json", cwd=tmp_path).stdout)
    assert [one["names"] for one in after] == [one["names"] for one in before]
    assert after[0]["fingerprint"] == before[0]["fingerprint"]
    assert after[1]["fingerprint"] != before[1]["fingerprint"]


def test_a_renewed_certificate_is_used_after_a_reload_and_nobody_is_cut_off(tmp_path: Path) -> None:
    def served() -> bytes:
        context = ssl.create_default_context(cafile=str(gate.authority))
        plain = socket.create_connection(("127.0.0.1", gate.tls_port), 10)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
            return secured.getpeercert(binary_form=True) or b""

    with gated(tmp_path, tls=True) as gate:
        device = gate.login("dev-1")
        gate.connect(gate.logins["gengfu-ingest"])
        gate.reload()
        client = gate.connect(device)
        old = served()
        make_server(tmp_path / "tls", ["127.0.0.1"], datetime.now(UTC))
        gate.reload()
        eventually(lambda: served() != old, "the new certificate is served")
        assert client.publish("gengfu/dev-1") == 0
        assert client.breaks == 0
