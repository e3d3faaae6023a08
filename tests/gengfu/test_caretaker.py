"""The caretaker keeps the files of a site's own broker, has them read when safe, and counts refusals."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, select

from console.words import say
from devices.database import reading, writing
from devices.registry import add_contact, add_publisher, list_refusals, revoke_publisher
from devices.schema import contact, refusal
from devices.vault import Vault
from gengfu.access_keeper import running_leash
from gengfu.config import Broker, Config, Metrics
from gengfu.forgetting import DAY_US
from gengfu.run_caretaker import TROUBLES, Caretaker, forget_daily
from ingest.gate.files import ACCESS, PASSWORDS
from ingest.probes.guard import OUTSIDE
from tests.gengfu.program import eventually

NOW = 1_763_755_200_000_000
STAMP = "2026-11-21T23:57:40: "


@contextmanager
def ingest_that_says(connected: Callable[[], bool]) -> Iterator[int]:
    """The port of a /healthz like that of ingest, while another broker is away."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.end_headers()
            self.wfile.write(b'{"ok":false,"connected":%s}' % str(connected()).lower().encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Own:
    """A site with a broker of its own: its folder, its log, and how often it was told to read."""

    def __init__(self, config: Config, folder: Path, port: int) -> None:
        self.access, self.log, self.reads = folder / "access", folder / "broker.log", folder / "reads"
        self.access.mkdir()
        self.log.touch()
        script = "import sys; open(sys.argv[1], 'a').write('x')"
        broker = Broker(
            host="127.0.0.1",
            port=1,
            access_dir=str(self.access),
            log_file=str(self.log),
            reload_command=(sys.executable, "-c", script, str(self.reads)),
        )
        self.config = msgspec.structs.replace(config, broker=broker, metrics=Metrics(ingest=port))

    def reloads(self) -> int:
        return len(self.reads.read_text()) if self.reads.exists() else 0

    def say(self, *lines: str) -> None:
        with self.log.open("a") as out:
            out.writelines(f"{STAMP}{line}\n" for line in lines)


@pytest.fixture
def away() -> set[str]:
    """Not empty while ingest is not connected."""
    return set()


@pytest.fixture
def own(on_engine: Config, engine: Engine, vault: Vault, tmp_path: Path, away: set[str]) -> Iterator[Own]:
    with ingest_that_says(lambda: not away) as port:
        yield Own(on_engine, tmp_path, port)


@pytest.fixture
def caretaker(own: Own) -> Iterator[Caretaker]:
    made = Caretaker(own.config)
    yield made
    made.close()


def hub(engine: Engine) -> None:
    with writing(engine) as connection:
        add_publisher(connection, name="hub", kind="gateway", prefixes=["a"], by="t", now_us=NOW)


def settled(caretaker: Caretaker, happened: Callable[[], bool]) -> None:
    """Steps until it happened: word of a change takes a moment to come from a server."""

    def stepped() -> bool:
        caretaker.step()
        return happened()

    eventually(stepped, "the caretaker has done it")


def test_the_files_follow_the_registry_and_are_read_again_only_when_they_changed(
    engine: Engine, own: Own, caretaker: Caretaker
) -> None:
    def holds_hub() -> bool:
        return "\nhub:" in (own.access / PASSWORDS).read_text()

    caretaker.step()
    assert (own.access / PASSWORDS).read_text().startswith("gengfu-ingest:")
    assert own.reloads() == 1
    caretaker.step()
    assert own.reloads() == 1
    hub(engine)
    settled(caretaker, lambda: holds_hub() and own.reloads() == 2)
    assert "user hub\ntopic readwrite a/#\n" in (own.access / ACCESS).read_text()
    with writing(engine) as connection:
        revoke_publisher(connection, name="hub", by="t", now_us=NOW)
    settled(caretaker, lambda: not holds_hub() and own.reloads() == 3)
    assert caretaker.health()["ok"]


def test_a_reload_waits_until_ingest_is_connected(own: Own, caretaker: Caretaker, away: set[str]) -> None:
    away.add("ingest")
    caretaker.step()
    assert own.reloads() == 0
    assert caretaker.health() == {"ok": False, "trouble": "access_waits"}
    away.clear()
    caretaker.retry()
    caretaker.step()
    assert own.reloads() == 1
    assert caretaker.health()["ok"]


def test_a_folder_that_cannot_be_written_is_said_and_tried_again(own: Own, caretaker: Caretaker) -> None:
    own.access.rmdir()
    caretaker.step()
    assert caretaker.health() == {"ok": False, "trouble": "access_waits"}
    own.access.mkdir()
    caretaker.retry()
    caretaker.step()
    assert caretaker.health()["ok"]
    assert (own.access / ACCESS).exists()


def test_refusals_in_the_log_are_counted_once_also_over_a_restart(
    engine: Engine, own: Own, caretaker: Caretaker
) -> None:
    caretaker.step()
    own.say("Client esp-7 disconnected, not authorised.")
    caretaker.step()
    caretaker.close()
    own.say("Client esp-7 disconnected, not authorised.", "Reloading config.", "Client old disconnected.")
    again = Caretaker(own.config)
    again.step()
    again.close()
    with reading(engine) as connection:
        found = {(row.kind, row.who): row.count for row in list_refusals(connection)}
    assert found == {("login", "esp-7"): 2, ("login", "old"): 1}


CALLED = "New connection from {}:42388 on port 1883."
NO_CREDENTIALS = "Client gengfu-check-64b29b1c0c70-n disconnected, not authorised."
DENIED = "Denied PUBLISH from {} (d0, q1, r0, m1, '{}', ... (12 bytes))"


@pytest.mark.parametrize(
    ("lines", "counted"),
    [
        ((CALLED.format("127.0.0.1"), NO_CREDENTIALS), 0),
        ((CALLED.format("::1"), NO_CREDENTIALS), 0),
        (("Client gengfu-check-64b29b1c0c70-n [127.0.0.1:4311] disconnected: not authorised.",), 0),
        ((DENIED.format("gengfu-check", OUTSIDE),), 0),
        ((DENIED.format("gengfu-ingest", OUTSIDE),), 0),
        ((CALLED.format("192.168.7.9"), NO_CREDENTIALS), 1),
        ((CALLED.format("127.0.0.1"), NO_CREDENTIALS.replace("-n ", "-other ")), 1),
        (
            (
                CALLED.format("127.0.0.1"),
                "Client x gengfu-check-64b29b1c0c70-n disconnected, not authorised.",
            ),
            1,
        ),
        ((CALLED.format("127.0.0.1"), "Client <unknown> disconnected, not authorised."), 1),
        ((DENIED.format("gengfu-check", "own/a"),), 1),
        ((DENIED.format("hub", OUTSIDE),), 1),
    ],
)
def test_what_a_check_tries_from_this_machine_is_no_refusal_and_all_else_is(
    engine: Engine, own: Own, caretaker: Caretaker, lines: tuple[str, ...], counted: int
) -> None:
    caretaker.step()
    own.say(*lines)
    caretaker.step()
    caretaker.close()
    with reading(engine) as connection:
        assert len(list_refusals(connection)) == counted


def test_what_is_committed_is_not_counted_again_when_the_note_of_it_was_not_written(
    engine: Engine, own: Own, caretaker: Caretaker
) -> None:
    caretaker.step()
    note = own.config.data_dir / "caretaker.json"
    before = note.read_bytes()
    own.say("Client esp-7 disconnected, not authorised.")
    caretaker.step()
    caretaker.close()
    note.write_bytes(before)  # as after a kill between the two
    again = Caretaker(own.config)
    again.step()
    again.close()
    with reading(engine) as connection:
        assert [row.count for row in list_refusals(connection)] == [1]


def test_a_reload_that_the_log_told_before_it_was_asked_for_is_no_answer(
    on_engine: Config, engine: Engine, vault: Vault
) -> None:
    folder = on_engine.data_dir / "broker"
    folder.mkdir(parents=True)
    log = folder / "mosquitto.log"
    config = msgspec.structs.replace(on_engine, broker=Broker(log_file=str(log)))
    log.write_text(f"{STAMP}Reloading config.\n")
    caretaker = Caretaker(config)
    child = subprocess.Popen([sys.executable, "-c", LEASH_LIKE, "broker_leash"], stdout=subprocess.PIPE)
    assert child.stdout
    child.stdout.readline()
    (config.data_dir / "run.json").write_bytes(msgspec.json.encode({"pids": {"broker": child.pid}}))
    (config.data_dir / "broker.lock").write_text(str(child.pid))
    try:
        caretaker.step()
        assert caretaker.keeper.unanswered
        caretaker.step()
        assert caretaker.keeper.unanswered
        with log.open("a") as out:
            out.write(f"{STAMP}Reloading config.\n")
        caretaker.step()
        assert not caretaker.keeper.unanswered
    finally:
        caretaker.close()
        child.stdout.close()
        child.kill()
        child.wait()


LEASH_LIKE = "import signal, time; signal.signal(1, lambda *_: None); print(1, flush=True); time.sleep(60)"


def test_only_a_leash_that_holds_its_lock_is_signalled(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        (tmp_path / "run.json").write_bytes(msgspec.json.encode({"pids": {"broker": child.pid}}))
        assert running_leash(tmp_path) is None
        (tmp_path / "broker.lock").write_text(str(child.pid + 1))
        assert running_leash(tmp_path) is None
    finally:
        child.kill()
        child.wait()


def test_refusals_of_before_the_first_start_are_not_counted(
    engine: Engine, own: Own, caretaker: Caretaker
) -> None:
    own.say("Client esp-7 disconnected, not authorised.")
    caretaker.step()
    with reading(engine) as connection:
        assert connection.execute(select(refusal)).all() == []


def test_a_reload_command_that_fails_is_said(own: Own) -> None:
    broker = msgspec.structs.replace(own.config.broker, reload_command=("false",))
    caretaker = Caretaker(msgspec.structs.replace(own.config, broker=broker))
    caretaker.step()
    assert caretaker.health() == {"ok": False, "trouble": "access_waits"}
    assert caretaker.figures()["failures_total"] == 1
    caretaker.close()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_board_has_words_for_whatever_is_wrong_with_it(language: str) -> None:
    assert all(say(language, f"pulse.{trouble}") for trouble in TROUBLES)
    assert say(language, "process.caretaker")


def test_who_has_not_been_needed_for_half_a_year_is_forgotten_by_itself(
    config: Config, engine: Engine, vault: Vault
) -> None:
    with writing(engine) as connection:
        add_contact(connection, vault, code="gone", name="李雷", by="test", now_us=NOW - 200 * DAY_US)
    stop = threading.Event()
    thread = threading.Thread(target=forget_daily, args=(config, engine, stop, 0.0))
    thread.start()
    try:
        eventually(lambda: erased(engine) == ["gone"], "the contact is forgotten")
    finally:
        stop.set()
        thread.join()


def erased(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(select(contact.c.code).where(contact.c.erased_us.is_not(None))))
