"""`gengfu check` with credentials: users of its own, and certificates that will not do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from devices.vault import Vault
from gengfu.access import access_folder, site_texts
from gengfu.check_broker import broker_findings
from gengfu.config import Broker, Config, FurtherBroker, Ingest
from gengfu.folder import lock
from gengfu.ports import settle_ports
from gengfu.tls import AUTHORITY, CERTIFICATE, KEY, make_authority, make_server
from ingest.gate.files import ACCESS, PASSWORDS, write_files
from ingest.probes.caller import Caller
from ingest.probes.finding import Finding
from ingest.probes.terms import Login, Terms
from tests.ingest.listeners import listening
from tests.ingest.mosquitto import Mosquitto, free_port
from tests.ingest.probes.trying import by_name, dial_to


def red(shown: dict[str, Finding]) -> dict[str, str]:
    return {name: one.text for name, one in shown.items() if one.ok is False}


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
    assert red(shown) == {}
    assert {name for name, finding in shown.items() if finding.ok is None} == {
        "broker session expiry",
        "broker ingest user",
        "broker persistence",
    }


def test_the_private_broker_that_runs_is_the_one_that_is_tried(
    on_engine: Config, engine: Engine, vault: Vault, tmp_path: Path
) -> None:
    """It has lost a setting that the one started for a restart still has."""
    folder = access_folder(on_engine)
    assert folder
    folder.mkdir(parents=True)
    write_files(folder, site_texts(on_engine, engine, vault))

    def worn(text: str) -> str:
        text = text.replace("upgrade_outgoing_qos true", "")
        files = f"password_file {folder / PASSWORDS}\nacl_file {folder / ACCESS}"
        return text.replace(
            "allow_anonymous true", f"use_username_as_clientid true\nallow_anonymous false\n{files}"
        )

    with Mosquitto(tmp_path, worn) as broker:
        running = msgspec.structs.replace(on_engine.broker, port=broker.port)
        settled = settle_ports(msgspec.structs.replace(on_engine, broker=running))
        (on_engine.data_dir / "settled.json").write_bytes(msgspec.json.encode(settled))
        assert "broker qos 0" not in red(found(on_engine))  # nobody holds the lock: it is not ours
        with lock(on_engine.data_dir, "broker"):
            shown = found(on_engine)
    assert red(shown).keys() == {"broker qos 0"}
    assert all(shown[f"broker {name}"].ok for name in ("persistence", "ingest user", "session expiry"))
    assert "a mosquitto of our own" not in shown["broker"].text


def test_each_further_broker_is_tried_the_way_ingest_gets_there(config: Config, tmp_path: Path) -> None:
    """The first and the last are not there, between them one over TLS and one over WebSocket in TLS."""
    with listening(tmp_path) as there:
        authority = str(there.tls / AUTHORITY)
        brokers = (
            FurtherBroker(
                name="east",
                host="127.0.0.1",
                port=there.ports["tls"],
                transport="tls",
                server_authority=authority,
            ),
            FurtherBroker(
                name="high",
                host="127.0.0.1",
                port=there.ports["wss"],
                transport="wss",
                server_authority=authority,
            ),
            FurtherBroker(name="west", host="127.0.0.1", port=free_port()),
        )
        first = Broker(host="127.0.0.1", port=free_port(), anonymous=True)
        short = Ingest(max_payload_bytes=10_000)  # 0.1 s for each 4 kB over WebSocket, with mosquitto 2.0.11
        every = list(
            broker_findings(msgspec.structs.replace(config, broker=first, brokers=brokers, ingest=short))
        )
    wrong = {(one.broker, one.name): one.text for one in every if one.ok is False}
    assert wrong.keys() == {("broker", "broker"), ("west", "broker")}
    assert "[[brokers]] west" in wrong["west", "broker"]
    for name in ("east", "high"):
        good = {one.name: one.text for one in every if one.broker == name and one.ok}
        assert {"broker queue", "broker redelivery", "broker packet size"} <= good.keys()
        assert ("over tls" if name == "east" else "over wss") in good["broker"]


def test_a_broker_that_is_open_to_everybody_is_not_well(
    on_engine: Config, engine: Engine, vault: Vault, tmp_path: Path
) -> None:
    with Mosquitto(tmp_path) as broker:
        own = Broker(host="127.0.0.1", port=broker.port)
        shown = found(msgspec.structs.replace(on_engine, broker=own))
    wrong = {name for name, finding in shown.items() if finding.ok is False}
    assert wrong == {"broker credentials", "broker topics", "broker client id"}


def test_two_checks_of_one_data_folder_do_not_meet(config: Config) -> None:
    with lock(config.data_dir, "check"):
        [said] = broker_findings(config, other_check_s=0.1)
    assert (said.name, said.ok) == ("broker proofs", None)
    assert "another check runs" in said.text


def test_what_goes_wrong_with_one_broker_costs_no_other_its_check(config: Config, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_bytes(b"\xff\xfe")  # no text
    east = FurtherBroker(
        name="east", host="127.0.0.1", port=free_port(), username="me", password_file=str(secret)
    )
    brokers = (east, FurtherBroker(name="west", host="127.0.0.1", port=free_port()))
    first = Broker(host="127.0.0.1", port=free_port(), anonymous=True)
    every = list(broker_findings(msgspec.structs.replace(config, broker=first, brokers=brokers)))
    wrong = {one.broker: one.text for one in every if one.ok is False}
    assert wrong.keys() == {"broker", "east", "west"}
    assert wrong["east"].startswith("[[brokers]] east: the check itself failed, UnicodeDecodeError")
    assert "not reachable" in wrong["west"]


def test_a_check_with_the_user_of_ingest_leaves_what_waits_for_ingest(config: Config, tmp_path: Path) -> None:
    """On a broker that takes the user name for the client id; who may do what is not tried there either."""
    login = Login("site-user", "secret")
    (tmp_path / "password").write_text(login.password)
    with Mosquitto(tmp_path, by_name(tmp_path, login)) as broker:
        dial = dial_to(broker.port)
        with Caller(dial, "", login, Terms(clean=False, expiry_s=3600)) as ingest:
            ingest.subscribe("waits/#")
            ingest.publish("waits/for-ingest", [b"1"])
        east = FurtherBroker(
            name="east",
            host="127.0.0.1",
            port=broker.port,
            username=login.name,
            password_file=str(tmp_path / "password"),
        )
        first = Broker(host="127.0.0.1", port=free_port(), anonymous=True)
        every = list(broker_findings(msgspec.structs.replace(config, broker=first, brokers=(east,))))
        with Caller(dial, "", login, Terms(clean=False)) as ingest:
            ingest.gather(1, acknowledge=True)
            assert [one.payload for one in ingest.messages] == [b"1"]
    shown = {one.name: one.ok for one in every if one.broker == "east"}
    assert shown["broker proofs"] is None
    assert shown["broker credentials"]
    assert "broker topics" not in shown


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
