"""`gengfu check` with credentials: users of its own, and certificates that will not do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from devices.vault import Vault
from gengfu.access import site_texts
from gengfu.check_broker import broker_findings
from gengfu.config import Broker, Config
from gengfu.tls import AUTHORITY, CERTIFICATE, KEY, make_authority, make_server
from ingest.gate.files import ACCESS, PASSWORDS, write_files
from ingest.probe import Finding
from tests.ingest.mosquitto import Mosquitto, free_port


def found(config: Config) -> dict[str, Finding]:
    return {finding.name: finding for finding in broker_findings(config)}


def test_a_broker_with_our_access_files_is_tried_with_users_made_for_that(
    on_engine: Config, engine: Engine, vault: Vault, tmp_path: Path
) -> None:
    def guarded(text: str) -> str:
        files = f"password_file {tmp_path / PASSWORDS}\nacl_file {tmp_path / ACCESS}"
        return text.replace(
            "allow_anonymous true", f"use_username_as_clientid true\nallow_anonymous false\n{files}"
        )

    write_files(tmp_path, site_texts(on_engine, engine, vault))
    with Mosquitto(tmp_path, guarded) as broker:
        own = Broker(host="127.0.0.1", port=broker.port)
        shown = found(msgspec.structs.replace(on_engine, broker=own))
    assert {name: finding.text for name, finding in shown.items() if not finding.ok} == {}
    assert len(shown) == 8


def test_a_broker_that_is_open_to_everybody_is_not_well(
    on_engine: Config, engine: Engine, vault: Vault, tmp_path: Path
) -> None:
    with Mosquitto(tmp_path) as broker:
        own = Broker(host="127.0.0.1", port=broker.port)
        shown = found(msgspec.structs.replace(on_engine, broker=own))
    wrong = {name for name, finding in shown.items() if not finding.ok}
    assert wrong == {"broker credentials", "broker topics", "broker client id"}


def test_without_database_or_key_it_is_said_what_is_missing(config: Config) -> None:
    own = Broker(host="127.0.0.1", port=free_port())
    config.data_dir.mkdir()
    assert "database and key" in found(msgspec.structs.replace(config, broker=own))["broker"].text


def test_a_certificate_that_ends_soon_is_said(config: Config, tmp_path: Path) -> None:
    before = datetime.now(UTC) - timedelta(days=800)
    make_authority(tmp_path / "tls", "test", before)
    make_server(tmp_path / "tls", ["127.0.0.1"], before)
    files = [str(tmp_path / "tls" / name) for name in (CERTIFICATE, KEY, AUTHORITY)]
    broker = Broker(tls="files", certificate=files[0], certificate_key=files[1], authority=files[2])
    finding = found(msgspec.structs.replace(config, broker=broker))["broker certificate"]
    assert not finding.ok
    assert "ends in 2" in finding.text
