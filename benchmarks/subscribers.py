"""Those who take what the generator publishes: the null subscriber, two that count, and the service.

Each on a broker of its own with the same configuration. `count` is how many messages the subscriber has
acknowledged so far, from a start of its own choice: only differences mean something.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from benchmarks.counting import TOPIC, Tally
from benchmarks.errors import CannotMeasure
from benchmarks.generator import one_of_each, publish
from benchmarks.machine import bytes_read, children
from benchmarks.service import RunningService, eventually
from gengfu.ports import free_port
from ingest.broker import find_mosquitto, private_broker, wait_ready, write_configuration

ENDING_S: Final = 120.0
"""A broker with millions of messages in hand takes its time to save them."""
LOOK_S: Final = 0.1
"""How long one message may take through an idle broker (chosen)."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Which broker and which null subscriber: names to look for, or paths; empty for the usual ones.

    `null_window` is the null subscriber's Receive Maximum, 0 for its own: 20, with which mosquitto 2.1 under
    a full load gives it little.
    """

    mosquitto: str = ""
    mosquitto_sub: str = ""
    null_window: int = 0

    def check(self) -> None:
        """Raises CannotMeasure when one is missing."""
        if find_mosquitto(self.mosquitto) is None:
            raise CannotMeasure(f"{self.mosquitto or 'mosquitto'} is missing (apt-get install mosquitto)")
        if shutil.which(self.null) is None:
            raise CannotMeasure(f"{self.null} is missing (apt-get install mosquitto-clients)")

    @property
    def null(self) -> str:
        """The null subscriber's program."""
        return self.mosquitto_sub or "mosquitto_sub"

    def version(self) -> str:
        """What the broker calls itself, such as `2.0.11`; empty when it does not say."""
        said = subprocess.run(
            [str(find_mosquitto(self.mosquitto)), "-h"], capture_output=True, text=True, check=False
        )
        words = (said.stdout + said.stderr).split()
        after = words.index("version") + 1 if "version" in words else len(words)
        return words[after] if after < len(words) else ""


class Subscriber(Protocol):
    """Whoever is measured."""

    @property
    def port(self) -> int:
        """Where its broker listens."""

    def count(self) -> float:
        """Messages acknowledged so far, from a start of its own choice."""

    def behind(self) -> float:
        """Records of what it has acknowledged that still wait to be stored."""

    def pids(self) -> dict[str, int]:
        """The processes that work for it, its broker as `broker`."""


@dataclass(frozen=True, slots=True)
class Lone:
    """One process on a broker of its own."""

    port: int
    broker: int
    subscriber: int
    counted: Callable[[], float]

    def count(self) -> float:
        """Messages acknowledged so far."""
        return self.counted()

    def behind(self) -> float:
        """It stores nothing."""
        return 0.0

    def pids(self) -> dict[str, int]:
        """Broker and subscriber."""
        return {"broker": self.broker, "subscriber": self.subscriber}


@dataclass(slots=True)
class Null:
    """mosquitto_sub to nowhere. What it has acknowledged shows in the bytes it has read; how many are one
    message is learnt from messages that were counted."""

    lone: Lone
    bytes_per_message: float = 0.0

    @property
    def port(self) -> int:
        """Where its broker listens."""
        return self.lone.port

    def learn(self, messages: int, size: int) -> None:
        """`size` bytes were `messages` messages. Raises CannotMeasure for nothing."""
        if size <= 0 or messages <= 0:
            raise CannotMeasure("the null subscriber read nothing")
        self.bytes_per_message = size / messages

    def read(self) -> int:
        """Bytes so far."""
        return bytes_read(self.lone.subscriber)

    def count(self) -> float:
        """Messages acknowledged so far: it acknowledges as it reads."""
        return self.read() / self.bytes_per_message

    def behind(self) -> float:
        """It stores nothing."""
        return 0.0

    def pids(self) -> dict[str, int]:
        """Broker and subscriber."""
        return self.lone.pids()


@dataclass(frozen=True, slots=True)
class Serving:
    """The service; its alerts and pages run beside."""

    service: RunningService

    @property
    def port(self) -> int:
        """Where its broker listens."""
        return self.service.broker_port

    def count(self) -> float:
        """Messages acknowledged since the ingest process started."""
        return self.service.figures("ingest").get("gengfu_ingest_acked_total", 0.0)

    def behind(self) -> float:
        """Records of the journal that the store has not read."""
        return self.service.figures("store")["gengfu_store_behind_records"]

    def pids(self) -> dict[str, int]:
        """All processes; the broker's leash is not the broker."""
        pids = self.service.pids()
        leash = pids.pop("broker")
        return {**pids, "leash": leash, "broker": children(leash)[0]}


@contextmanager
def broker(programs: Programs) -> Iterator[tuple[int, int]]:
    """A mosquitto of our configuration on a free port, without the service: its port and process."""
    mosquitto = find_mosquitto(programs.mosquitto)
    if mosquitto is None:
        raise CannotMeasure("mosquitto is missing")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        conf = write_configuration(private_broker(Path(folder), port))
        process = subprocess.Popen([str(mosquitto), "-c", str(conf)], stderr=subprocess.DEVNULL)
        try:
            wait_ready("127.0.0.1", port, 10.0)
            yield port, process.pid
        finally:
            process.kill()  # not in order: it would save all that nobody has taken
            process.wait(ENDING_S)


@contextmanager
def null(programs: Programs) -> Iterator[Null]:
    """The null subscriber, subscribed."""
    with broker(programs) as (port, broker_pid):
        words = f"-q 1 -V mqttv5 -c -i null -x 3600 -h 127.0.0.1 -p {port} -t {TOPIC}".split()
        if programs.null_window:
            words += f"-D connect receive-maximum {programs.null_window}".split()
        with _ended([programs.null, *words]) as pid:
            one = Null(Lone(port, broker_pid, pid, lambda: 0.0))
            _await_subscriber(one)
            yield one


def _await_subscriber(one: Null) -> None:
    """Sends the same message until it is read twice: what else a start reads is not of one size."""
    sizes: list[int] = []

    def heard() -> bool:
        before = one.read()
        publish(one_of_each(one.port, 1))
        time.sleep(LOOK_S)
        sizes.append(one.read() - before)
        return len(sizes) > 1 and 0 < sizes[-1] == sizes[-2]

    eventually(heard, "the null subscriber hears", 20.0)


@contextmanager
def counting(kind: str, programs: Programs) -> Iterator[Lone]:
    """A `paho` or `aiomqtt` subscriber that only counts, subscribed."""
    with broker(programs) as (port, broker_pid), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tally"
        tally = Tally(path)
        command = [sys.executable, "-m", "benchmarks.counting", kind, str(port), str(path)]
        with _ended(command) as pid:
            eventually(lambda: tally.subscribed, f"{kind} is subscribed", 20.0)
            yield Lone(port, broker_pid, pid, lambda: float(tally.count))


@contextmanager
def _ended(command: list[str]) -> Iterator[int]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()
