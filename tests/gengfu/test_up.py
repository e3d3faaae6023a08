"""`gengfu up` starts whole or not at all, says why not, and leaves nothing running however it ends."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from devices.database import open_database, writing
from devices.registry.contacts import add_contact
from devices.vault import Vault
from gengfu.config_file import load_config
from gengfu.folder import lock
from gengfu.ports import free_port, settle_ports
from gengfu.refusals import reason_of
from gengfu.service import CannotStart, Service
from tests.gengfu.program import (
    METRICS,
    alive,
    broken_mosquitto,
    eventually,
    free_ports,
    gengfu,
    pids,
    started,
    told_to_stop,
)
from tests.ingest.mosquitto import Mosquitto

ALL = {"broker", "alerts", "store", "caretaker", "ingest", "console", "answers"}


@contextlib.contextmanager
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def said(process: subprocess.Popen[str], what: str) -> list[str]:
    """The lines of stderr up to the one that begins with `what`."""
    assert process.stderr
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith(what):
            return lines
    raise AssertionError(f"never said {what!r}: {lines}")


def nothing_runs(running: dict[str, int]) -> bool:
    return bool(running) and not any(alive(pid) for pid in running.values())


def refused(path: Path, reason: str) -> None:
    """A service of this configuration is refused with one line that holds `reason`, and holds nothing."""
    config = load_config(path)
    with pytest.raises(Exception) as caught:
        Service(config, logs_to_files=True)
    line = reason_of(caught.value)
    assert line
    assert reason in line
    assert pids(config.data_dir) == {}
    lock(config.data_dir, "service").close()


def test_a_service_runs_alone_on_its_folder_survives_its_supervisors_death_and_ends_in_order(
    tmp_path: Path,
) -> None:
    free_ports(tmp_path)
    data = tmp_path / "data"
    with started("up", cwd=tmp_path) as first:
        said(first, "ready; console: http://127.0.0.1:")
        running = pids(data)
        assert running.keys() == ALL
        second = gengfu("up", cwd=tmp_path)
        assert (second.returncode, second.stderr) == (
            1,
            f"gengfu: {data}: service already runs here (process {first.pid})\n",
        )
        member = gengfu("ingest", cwd=tmp_path)
        assert member.returncode == 1
        assert msgspec.json.decode(member.stderr)["reason"].endswith(f"(process {running['ingest']})")
        assert pids(data) == running
        first.kill()
        first.wait()
        with started("up", cwd=tmp_path) as again:
            said(again, "ready")
            assert nothing_runs(running)
            code, _ = told_to_stop(again)
            assert code == 0
    assert nothing_runs(pids(data))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_during_the_start_ends_it_in_order(tmp_path: Path, how: signal.Signals) -> None:
    free_ports(tmp_path)
    with started("up", cwd=tmp_path) as process:
        said(process, "starting alerts")
        code, errors = told_to_stop(process, how)
    assert code == 0
    assert "ready" not in errors
    assert nothing_runs(pids(tmp_path / "data"))


def test_a_stop_while_the_broker_is_waited_for_ends_it(tmp_path: Path) -> None:
    free_ports(tmp_path, f'[broker]\nhost = "127.0.0.1"\nport = {free_port()}\n')
    with started("up", cwd=tmp_path) as process:
        said(process, "made a new key")
        code, errors = told_to_stop(process, signal.SIGINT)
    assert (code, errors) == (0, "")


def test_a_taken_port_is_refused_by_its_key(tmp_path: Path) -> None:
    path = tmp_path / "gengfu.toml"
    with taken() as port:
        for table, key in (("console", "port"), ("answers", "port"), ("metrics", "store")):
            path.write_text(f"[{table}]\n{key} = {port}\n")
            refused(path, f"{table}.{key}: cannot listen on 127.0.0.1:{port}: Address already in use")
        done = gengfu("up", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"gengfu: metrics.store: cannot listen on 127.0.0.1:{port}: ")
    assert done.stderr.count("\n") == 1


def test_one_port_for_two_is_refused(tmp_path: Path) -> None:
    port = free_port()
    path = tmp_path / "gengfu.toml"
    path.write_text(f"[console]\nport = {port}\n[metrics]\nalerts = {port}\n")
    refused(path, f"console.port and metrics.alerts are both {port}")


def test_an_address_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gengfu.toml"
    path.write_text('[console]\nhost = "192.0.2.1"\n')
    refused(path, "console.port: cannot listen on 192.0.2.1:8300: Cannot assign")


def test_a_stranger_on_the_private_brokers_port_is_never_taken_for_it(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "other") as other:
        path = free_ports(tmp_path, f"[broker]\nport = {other.port}\n")
        refused(path, f"broker.port: cannot listen on 127.0.0.1:{other.port}")


def test_a_missing_password_file_is_refused(tmp_path: Path) -> None:
    path = free_ports(tmp_path, '[broker]\nhost = "127.0.0.1"\npassword_file = "none"\n')
    refused(path, f"{tmp_path}/none: no such file; correct broker.password_file")


def test_a_missing_file_of_a_further_broker_is_refused(tmp_path: Path) -> None:
    text = '[[brokers]]\nname = "north"\nhost = "127.0.0.1"\ntransport = "tls"\nserver_authority = "none"\n'
    path = free_ports(tmp_path, text)
    refused(path, f"{tmp_path}/none: no such file; correct brokers.north.server_authority")


def test_a_lost_key_is_refused_and_no_new_one_made(tmp_path: Path) -> None:
    path = free_ports(tmp_path)
    config = load_config(path)
    Service(config, logs_to_files=True).close()
    engine = open_database(config.database_url)
    with writing(engine) as connection:
        vault = Vault.open(config.key_path)
        add_contact(connection, vault, code="duty-1", name="值班室", by="test", now_us=1)
    engine.dispose()
    config.key_path.unlink()
    refused(path, "put its copy back")
    assert not config.key_path.exists()


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = free_ports(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "gengfu.db").write_bytes(b"this is no database at all" * 100)
    refused(path, "the database cannot be used: file is not a database")


class Interrupted(Exception):
    """Something nobody thought of, in the midst of a start."""


def test_whatever_fails_in_the_midst_of_a_start_nothing_is_left_running(tmp_path: Path) -> None:
    config = load_config(free_ports(tmp_path))

    def say(line: str) -> None:
        if line == "starting store":
            raise Interrupted(line)

    with pytest.raises(Interrupted), contextlib.closing(Service(config, logs_to_files=True)) as service:
        service.start(say)
    running = pids(config.data_dir)
    assert running.keys() == {"broker", "alerts"}
    assert nothing_runs(running)
    service.close()
    contextlib.closing(Service(config, logs_to_files=True)).__exit__(None, None, None)


def test_a_service_that_cannot_be_made_holds_nothing(tmp_path: Path) -> None:
    config = load_config(free_ports(tmp_path))
    with taken() as port:
        console = msgspec.structs.replace(config.console, port=port)
        with pytest.raises(CannotStart):
            Service(msgspec.structs.replace(config, console=console), logs_to_files=True)
    Service(config, logs_to_files=True).close()


def test_a_free_port_is_settled_before_anything_starts(tmp_path: Path) -> None:
    path = tmp_path / "gengfu.toml"
    zeros = "".join(f"{name} = 0\n" for name in METRICS)
    path.write_text(f"[console]\nport = 0\n[answers]\nport = 0\n[metrics]\n{zeros}")
    config = settle_ports(load_config(path))
    ports = [config.console.port, config.answers.port, config.broker.port]
    ports += [getattr(config.metrics, name) for name in METRICS]
    assert all(ports)
    assert len(set(ports)) == 9


def test_a_broker_of_ones_own_without_a_port_is_on_1883(tmp_path: Path) -> None:
    path = tmp_path / "gengfu.toml"
    path.write_text('[broker]\nhost = "broker.example"\n')
    assert settle_ports(load_config(path)).broker.port == 1883


def test_a_note_that_cannot_be_written_stops_no_process(tmp_path: Path) -> None:
    config = load_config(free_ports(tmp_path))
    with contextlib.closing(Service(config, logs_to_files=True)) as service:
        (config.data_dir / "run.json.new").mkdir()
        service.supervisor.start("store")
        eventually(lambda: service.supervisor.lives("store"), "it lives")
    assert not service.supervisor.lives("store")


def test_a_private_broker_lets_through_what_the_configuration_lets_through(tmp_path: Path) -> None:
    config = load_config(free_ports(tmp_path, "[ingest]\nmax_payload_bytes = 1000000\n"))
    Service(config, logs_to_files=True).close()
    assert "message_size_limit 1000000\n" in (config.data_dir / "broker" / "mosquitto.conf").read_text()


def test_a_broker_that_ends_at_once_is_said_and_nothing_is_left_running(tmp_path: Path) -> None:
    free_ports(tmp_path)
    done = gengfu("up", cwd=tmp_path, PATH=broken_mosquitto(tmp_path))
    assert done.returncode == 1
    assert done.stderr.endswith(
        f"gengfu: mosquitto ended at once; see {tmp_path}/data/broker/mosquitto.log\n"
    )
    assert nothing_runs(pids(tmp_path / "data"))


def test_what_a_killed_service_left_behind_is_waited_for(tmp_path: Path) -> None:
    config = load_config(free_ports(tmp_path))
    order: list[str] = []
    left = lock(config.data_dir, "ingest")

    def let_go() -> None:
        order.append("let go")
        left.close()

    timer = threading.Timer(0.5, let_go)
    timer.start()
    Service(config, logs_to_files=True).close()
    order.append("made")
    timer.join()
    assert order == ["let go", "made"]


def test_a_free_port_is_another_each_time() -> None:
    ports = [free_port() for _ in range(500)]
    assert len(set(ports)) == 500


def test_a_broker_program_that_is_not_there_is_refused_by_its_key(tmp_path: Path) -> None:
    config = load_config(free_ports(tmp_path))
    other = msgspec.structs.replace(config.broker, program="/no/such/mosquitto")
    with pytest.raises(CannotStart, match=r"^/no/such/mosquitto: no such program; correct broker\.program$"):
        Service(msgspec.structs.replace(config, broker=other), logs_to_files=True)


def test_the_private_broker_is_the_configured_program(tmp_path: Path) -> None:
    broken_mosquitto(tmp_path)
    config = load_config(free_ports(tmp_path))
    other = msgspec.structs.replace(config.broker, program=str(tmp_path / "bin" / "mosquitto"))
    service = Service(msgspec.structs.replace(config, broker=other), logs_to_files=True)
    try:
        with pytest.raises(CannotStart, match="mosquitto ended at once"):
            service.start(lambda _: None)
    finally:
        service.close()
    assert "out of candles" in (tmp_path / "data" / "broker" / "mosquitto.log").read_text()
