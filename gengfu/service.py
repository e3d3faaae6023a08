"""The whole service of one data folder: its processes, its lock, and the note of what runs where."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import structlog

from devices.database import open_database
from gengfu.config import Broker, Config, Listener
from gengfu.folder import FORMER_WAIT_S, lock, make_folder, wait_free
from gengfu.key import settle_key
from gengfu.migrate import upgrade
from gengfu.supervisor import Member, Supervisor
from ingest.broker import SITE, BrokerError, find_mosquitto, private_broker, wait_ready, write_configuration

log = structlog.get_logger()

PROCESSES: Final = ("alerts", "store", "ingest", "console", "answers")
"""In order of start: who must know is ready before the first alarm comes in."""
BROKER_WAIT_S: Final = 20.0
"""How long the broker may take to answer (chosen: it loads what it kept)."""


L = TypeVar("L", bound=Listener)


class CannotStart(Exception):
    """The service cannot start; the text says what to do."""


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _why_not(host: str, port: int) -> str:
    """Why nobody can listen there now; empty where one can."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def settle_ports(config: Config) -> Config:
    """The configuration with a definite port wherever it asks for a free one, and with a definite broker."""
    metrics = {name: getattr(config.metrics, name) or free_port(config.metrics.host) for name in PROCESSES}
    return msgspec.structs.replace(
        config,
        broker=_settle_broker(config.broker),
        console=_with_port(config.console),
        answers=_with_port(config.answers),
        metrics=msgspec.structs.replace(config.metrics, **metrics),
    )


def _settle_broker(broker: Broker) -> Broker:
    """The private one on loopback where none is configured."""
    if broker.host:
        return msgspec.structs.replace(broker, port=broker.port or 1883)
    return msgspec.structs.replace(broker, host="127.0.0.1", port=broker.port or free_port())


def _with_port(listener: L) -> L:
    return listener if listener.port else msgspec.structs.replace(listener, port=free_port(listener.host))


class Service:
    """What `gengfu up` and `gengfu demo` run on one data folder.

    `settled.json` there is what its processes are told, `run.json` which process runs under which number.
    Making one takes the folder, its key and its database; `close` lets go, and must be called.
    """

    def __init__(
        self, config: Config, *, logs_to_files: bool, say: Callable[[str], None] = lambda _: None
    ) -> None:
        """`say` is told what a person should know.

        Raises what `gengfu.refusals` knows (CannotStart, FolderTaken, … OSError); then nothing is held.
        """
        self._private = not config.broker.host
        self.config = settle_ports(config)
        self._folder = config.data_dir
        make_folder(self._folder)
        self._pids: dict[str, int] = {}
        self._held = lock(self._folder, "service")
        try:
            self._prepare(say)
            log_dir = self._folder / "logs" if logs_to_files else None
            if log_dir:
                log_dir.mkdir(exist_ok=True)
            self.supervisor = Supervisor(self._members(log_dir), on_start=self._note)
        except BaseException:
            self._held.close()
            raise

    def _prepare(self, say: Callable[[str], None]) -> None:
        """Everything that can be refused before a process runs."""
        for name in (*PROCESSES, "broker"):
            wait_free(self._folder, name, FORMER_WAIT_S)
        self._look_at_ports()
        password_file = self.config.broker.password_file
        if password_file and not Path(password_file).is_file():
            raise CannotStart(f"{password_file}: no such file; correct broker.password_file")
        engine = open_database(self.config.database_url)
        try:
            settle_key(engine, self.config.key_path, say)
            upgrade(engine)
        finally:
            engine.dispose()
        self._settled = self._folder / "settled.json"
        self._settled.write_bytes(msgspec.json.encode(self.config))

    def _look_at_ports(self) -> None:
        asked: dict[tuple[str, int], str] = {}
        for host, port, key in self._listeners():
            other = asked.setdefault((host, port), key)
            if other != key:
                raise CannotStart(f"{other} and {key} are both {port}; set another for one of them")
            if reason := _why_not(host, port):
                raise CannotStart(f"{key}: cannot listen on {host}:{port}: {reason}; free it or set another")

    def _listeners(self) -> Iterator[tuple[str, int, str]]:
        """Host, port and key of everything that will listen."""
        config = self.config
        yield config.console.host, config.console.port, "console.port"
        yield config.answers.host, config.answers.port, "answers.port"
        for name in PROCESSES:
            yield config.metrics.host, getattr(config.metrics, name), f"metrics.{name}"
        if self._private:
            yield config.broker.host, config.broker.port, "broker.port"

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
        mosquitto = find_mosquitto()
        if mosquitto is None:
            raise CannotStart(
                "mosquitto is not installed: `apt-get install mosquitto` or `brew install mosquitto`, "
                "or name your own broker under [broker] host in the configuration"
            )
        longest = max(self.config.ingest.max_payload_bytes, SITE.message_size_limit)
        broker = private_broker(self._folder / "broker", self.config.broker.port, longest)
        conf = write_configuration(broker)
        words = [str(self._folder), "broker", str(mosquitto), "-c", str(conf)]
        return [sys.executable, "-m", "gengfu.leash", *words]

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
            say(f"broker: a private mosquitto on 127.0.0.1:{self.config.broker.port}")
            self.supervisor.start("broker")
            await_broker(self.config.broker.host, self.config.broker.port, stop, self._broker_ended)
        for name in PROCESSES:
            if stop.is_set():
                return
            say(f"starting {name}")
            self.supervisor.start(name)

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
