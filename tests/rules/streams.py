"""Random streams for the engine and its plain reference, and how the two are held against each other."""

from __future__ import annotations

import copy
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import resources

import numpy as np

from devices.model import EngineInput, InputKind, Quality, ReadingBatch, SeriesTable
from rules.catalogue import Catalogue, RuleFile, parse_files
from rules.engine import Engine
from rules.pairs import State
from rules.transition import Transition
from tests.rules.reference import KINDS, Entry, One, Reference, Told, entries_of

GOOD = Quality(0)
USUAL = [GOOD] * 60
"""Qualities of a quiet series: what is drawn from when nothing is wrong."""
MIXED = [*[GOOD] * 30, *Quality, Quality.QUEUED, Quality.QUEUED | Quality.LATE, Quality.STALE]


@dataclass(frozen=True)
class Rules:
    """Rule files as the engine and the reference read them."""

    texts: list[str]
    catalogue: Catalogue

    @classmethod
    def shipped(cls) -> Rules:
        """What the product ships with, in the order of the names of the files."""
        folder = resources.files("rules").joinpath("shipped")
        names = sorted(one.name for one in folder.iterdir() if one.name.endswith(".toml"))
        texts = [folder.joinpath(name).read_text(encoding="utf-8") for name in names]
        catalogue = parse_files([RuleFile(*file) for file in zip(names, texts, strict=True)])
        known = {entry.name for entry in entries_of(texts) if entry.kernel in KINDS}
        rules = tuple(rule for rule in catalogue.rule if rule.name in known)
        return cls(texts, Catalogue(version=catalogue.version, rule=rules))

    def of(self, *kernels: str) -> list[Entry]:
        """The rules of some kinds."""
        return [entry for entry in entries_of(self.texts) if entry.kernel in kernels]


@dataclass(frozen=True)
class Tick:
    """One tick: acts, then readings, and where among them the stream is cut; `restart` after each cut.
    `sweeps`: time is said to have passed, after all that."""

    received: int
    inputs: list[EngineInput]
    readings: list[One]
    cuts: list[int]
    restart: bool
    sweeps: bool = True
    source: str = ""


@dataclass
class Script:
    """A stream as it is written: time goes on by `wait`, and `tick` adds what comes in then."""

    rng: random.Random
    now: int
    stream: list[Tick] = field(default_factory=list)
    newest: dict[int, int] = field(default_factory=dict)

    def wait(self, seconds: float) -> None:
        self.now += round(seconds * 1e6)

    def put_back(self, seconds: float) -> None:
        """Our clock says so much less from here on; what is read then is the newest all the same."""
        self.now -= round(seconds * 1e6)
        self.newest.clear()

    def reading(self, slot: int, value: float, quality: Quality = GOOD, age_s: float = 0) -> One:
        """A reading as the rules are given it: marked late where a newer one came before."""
        observed = self.now - round(age_s * 1e6)
        newest = self.newest.get(slot, observed)
        if observed < newest:
            quality |= Quality.LATE
        if quality & (Quality.SENTINEL | Quality.FAULT | Quality.TYPE_MISMATCH | Quality.INCOMPLETE):
            value = math.nan
        self.newest[slot] = max(observed, newest)
        return One(slot, value, quality, observed, self.now, self.rng.randint(0, 3))

    def tick(self, readings: Sequence[One], acts: Iterable[EngineInput] = (), source: str = "") -> None:
        rng = self.rng
        cuts = sorted(rng.randint(0, len(readings)) for _ in range(rng.choice([0, 0, 1, 2])))
        self.stream.append(
            Tick(self.now, list(acts), list(readings), cuts, rng.random() < 0.03, rng.random() < 0.9, source)
        )

    def act(self, kind: InputKind, rule: str, slot: int = 0, place: int = 0) -> EngineInput:
        made = self.now - self.rng.choice((500_000, 500_000, 5_000_000, 90_000_000, 400_000_000))
        return EngineInput(1, made, kind, rule, slot, place)


def batch_of(readings: Sequence[One], received: int) -> ReadingBatch:
    return ReadingBatch(
        received,
        np.array([one.slot for one in readings], np.int32),
        np.array([one.observed for one in readings], np.int64),
        np.array([one.nudge for one in readings], np.uint16),
        np.array([one.value for one in readings], np.float64),
        np.array([int(one.quality) for one in readings], np.uint32),
    )


def plain(transition: Transition) -> Told:
    """Everything of it but `why`."""
    return {
        "rule": transition.rule,
        "to": transition.to,
        "severity": transition.severity,
        "slot": transition.slot,
        "device": transition.device,
        "dwelling": transition.dwelling,
        "place": transition.place,
        "at": transition.at_us,
        "nudge": transition.nudge_ns,
        "received": transition.received_us,
        "age_s": None if math.isnan(transition.age_s) else transition.age_s,
        "marks": list(transition.marks),
        "subject": transition.subject,
    }


def by_reference(reference: Reference, stream: Sequence[Tick]) -> list[Told]:
    told = []
    for tick in stream:
        for act in tick.inputs:
            told += reference.act(act, tick.received)
        for one in tick.readings:
            told += reference.read(one, tick.source)
        if tick.sweeps:
            told += reference.advance(tick.received)
    return told


def in_ticks(engine: Engine, stream: Sequence[Tick]) -> list[Transition]:
    told = []
    for tick in stream:
        batch = batch_of(tick.readings, tick.received)
        told += engine.evaluate(batch, tick.inputs, tick.received, tick.source)
        if tick.sweeps:
            told += engine.advance(tick.received)
    return told


def in_pieces(start: Callable[[], Engine], engine: Engine, stream: Sequence[Tick]) -> list[Transition]:
    """As `in_ticks`, each tick cut into pieces, with a new engine restored after the pieces of some."""
    told = []
    for tick in stream:
        inputs = tick.inputs
        for begin, end in zip([0, *tick.cuts], [*tick.cuts, len(tick.readings)], strict=True):
            batch = batch_of(tick.readings[begin:end], tick.received)
            told += engine.evaluate(batch, inputs, tick.received, tick.source)
            inputs = []
            if tick.restart:
                engine = _restored(engine, start)
        if tick.sweeps:
            told += engine.advance(tick.received)
    return told


def _restored(engine: Engine, start: Callable[[], Engine]) -> Engine:
    state, engine = engine.snapshot(), start()
    engine.restore(state)
    return engine


@dataclass(frozen=True)
class Warm:
    """What an engine and the reference know of a stream that came before."""

    state: State
    reference: Reference


def compare(
    rules: Rules, table: SeriesTable, stream: Sequence[Tick], warm: Warm | None = None
) -> Counter[tuple[str, str]]:
    """Asserts that the engine, however the stream is cut, is the reference; how often each rule changed."""

    def start() -> Engine:
        return Engine(rules.catalogue, table)

    def warmed() -> Engine:
        engine = start()
        if warm:
            engine.restore(warm.state)
        return engine

    reference = copy.deepcopy(warm.reference) if warm else Reference(rules.texts, table)
    expected = by_reference(reference, stream)
    whole = in_ticks(warmed(), stream)
    _assert_alike(expected, [plain(transition) for transition in whole])
    pieces = in_pieces(start, warmed(), stream)
    _assert_alike(expected, [plain(transition) for transition in pieces])
    assert [transition.why for transition in pieces] == [transition.why for transition in whole]
    return Counter((told["rule"], str(told["to"])) for told in expected)


def missed_by(
    entries: Sequence[Entry], seeds: Iterable[int], one: Callable[[int], Counter[tuple[str, str]]]
) -> set[tuple[str, str]]:
    """Which of these rules the streams of all seeds never raise or never clear, and so do not test. Goes on
    from seed to seed only until there are none."""
    assert entries, "no rule of these kinds"
    left = {(entry.name, to) for entry in entries for to in ("raised", "cleared")}
    for seed in seeds:
        left -= set(one(seed))
        if not left:
            break
    return left


def _assert_alike(expected: list[Told], actual: list[Told]) -> None:
    for n, (wanted, found) in enumerate(zip(expected, actual, strict=False)):
        assert found == wanted, f"change {n} of {len(expected)}"
    assert actual[len(expected) :] == [], "the engine says more"
    assert expected[len(actual) :] == [], "the engine says less"
