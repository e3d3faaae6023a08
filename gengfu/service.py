"""The whole service of one data folder: its processes, its lock, and the note of what runs where."""

from __future__ import annotations

import dataclasses
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import structlog
from sqlalchemy import Engine

from devices.database import open_database, reading
from devices.vault import Vault
from gengfu.access import access_folder, derives_login, note_password, private_log, site_texts, tls_listener
from gengfu.belonging import belong
from gengfu.broker_leash import ANYBODY
from gengfu.config import Config
from gengfu.config_brokers import FURTHER_PATHS
from gengfu.folder import FORMER_WAIT_S, lock, make_folder, wait_free, write_private
from gengfu.key import settle_key
from gengfu.migrate import upgrade
from gengfu.mute import mute_devices
from gengfu.ports import settle_ports, why_not
from gengfu.supervisor import Member, Supervisor
from ingest.broker import SITE, BrokerError, find_mosquitto, private_broker, wait_ready, write_configuration
from ingest.gate.files import write_files

log = structlog.get_logger()

PROCESSES: Final = ("alerts", "store", "caretaker", "ingest", "console", "answers")
"""In order of start: who must know is ready before the first alarm comes in."""
BROKER_WAIT_S: Final = 20.0
"""How long the broker may take to answer (chosen: it loads what it kept)."""


class CannotStart(Exception):
    """The service cannot start; the text says what to do."""


class Service:
    """What `gengfu up` and `gengfu demo` run on one data folder.

    `settled.json` there is what its processes are told, `run.json` which process runs under which number.
    Making one takes the folder, its key and its database; `close` lets go, and must be called.
    """

    def __init__(
        self,
        config: Config,
        *,
        logs_to_files: bool,
        say: Callable[[str], None] = lambda _: None,
        take_over: bool = False,
    ) -> None:
        """`say` is told what a person should know; `take_over` as `gengfu.belonging.belong` says.

        Raises what `gengfu.refusals` knows (CannotStart, FolderTaken, … OSError); then nothing is held.
        """
        self._private = not config.broker.host
        self.config = settle_ports(config)
        self._folder = config.data_dir
        make_folder(self._folder)
        self._pids: dict[str, int] = {}
        self._held = lock(self._folder, "service")
        try:
            self._prepare(say, take_over=take_over)
            log_dir = self._folder / "logs" if logs_to_files else None
            if log_dir:
                log_dir.mkdir(exist_ok=True)
            self.supervisor = Supervisor(self._members(log_dir), on_start=self._note)
        except BaseException:
            self._held.close()
            raise

    def _prepare(self, say: Callable[[str], None], *, take_over: bool) -> None:
        """Everything that can be refused before a process runs."""
        tls = tls_listener(self.config) if self._private else None
        if tls and not (tls.certificate.is_file() and tls.key.is_file()):
            raise CannotStart(f"{tls.certificate}: no certificate; `gengfu tls init`, or correct broker.tls")
        for name in (*PROCESSES, "broker"):
            wait_free(self._folder, name, FORMER_WAIT_S)
        self._look_at_ports()
        self._look_at_files()
        engine = open_database(self.config.database_url)
        try:
            vault = settle_key(engine, self.config.key_path, say)
            upgrade(engine)
            belong(engine, self._folder, take_over=take_over)
            self._open_gate(engine, vault)
            self._warn_of_mute(engine, say)
        finally:
            engine.dispose()
        self._settled = self._folder / "settled.json"
        write_private(self._settled, msgspec.json.encode(self.config))  # the database's password is in it

    def _open_gate(self, engine: Engine, vault: Vault) -> None:
        """Ingest's password, and for the private broker who is let in, before it starts; the caretaker keeps
        that up to date."""
        if not derives_login(self.config):
            return
        note_password(self.config, engine, vault)
        folder = access_folder(self.config)
        if self._private and folder:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_files(folder, site_texts(self.config, engine, vault))

    def _warn_of_mute(self, engine: Engine, say: Callable[[str], None]) -> None:
        if not access_folder(self.config):
            return  # the site lets in whom it wants
        with reading(engine) as connection:
            if mute := mute_devices(connection):
                say(f"{mute} devices in service: nobody may publish for them yet; see `gengfu publisher add`")

    def _look_at_files(self) -> None:
        """Those of the brokers must be there; what is in them shows when ingest connects."""
        every = [
            ("broker", self.config.broker),
            *((f"brokers.{one.name}", one) for one in self.config.brokers),
        ]
        for at, broker in every:
            for key in FURTHER_PATHS:
                file = getattr(broker, key)
                if file and not Path(file).is_file():
                    raise CannotStart(f"{file}: no such file; correct {at}.{key}")

    def _look_at_ports(self) -> None:
        asked: dict[tuple[str, int], str] = {}
        for host, port, key in self._listeners():
            other = asked.setdefault((host, port), key)
            if other != key:
                raise CannotStart(f"{other} and {key} are both {port}; set another for one of them")
            if reason := why_not(host, port):
                raise CannotStart(f"{key}: cannot listen on {host}:{port}: {reason}; free it or set another")

    def _listeners(self) -> Iterator[tuple[str, int, str]]:
        """Host, port and key of everything that will listen."""
        config = self.config
        yield config.console.host, config.console.port, "console.port"
        yield config.answers.host, config.answers.port, "answers.port"
        for name in PROCESSES:
            yield config.metrics.host, getattr(config.metrics, name), f"metrics.{name}"
        if self._private:
            yield self._plain_host(), config.broker.port, "broker.port"
            if tls := tls_listener(config):
                yield tls.host, tls.port, "broker.tls_port"

    def _plain_host(self) -> str:
        """Where the private broker listens without TLS: where there is TLS, for ingest alone."""
        broker = self.config.broker
        return broker.host if broker.tls != "off" else broker.listen

    def _members(self, log_dir: Path | None) -> list[Member]:
        def log_of(name: str) -> Path | None:
            return log_dir / f"{name}.log" if log_dir else None

        members = []
        if self._private:
            command = self._broker_command()  # makes the broker's folder, where its own log lies as well
            members.append(Member("broker", command, self._folder / "broker" / "console.log"))
        for name in PROCESSES:
            command = [sys.executable, "-m", "gengfu", name, "--config", str(self._settled)]
            members.append(Member(name, command, log_of(name)))
        return members

    def _broker_command(self) -> list[str]:
        program = self.config.broker.program
        mosquitto = find_mosquitto(program)
        if mosquitto is None and program:
            raise CannotStart(f"{program}: no such program; correct broker.program")
        if mosquitto is None:
            raise CannotStart(
                "mosquitto is not installed: `apt-get install mosquitto` or `brew install mosquitto`, "
                "or name your own broker under [broker] host in the configuration"
            )
        longest = max(self.config.ingest.max_payload_bytes, SITE.message_size_limit)
        settings = self.config.broker
        broker = dataclasses.replace(
            private_broker(self._folder / "broker", settings.port, longest),
            host=self._plain_host(),
            log_file=None,
            access_folder=access_folder(self.config),
            tls=tls_listener(self.config),
            watch_topics=settings.watch_topics and not settings.anonymous,
        )
        conf = write_configuration(broker)
        ingest = ANYBODY if settings.anonymous else settings.client_id
        words = [str(self._folder), str(private_log(self.config)), ingest, str(mosquitto), "-c", str(conf)]
        return [sys.executable, "-m", "gengfu.broker_leash", *words]

    def _note(self, name: str, pid: int) -> None:
        self._pids[name] = pid
        note = self._folder / "run.json.new"
        try:
            note.write_bytes(
                msgspec.json.encode({"pids": self._pids, "broker_port": self.config.broker.port})
            )
            note.replace(self._folder / "run.json")
        except OSError as error:  # a full disk: what runs matters more than the note of it
            log.error("run.json not written", reason=error.strerror)

    def start(self, say: Callable[[str], None], stop: threading.Event | None = None) -> None:
        """Starts everything, saying what it does; returns early when `stop` is set. Raises CannotStart.

        A broker of the site's own is not waited for: after a power cut it may come up later than we do, and
        ingest connects when it does.
        """
        stop = stop or threading.Event()
        if self._private:
            where = f"{self._plain_host()}:{self.config.broker.port}"
            say(f"broker: a private mosquitto on {where}{self._tls_words()}")
            self.supervisor.start("broker")
            await_broker(self.config.broker.host, self.config.broker.port, stop, self._broker_ended)
        for name in PROCESSES:
            if stop.is_set():
                return
            say(f"starting {name}")
            self.supervisor.start(name)

    def _tls_words(self) -> str:
        tls = tls_listener(self.config)
        return f", with TLS on {tls.host}:{tls.port}" if tls else ""

    def _broker_ended(self) -> str:
        if self.supervisor.lives("broker"):
            return ""
        return f"mosquitto ended at once; see {self._folder / 'broker' / 'mosquitto.log'}"

    def ready(self, stop: threading.Event | None = None, timeout_s: float = 60.0) -> bool:
        """Watches until every process says it is well; False when `stop` is set or one does not in time."""
        stop = stop or threading.Event()

        def settled() -> bool:
            self.supervisor.watch()
            return stop.is_set() or not self.unwell()

        return wait_until(settled, timeout_s) and not stop.is_set()

    def unwell(self) -> tuple[str, ...]:
        """The processes that do not say they are well."""
        metrics = self.config.metrics
        return tuple(name for name in PROCESSES if not _healthy(metrics.host, getattr(metrics, name)))

    def health_ports(self) -> dict[str, int]:
        """Where each process says how it is."""
        return {name: getattr(self.config.metrics, name) for name in PROCESSES}

    def run(self, stop: threading.Event) -> None:
        """Watches until `stop`."""
        while not stop.wait(0.1):
            self.supervisor.watch()

    def close(self) -> None:
        """Ends everything and lets go of the folder. Called again it does nothing."""
        self.supervisor.stop()
        self._held.close()


def await_broker(host: str, port: int, stop: threading.Event, ended: Callable[[], str]) -> None:
    """Returns when the broker answers or `stop` is set; `ended` says why there is nothing to wait for.

    Raises CannotStart, after BROKER_WAIT_S or as soon as the broker ended.
    """
    deadline = time.monotonic() + BROKER_WAIT_S
    while not stop.is_set():
        if reason := ended():
            raise CannotStart(reason)
        try:
            wait_ready(host, port, 0.5)
            break
        except BrokerError as error:
            if time.monotonic() >= deadline:
                raise CannotStart(str(error)) from None


def _healthy(host: str, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def stop_on_signal() -> threading.Event:
    """An event that SIGINT and SIGTERM set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def wait_until(happened: Callable[[], bool], timeout_s: float) -> bool:
    """Looks every 50 ms until `happened`, at most `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.05)
    return happened()
