"""A mosquitto of our own for `gengfu check`, configured as `gengfu up` does: what may be tried on it alone.

It lives for a second, on a free port of loopback and in a temporary folder, with users made for it.
"""

from __future__ import annotations

import dataclasses
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from devices.registry.credentials import Credential, broker_hash, new_password
from gengfu.access import CHECK, CHECK_READER, CHECK_TOPICS
from gengfu.config import Config
from gengfu.ports import free_port
from gengfu.service import CannotStart, await_broker
from gengfu.supervisor import Member, Supervisor
from ingest.broker import SITE, find_mosquitto, private_broker, write_configuration
from ingest.dial import DIAL_TIMEOUT_S, connect_link
from ingest.gate.files import Account, file_texts, write_files
from ingest.link import Link
from ingest.probes.finding import Finding, NotServed
from ingest.probes.guard import probe_guard, prove_reads_only
from ingest.probes.persistence import leave_waiting, prove_still_there
from ingest.probes.proofs import probe_broker
from ingest.probes.terms import Login
from ingest.probes.trial import Trial, Wanted
from ingest.transport import Transport

HOST = "127.0.0.1"


def private_findings(config: Config, *, whole: bool) -> Iterator[Finding]:
    """What survives a restart, and what ingest's user may do; with `whole` everything else as well."""
    program = config.broker.program
    mosquitto = find_mosquitto(program)
    if mosquitto is None:
        text = "mosquitto is not installed: apt-get or brew install mosquitto"
        yield Finding(
            "broker", False, f"{program}: no such program; correct broker.program" if program else text
        )
        return
    with tempfile.TemporaryDirectory() as name:
        broker = _Alike(mosquitto, Path(name).resolve(), config)
        try:
            with broker.runs():
                if whole:
                    yield from broker.everything()
                yield from broker.ingest_user()
                trial = broker.trial()
                leave_waiting(trial)
            with broker.runs():
                yield prove_still_there(trial)
        except CannotStart as error:
            text = f"{mosquitto} does not start with our configuration: {error}"
            yield Finding("broker", False, text)
        except NotServed as error:
            yield Finding("broker", False, f"{mosquitto} does not serve us: {error}")


class _Alike:
    """The private broker's twin. Its folder holds what it keeps between two runs."""

    def __init__(self, mosquitto: Path, folder: Path, config: Config) -> None:
        self._config, self._mosquitto, self._port = config, mosquitto, free_port()
        names = (CHECK, CHECK_READER, config.broker.client_id)
        self._logins = [Credential(name, new_password()) for name in names]
        longest = max(config.ingest.max_payload_bytes, SITE.message_size_limit)
        broker = private_broker(folder, self._port, longest)
        if not config.broker.anonymous:
            write_files(folder, file_texts(self._accounts()))
            broker = dataclasses.replace(broker, access_folder=folder)
        self._conf = write_configuration(broker)

    def _accounts(self) -> Iterator[Account]:
        for one in self._logins:
            own = one.name in (CHECK, CHECK_READER)
            topics = (CHECK_TOPICS,) if own else ()
            yield Account(one.name, broker_hash(one.password), topics, reads_all=not own)

    @contextmanager
    def runs(self) -> Iterator[None]:
        """Between an ordered start and an ordered end (SIGTERM). Raises CannotStart."""
        log = self._conf.with_name("console.log")
        supervisor = Supervisor(
            [Member("broker", [str(self._mosquitto), "-c", str(self._conf)], log)], on_start=lambda *_: None
        )
        supervisor.start("broker")
        try:
            await_broker(HOST, self._port, threading.Event(), _ended(supervisor, self._conf))
            yield
        finally:
            supervisor.stop()

    def trial(self) -> Trial:
        """With topics and client ids of its own."""
        broker = self._config.broker
        wanted = Wanted(
            session_expiry_s=broker.session_expiry_h * 3600,
            receive_maximum=broker.receive_maximum,
            max_payload_bytes=self._config.ingest.max_payload_bytes,
        )
        publisher, reader = self._login(0), self._login(1)
        return Trial(self._dial, publisher, reader, wanted)

    def everything(self) -> Iterator[Finding]:
        """All that is tried on any broker, and who is let in."""
        place = f"a mosquitto of our own on {HOST}:{self._port}"
        yield from probe_broker(self.trial(), place, own_user=True, ours=True)
        if not self._config.broker.anonymous:
            yield from probe_guard(self._dial, self._login(0), own_user=True)

    def ingest_user(self) -> Iterator[Finding]:
        """What may be tried here alone, where ingest is not."""
        if not self._config.broker.anonymous:
            yield prove_reads_only(self._dial, self._login(2))

    def _login(self, number: int) -> Login:
        one = self._logins[number]
        return Login() if self._config.broker.anonymous else Login(one.name, one.password)

    def _dial(self) -> Link:
        return connect_link(HOST, self._port, Transport(), DIAL_TIMEOUT_S)


def _ended(supervisor: Supervisor, conf: Path) -> Callable[[], str]:
    def reason() -> str:
        if supervisor.lives("broker"):
            return ""
        names = ("console.log", "mosquitto.log")
        last = [line for name in names for line in _lines(conf.with_name(name)) if line]
        return last[-1] if last else "it ended without a word"

    return reason


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
