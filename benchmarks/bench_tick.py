"""`gengfu bench tick`: where each microsecond of the ingest process goes, stage by stage.

The process is composed as it is in service (`gengfu.run_ingest.compose`): real codec, journal, database and
rules. Only the source is another: it feeds packets encoded beforehand through the codec and encodes the
acknowledgements, without a socket. Stages are measured through the parts a tick is made of, each wrapped in a
`Timed`; where one stage calls another, its own time is what is left. Times are CPU time of the thread, so
that what else the machine does is not in them, and waiting for the disk is not either: `sync_wall_us` has it.

Looking at the clock costs about 1 µs a stage, which is in the fixed part. The journal has no seam between
encoding and writing: a record is encoded once more, outside of all sums, and what remains is writing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import structlog
from msgspec import Struct

from benchmarks.errors import CannotMeasure
from benchmarks.fleet import register_load_devices
from benchmarks.numbers import line_through
from benchmarks.timing import Feed, Packets, Timed, TwiceEncoded, Watch
from gengfu.clock import now_us
from gengfu.config_file import load_config
from gengfu.ports import settle_ports
from gengfu.run_ingest import Ingest, compose
from ingest.intake import Figures
from ingest.parts import Parts
from ingest.tick import Tick
from rules.transition import Transition

SIZES: Final = (200, 400, 1000, 2000)
STAGES: Final = (
    "wire", "split", "decode", "stamp", "journal_encode", "journal_sync", "seat", "rules", "commit",
    "acknowledge", "rest",
)  # fmt: skip
BUDGET: Final = {
    "wire": (1.0, ("wire",)),
    "decode": (1.5, ("decode",)),
    "look-up": (0.5, ("stamp", "seat")),
    "rules": (1.5, ("rules",)),
    "journal": (0.3, ("journal_encode", "journal_sync")),
    "rest": (0.4, ("split", "commit", "acknowledge", "rest")),
}
"""µs a message of the design's section 8, and which stages they are; its 0.8 for line protocol and HTTP are
the store process's, which `bench ingest` measures."""
WARM_TICKS: Final = 5
ROUNDS: Final = 5
"""The sizes take turns, so that a machine that grows warm does not tell (chosen)."""
_WARM_BATCH: Final = 5000
_WARNING: Final = 30
_NEVER_S: Final = 1e9


class Stage(Struct, frozen=True):
    """CPU time by batch size, and the line through it: `fixed_us` a tick and `marginal_us` a message."""

    us_per_message: dict[str, float]
    fixed_us: float
    marginal_us: float


class Share(Struct, frozen=True):
    """A line of the budget beside what it takes at the largest batch, in µs a message."""

    budget_us: float
    us_per_message: float


class TickFigures(Struct, frozen=True):
    """What `gengfu bench tick --json` prints; docs/benchmarks.md says what each key means."""

    us_per_message: dict[str, float]
    sync_wall_us: dict[str, float]
    stages: dict[str, Stage]
    budget: dict[str, Share]
    devices: int
    messages: int
    mix: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One tick: CPU time of each of STAGES, and how long the journal took by the clock on the wall, in ns."""

    size: int
    stage_ns: dict[str, int]
    sync_wall_ns: int


@dataclass(frozen=True, slots=True)
class Bench:
    """The composed process with everything measured; `run` is one tick of so many messages."""

    tick: Tick[Transition]
    feed: Feed
    journal: TwiceEncoded
    watch: Watch
    packets: Packets
    taken: Figures

    def run(self, size: int) -> Measured:
        """Encodes the messages, then measures a tick over them. Raises CannotMeasure where it stalls."""
        self.feed.data = self.packets.take(size)
        self.watch.spent_ns.clear()
        self.journal.sync_wall_ns = 0
        with self.watch.stage("rest"):
            done = self.tick.run_once(0.0)
        if not done:
            raise CannotMeasure(f"the tick waits: {self.tick.stalled or 'nothing was taken'}")
        return Measured(size, staged(self.watch.spent_ns), self.journal.sync_wall_ns)


def run_bench(sizes: tuple[int, ...], messages: int, devices: int, mix: str) -> TickFigures:
    """The whole measurement; half a minute and more. Raises CannotMeasure."""
    sizes = tuple(sorted(set(sizes)))
    if len(sizes) < 2:
        raise CannotMeasure("two batch sizes are needed to tell what is fixed from what grows")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_WARNING))
    with tempfile.TemporaryDirectory() as folder, composed(Path(folder), devices, mix) as bench:
        heard = 0
        while heard < devices:
            bench.run(_WARM_BATCH)
            heard += _WARM_BATCH
        measured = [one for size in _turns(sizes) for one in _ticks(bench, size, messages)]
    return figures(measured, devices, messages, mix)


def _turns(sizes: tuple[int, ...]) -> Iterator[int]:
    for _ in range(ROUNDS):
        yield from sizes


def _ticks(bench: Bench, size: int, messages: int) -> list[Measured]:
    """A round of one size; the first ticks after another size are not counted."""
    for _ in range(WARM_TICKS):
        bench.run(size)
    return [bench.run(size) for _ in range(max(1, messages // size // ROUNDS))]


@contextmanager
def composed(folder: Path, devices: int, mix: str) -> Iterator[Bench]:
    """The process on a data folder of its own, with registered devices, over a source that feeds packets."""
    config_file = folder / "gengfu.toml"
    config_file.write_text('data = "data"\n[broker]\nanonymous = true\n')
    register_load_devices(config_file, devices, mix)
    ingest = compose(settle_ports(load_config(config_file)))
    watch = Watch()
    feed, journal = Feed(watch), TwiceEncoded(ingest.journal, watch)
    parts = timed_parts(ingest, watch, feed, journal)
    tick = Tick(parts, last_input_id=0, clock_us=now_us, snapshot_s=_NEVER_S)
    try:
        yield Bench(tick, feed, journal, watch, Packets(devices, mix), ingest.intake.figures)
    finally:
        ingest.source.close()
        ingest.journal.close()
        ingest.engine.dispose()


def timed_parts(ingest: Ingest, watch: Watch, feed: Feed, journal: TwiceEncoded) -> Parts[Transition]:
    """The process's parts, each behind a `Timed`, over another source."""
    parts = ingest.parts

    def timed(part: object, **stages: str) -> Any:  # noqa: ANN401 - stands for any part
        return Timed(part, watch, **stages)

    intake = replace(
        parts.intake,
        index=timed(parts.intake.index, seated="seat", seated_inputs="seat", seats_of="seat"),
        decoder=timed(parts.intake.decoder, decode="decode", topics_of="decode"),
        stamps=timed(parts.intake.stamps, stamp="stamp"),
    )
    return replace(
        parts,
        source=feed,
        tail=timed(parts.tail, split="split", settle="acknowledge"),
        intake=intake,
        journal=cast(Any, journal),
        rules=timed(parts.rules, evaluate="rules", adopt="rules"),
        ledger=timed(parts.ledger, commit="commit"),
    )


def staged(spent_ns: dict[str, int]) -> dict[str, int]:
    """From what the watch saw to STAGES: the journal's time without encoding is writing and syncing. Pure."""
    spent = dict(spent_ns)
    encode = spent.pop("encode_alone", 0)
    journal = spent.pop("journal", 0)
    encode = min(encode, journal)
    spent |= {"journal_encode": encode, "journal_sync": journal - encode}
    return {stage: spent.get(stage, 0) for stage in STAGES}


def figures(measured: list[Measured], devices: int, messages: int, mix: str) -> TickFigures:
    """Means over all ticks of each size, and lines through them. Pure."""
    sizes = sorted({one.size for one in measured})
    by_size = {size: [one for one in measured if one.size == size] for size in sizes}
    stages = {stage: _stage(stage, by_size) for stage in STAGES}
    largest = str(max(by_size))
    return TickFigures(
        us_per_message={
            str(size): round(sum(_mean_us(stage, ticks) for stage in STAGES) / size, 2)
            for size, ticks in by_size.items()
        },
        sync_wall_us={
            str(size): round(sum(one.sync_wall_ns for one in ticks) / len(ticks) / 1000, 1)
            for size, ticks in by_size.items()
        },
        stages=stages,
        budget={
            name: Share(budget, round(sum(stages[stage].us_per_message[largest] for stage in of), 2))
            for name, (budget, of) in BUDGET.items()
        },
        devices=devices,
        messages=messages,
        mix=mix,
    )


def _stage(stage: str, by_size: dict[int, list[Measured]]) -> Stage:
    means = {size: _mean_us(stage, ticks) for size, ticks in by_size.items()}
    fixed, marginal = line_through(list(means), list(means.values()))
    per_message = {str(size): round(mean / size, 3) for size, mean in means.items()}
    return Stage(per_message, round(fixed, 1), round(marginal, 3))


def _mean_us(stage: str, ticks: list[Measured]) -> float:
    return sum(one.stage_ns[stage] for one in ticks) / len(ticks) / 1000


def describe(of: TickFigures) -> str:
    """A table for people."""
    sizes = list(of.us_per_message)
    rows = [["us a message", *sizes, "fixed us", "marginal us"]]
    for name, stage in of.stages.items():
        per_message = [f"{stage.us_per_message[size]:.2f}" for size in sizes]
        rows.append([name, *per_message, f"{stage.fixed_us:.0f}", f"{stage.marginal_us:.2f}"])
    rows.append(["all", *(f"{one:.2f}" for one in of.us_per_message.values()), "", ""])
    rows.append(["journal, wall us a tick", *(f"{one:.0f}" for one in of.sync_wall_us.values()), "", ""])
    rows.append([])
    rows.append(["budget", "us", f"at {sizes[-1]}"])
    rows += [[name, f"{one.budget_us:.1f}", f"{one.us_per_message:.2f}"] for name, one in of.budget.items()]
    return "\n".join(_line(row) for row in rows)


def _line(row: list[str]) -> str:
    return "".join(f"{cell:>12}" if place else f"{cell:<24}" for place, cell in enumerate(row))
