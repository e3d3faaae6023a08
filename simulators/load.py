"""The load generator: an open loop at a constant rate over raw sockets, in a process of its own.

    python -m simulators.load --json --port 1883 --rate 40000 --seconds 10 --devices 100000

Open loop: message k has an intended time, and neither a slow broker nor a slow generator moves it. What goes
late shows in `behind_*`, and `at` in the payload is the intended time: latency measured from it leaves
nothing out. Rate 0 means as fast as the window allows; `at` is then the time of encoding.

What goes is a mix of kinds (`simulators.mix`): who sends what follows from a device's index. Nothing is kept
for a device: a million of them take no more memory than one.

Accounting: `points` is exactly how many readings a decoder finds in what was published, by kind. The service
stores as many, no more and no fewer, as long as no connection was lost: a message that the broker delivers
again is known by its packet id. After a lost connection, QoS 1 messages without an answer are published
again, and what the broker had already taken it then has twice. In `fixed`, `own` and `bare` the sequence
number and the time show that, while a device has fewer than 64 messages unanswered; a detector of zigbee2mqtt
sends neither, so that at most its `resent` messages are stored twice. They can be told apart: neighbours of
one detector never have the same `linkquality`. QoS 0 messages that were in a lost connection are gone, and
nobody knows how many.

Errors: LoadError, of `simulators.plan`. A connection lost later is opened again and goes on after the last
acknowledged message.
"""

from __future__ import annotations

import argparse
import sys
import time
from ipaddress import ip_address
from pathlib import Path
from socket import SOCK_STREAM, getaddrinfo

import msgspec
import numpy as np
from msgspec import Struct

from devices.model import Int64
from simulators.forms import FORMS, POINTS
from simulators.ledger import Range, ranges_of, write_ledger
from simulators.mix import parse_mix
from simulators.pacing import Pacing
from simulators.plan import MAX_SECONDS, UNCOUNTED, LoadError, LoadPlan, share_out
from simulators.publisher import Address, Publisher
from simulators.spread import Spread
from simulators.stencil import make_stencil
from simulators.wire import BrokerRefused

__all__ = ["MAX_SECONDS", "LoadError", "LoadPlan", "LoadReport", "describe", "run_load"]


class KindCount(Struct, frozen=True):
    """Of one kind: messages published (each counted once), the points in them, and how many messages were
    published again after lost connections."""

    messages: int
    points: int
    resent: int


class LoadReport(Struct, frozen=True):
    """What happened. `intended` is what the rate asked for by the end (at rate 0: what was sent).

    `rate_per_s` is `sent` over the time until the last message was with the kernel, `acknowledged_per_s`
    until the last acknowledgement. `sent` counts each message once; `resent` counts repetitions after lost
    connections. `behind_*_ms` is how long after the intended time messages were with the kernel.
    `points` are those of what was sent, `kinds` say so by kind. `message_bytes` and `points_per_message` are
    means. `unfinished` is True when the time was over before all that was sent at QoS 1 was acknowledged.
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
    points_per_message: float
    points: int
    kinds: dict[str, KindCount]
    unfinished: bool


def run_load(plan: LoadPlan) -> LoadReport:
    """Runs the plan to its end; blocks the calling process. Raises LoadError, OSError for the ledger."""
    plan.check()
    if not plan.allow_remote:
        _refuse_remote(plan.host)
    behind = Spread()
    publishers = _publishers(plan, behind)
    cpu_s = time.process_time()
    pacing = Pacing(publishers, plan.seconds, plan.drain_s, plan.batch, plan.tick_ms / 1000)
    try:
        pacing.run()
    except (OSError, BrokerRefused) as error:
        raise LoadError(f"{plan.host}:{plan.port}: {error}") from error
    cpu_s = time.process_time() - cpu_s
    if plan.ledger:
        write_ledger(Path(plan.ledger), _ranges(publishers))
    return _report(plan, publishers, pacing, behind, cpu_s)


def _refuse_remote(host: str) -> None:
    """Raises LoadError unless every address of the name is loopback."""
    try:
        found = {str(each[4][0]) for each in getaddrinfo(host, None, type=SOCK_STREAM)}
    except OSError as error:
        raise LoadError(f"{host}: {error}") from error
    if not all(ip_address(each.partition("%")[0]).is_loopback for each in found):
        raise LoadError(f"host = {host}: not this machine's loopback; a load elsewhere needs allow_remote")


def _publishers(plan: LoadPlan, behind: Spread) -> list[Publisher]:
    address = Address(plan.host, plan.port, plan.username, plan.password, plan.ca)
    mix = parse_mix(plan.mix)
    return [
        Publisher(
            address, f"{plan.client_id}-{index}", share, qos=qos, window=plan.window, behind=behind, mix=mix
        )
        for index, (qos, share) in enumerate(share_out(plan))
    ]


def _ranges(publishers: list[Publisher]) -> list[Range]:
    ranges: list[Range] = []
    for publisher in publishers:
        share, qos = publisher.share, publisher.qos
        place = (share.first_device, share.devices, share.first_seq, qos)
        ranges += ranges_of("published", publisher.published, *place)
        ranges += ranges_of("acknowledged", publisher.acknowledged, *place)
        for k in publisher.refused:
            device, seq = share.first_device + k % share.devices, share.first_seq + k // share.devices
            ranges.append(Range("refused", device, device, seq, seq, qos))
    return ranges


def _report(
    plan: LoadPlan, publishers: list[Publisher], pacing: Pacing, behind: Spread, cpu_s: float
) -> LoadReport:
    sent = sum(each.published for each in publishers)
    acknowledged = sum(each.acknowledged for each in publishers)
    by_qos = [np.zeros(len(FORMS), np.int64), np.zeros(len(FORMS), np.int64)]
    for each in publishers:
        by_qos[each.qos] += each.share.forms_counted(0, each.published, each.mix)
    octets = sum(int(counts @ make_stencil(qos).lengths) for qos, counts in enumerate(by_qos))
    published = by_qos[0] + by_qos[1]
    resent: Int64 = sum((each.resent for each in publishers), np.zeros(len(FORMS), np.int64))
    points = int(published @ POINTS)
    return LoadReport(
        intended=plan.total if plan.total < UNCOUNTED else sent,
        sent=sent,
        acknowledged=acknowledged,
        refused=sum(each.refused_count for each in publishers),
        resent=int(resent.sum()),
        reconnects=pacing.reconnects,
        seconds=round(pacing.ended_s, 3),
        rate_per_s=round(sent / max(pacing.sent_s, 1e-9), 1),
        acknowledged_per_s=round(acknowledged / max(pacing.ended_s, 1e-9), 1),
        behind_p50_ms=round(behind.quantile_s(0.5) * 1000, 3),
        behind_p99_ms=round(behind.quantile_s(0.99) * 1000, 3),
        behind_max_ms=round(behind.longest_s * 1000, 3),
        cpu_us_per_message=round(cpu_s / max(sent, 1) * 1e6, 2),
        message_bytes=round(octets / max(sent, 1)),
        points_per_message=round(points / max(sent, 1), 4),
        points=points,
        kinds=_by_kind(published, resent),
        unfinished=any(each.unanswered for each in publishers),
    )


def _by_kind(published: Int64, resent: Int64) -> dict[str, KindCount]:
    """Counts by form as counts by kind, of those kinds that were published."""
    kinds: dict[str, KindCount] = {}
    for kind in dict.fromkeys(form.kind for form in FORMS):
        chosen = np.array([form.kind == kind for form in FORMS])
        messages = int(published[chosen].sum())
        if messages:
            points = int((published * POINTS)[chosen].sum())
            kinds[kind] = KindCount(messages, points, int(resent[chosen].sum()))
    return kinds


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
    figures = msgspec.structs.asdict(report)
    for kind, count in figures.pop("kinds").items():
        figures[kind] = f"{count.messages} messages, {count.points} points, {count.resent} resent"
    return "".join(f"{name:20} {value}\n" for name, value in figures.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
