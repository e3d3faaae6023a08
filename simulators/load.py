"""The load generator: an open loop at a constant rate over raw sockets, in a process of its own.

    python -m simulators.load --json --port 1883 --rate 40000 --seconds 10 --devices 100000

Open loop: message k has an intended time, and neither a slow broker nor a slow generator moves it. What goes
late shows in `behind_*`, and `at` in the payload is the intended time: latency measured from it leaves
nothing out. Rate 0 means as fast as the window allows; `at` is then the time of encoding.

Errors:
* LoadError: the plan makes no sense, or the broker cannot be reached or refuses at the start. A connection
  lost later is opened again and goes on after the last acknowledged message.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from simulators.ledger import Range, ranges_of, write_ledger
from simulators.pacing import Pacing
from simulators.publisher import Address, Publisher, Share
from simulators.spread import Spread
from simulators.stencil import FIRST_SEQ, MAX_DEVICES, POINTS_PER_MESSAGE, make_stencil
from simulators.wire import BrokerRefused

MAX_SECONDS: Final = 86_400
UNCOUNTED: Final = 2**40
"""Stands for "no limit but the time" at rate 0."""


class LoadError(Exception):
    """The load cannot be run; the text says why."""


class LoadPlan(Struct, frozen=True, forbid_unknown_fields=True):
    """What to send, and its bounds. A run ends after `seconds`, or after `count` messages if not 0.

    `rate` is messages a second over all connections (0: as fast as it goes). Devices `first_device` ..
    `first_device + devices - 1` take turns, each with sequence numbers from `first_seq`: give a later run
    higher ones. `window` bounds what is unacknowledged on one connection (0: what the broker grants).
    `batch` is the most packets in one send. After the end at most `drain_s` is given to acknowledgements.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    username: str = ""
    password: str = ""
    client_id: str = "load"
    rate: float = 1000.0
    seconds: float = 10.0
    count: int = 0
    devices: int = 1000
    first_device: int = 0
    first_seq: int = FIRST_SEQ
    connections: int = 1
    qos: int = 1
    window: int = 0
    batch: int = 256
    tick_ms: float = 1.0
    drain_s: float = 10.0
    ledger: str = ""

    def check(self) -> None:
        """Raises LoadError naming the first field that is out of bounds."""
        bounds = {
            "rate": (0 <= self.rate <= 10_000_000, "0 to 10,000,000"),
            "seconds": (0 < self.seconds <= MAX_SECONDS, f"above 0, at most {MAX_SECONDS}"),
            "count": (self.count >= 0, "0 or more"),
            "connections": (1 <= self.connections <= 1000, "1 to 1000"),
            "devices": (self.connections <= self.devices <= MAX_DEVICES, "at least one a connection"),
            "first_device": (0 <= self.first_device <= MAX_DEVICES - self.devices, "below the million"),
            "first_seq": (FIRST_SEQ <= self.first_seq < 9 * FIRST_SEQ, f"{FIRST_SEQ} or more, ten digits"),
            "qos": (self.qos in (0, 1), "0 or 1"),
            "window": (0 <= self.window <= 65_535, "0 to 65535"),
            "batch": (1 <= self.batch <= 10_000, "1 to 10,000"),
            "tick_ms": (0 < self.tick_ms <= 1000, "above 0, at most 1000"),
            "drain_s": (0 <= self.drain_s <= 600, "0 to 600"),
        }
        for field, (good, allowed) in bounds.items():
            if not good:
                raise LoadError(f"{field} = {getattr(self, field)}: {allowed}")

    @property
    def total(self) -> int:
        """How many messages are meant to go in all."""
        by_time = int(self.rate * self.seconds) if self.rate else UNCOUNTED
        return min(by_time, self.count or UNCOUNTED)


class LoadReport(Struct, frozen=True):
    """What happened. `intended` is what the rate asked for by the end (at rate 0: what was sent).

    `rate_per_s` is `sent` over the time until the last message was with the kernel, `acknowledged_per_s`
    until the last acknowledgement. `sent` counts each message once; `resent` counts repetitions after lost
    connections. `behind_*_ms` is how long after the intended time messages were with the kernel.
    `unfinished` is True when the time was over before all that was sent was acknowledged (QoS 1).
    """

    intended: int
    sent: int
    acknowledged: int
    refused: int
    resent: int
    reconnects: int
    seconds: float
    rate_per_s: float
    acknowledged_per_s: float
    behind_p50_ms: float
    behind_p99_ms: float
    behind_max_ms: float
    cpu_us_per_message: float
    message_bytes: int
    points_per_message: int
    unfinished: bool


def run_load(plan: LoadPlan) -> LoadReport:
    """Runs the plan to its end; blocks the calling process. Raises LoadError, OSError for the ledger."""
    plan.check()
    behind = Spread()
    address = Address(plan.host, plan.port, plan.username, plan.password)
    publishers = [
        Publisher(
            address, f"{plan.client_id}-{index}", share, qos=plan.qos, window=plan.window, behind=behind
        )
        for index, share in enumerate(share_out(plan))
    ]
    cpu_s = time.process_time()
    pacing = Pacing(publishers, plan.seconds, plan.drain_s, plan.batch, plan.tick_ms / 1000)
    try:
        pacing.run()
    except (OSError, BrokerRefused) as error:
        raise LoadError(f"{plan.host}:{plan.port}: {error}") from error
    if plan.ledger:
        write_ledger(Path(plan.ledger), _ranges(publishers))
    return _report(plan, publishers, pacing, behind, time.process_time() - cpu_s)


def share_out(plan: LoadPlan) -> list[Share]:
    """What each connection carries: neighbouring devices of its own, and every n-th intended time."""
    devices, more_devices = divmod(plan.devices, plan.connections)
    messages, more_messages = divmod(plan.total, plan.connections)
    shares: list[Share] = []
    first_device = plan.first_device
    for index in range(plan.connections):
        own_devices = devices + (index < more_devices)
        shares.append(
            Share(
                first_device=first_device,
                devices=own_devices,
                first_seq=plan.first_seq,
                count=messages + (index < more_messages),
                offset_s=index / plan.rate if plan.rate else 0.0,
                interval_s=plan.connections / plan.rate if plan.rate else 0.0,
            )
        )
        first_device += own_devices
    return shares


def _ranges(publishers: list[Publisher]) -> list[Range]:
    ranges: list[Range] = []
    for publisher in publishers:
        share = publisher.share
        place = (share.first_device, share.devices, share.first_seq)
        ranges += ranges_of("published", publisher.published, *place)
        ranges += ranges_of("acknowledged", publisher.acknowledged, *place)
        for k in publisher.refused:
            device, seq = share.first_device + k % share.devices, share.first_seq + k // share.devices
            ranges.append(Range("refused", device, device, seq, seq))
    return ranges


def _report(
    plan: LoadPlan, publishers: list[Publisher], pacing: Pacing, behind: Spread, cpu_s: float
) -> LoadReport:
    sent = sum(each.published for each in publishers)
    acknowledged = sum(each.acknowledged for each in publishers)
    return LoadReport(
        intended=plan.total if plan.total < UNCOUNTED else sent,
        sent=sent,
        acknowledged=acknowledged,
        refused=sum(each.refused_count for each in publishers),
        resent=sum(each.resent for each in publishers),
        reconnects=pacing.reconnects,
        seconds=round(pacing.ended_s, 3),
        rate_per_s=round(sent / max(pacing.sent_s, 1e-9), 1),
        acknowledged_per_s=round(acknowledged / max(pacing.ended_s, 1e-9), 1),
        behind_p50_ms=round(behind.quantile_s(0.5) * 1000, 3),
        behind_p99_ms=round(behind.quantile_s(0.99) * 1000, 3),
        behind_max_ms=round(behind.longest_s * 1000, 3),
        cpu_us_per_message=round(cpu_s / max(sent, 1) * 1e6, 2),
        message_bytes=len(make_stencil(plan.qos).packet),
        points_per_message=POINTS_PER_MESSAGE,
        unfinished=plan.qos == 1 and acknowledged < sent,
    )


def main(arguments: list[str]) -> int:
    """`python -m simulators.load`: an option for each field of LoadPlan. Exit code 1 for a refused plan."""
    parser = argparse.ArgumentParser(prog="python -m simulators.load", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    for field in msgspec.structs.fields(LoadPlan):
        parser.add_argument(f"--{field.name.replace('_', '-')}", default=field.default)
    chosen = vars(parser.parse_args(arguments))
    as_json = chosen.pop("json")
    try:
        report = run_load(msgspec.convert(chosen, LoadPlan, strict=False))
    except (LoadError, msgspec.ValidationError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n" if as_json else describe(report))
    return 0


def describe(report: LoadReport) -> str:
    """The report for people, one line a figure."""
    return "".join(f"{name:20} {value}\n" for name, value in msgspec.structs.asdict(report).items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
