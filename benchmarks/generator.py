"""The load generator as benches run it: in a process of its own, with its report."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

from benchmarks.errors import CannotMeasure
from simulators.load import LoadPlan, LoadReport
from simulators.mix import FIXED

CONNECTIONS: Final = 2
"""Publishers (chosen: one alone is held back by the broker's turns)."""
LONGEST_S: Final = 3600.0


def flat_out(
    port: int,
    devices: int,
    first_seq: int,
    *,
    seconds: float,
    count: int = 0,
    mix: str = FIXED,
    ledger: str = "",
) -> LoadPlan:
    """As fast as the broker takes it, the window wide open, for `seconds` or until `count` are sent.

    What was published is left in the file `ledger` where one is named.
    """
    return LoadPlan(
        port=port,
        rate=0,
        seconds=seconds,
        count=count,
        devices=devices,
        connections=CONNECTIONS,
        first_seq=first_seq,
        drain_s=60,
        mix=mix,
        ledger=ledger,
    )


def one_of_each(port: int, devices: int, mix: str = FIXED, ledger: str = "", rounds: int = 1) -> LoadPlan:
    """One message of every device, or `rounds`, at a rate that every subscriber can follow."""
    return LoadPlan(
        port=port,
        rate=8000,
        seconds=LONGEST_S,
        count=rounds * devices,
        devices=devices,
        mix=mix,
        ledger=ledger,
    )


class Generator:
    """A generator that runs."""

    def __init__(self, plan: LoadPlan) -> None:
        options = [
            f"--{field.name.replace('_', '-')}={getattr(plan, field.name)}"
            for field in msgspec.structs.fields(LoadPlan)
            if getattr(plan, field.name) != field.default
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulators.load", "--json", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def report(self, timeout_s: float = LONGEST_S) -> LoadReport:
        """Waits for its end. Raises CannotMeasure when it failed or does not end."""
        try:
            said, why = self._process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise CannotMeasure("the load generator did not end") from None
        if self._process.returncode:
            raise CannotMeasure(f"the load generator failed: {why.decode().strip()}")
        return msgspec.json.decode(said, type=LoadReport)

    def close(self) -> None:
        """Ends it if it still runs."""
        if self.running:
            self._process.kill()
            self._process.communicate()


@contextmanager
def generating(plan: LoadPlan) -> Iterator[Generator]:
    """A generator that is ended whatever happens."""
    generator = Generator(plan)
    try:
        yield generator
    finally:
        generator.close()


def publish(plan: LoadPlan) -> LoadReport:
    """Runs it to its end. Raises CannotMeasure when it fails."""
    with generating(plan) as generator:
        return generator.report()
