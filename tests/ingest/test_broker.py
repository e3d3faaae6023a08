"""The private broker starts with our settings; the file for a site is the same text."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ingest.broker import SITE, BrokerError, find_mosquitto, private_broker, wait_ready
from tests.ingest.mosquitto import Mosquitto, free_port

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto.conf"
PER_BROKER = (
    "listener ",
    "allow_anonymous ",
    "use_username_as_clientid ",
    "password_file ",
    "acl_file ",
    "user ",
    "persistence_location ",
    "log_dest ",
)


def _settings(text: str) -> set[str]:
    return {line for line in text.splitlines() if line and not line.startswith("#")}


def test_the_deployed_file_is_our_text() -> None:
    assert DEPLOY.read_text(encoding="utf-8") == SITE.text


def test_private_and_site_brokers_differ_in_place_and_access_only(tmp_path: Path) -> None:
    private, site = _settings(private_broker(tmp_path, 1).text), _settings(SITE.text)
    assert all(line.startswith(PER_BROKER) for line in private ^ site)
    assert "upgrade_outgoing_qos true" in private & site


def test_the_site_broker_lets_nobody_in_without_credentials_and_the_private_one_stays_on_loopback() -> None:
    assert "allow_anonymous false" in _settings(SITE.text)
    assert "listener 1 127.0.0.1" in _settings(private_broker(Path(), 1).text)


def test_mosquitto_starts_with_our_file_answers_and_saves_into_its_folder(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        wait_ready("127.0.0.1", broker.port, 5.0)
        broker.stop()
        assert (broker.file.folder / "mosquitto.db").exists()
        assert broker.file.log_file
        assert "Error" not in broker.file.log_file.read_text(encoding="utf-8")


def test_mosquitto_is_found_without_sbin_in_the_path() -> None:
    found = find_mosquitto()
    if found is None:
        pytest.skip("mosquitto is not installed")
    assert b"mosquitto version" in subprocess.run([found, "-h"], capture_output=True, check=False).stdout


def test_nobody_there_is_an_error_that_names_the_place() -> None:
    port = free_port()
    with pytest.raises(BrokerError, match=f"127.0.0.1:{port}"):
        wait_ready("127.0.0.1", port, 0.1)
