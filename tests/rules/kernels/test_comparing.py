"""Kernels that compare series say the same however the stream is cut, wherever it restarts, and however they
came to know the registry."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pytest

from devices.model import NO_KIN, Quality, ReadingBatch, SeriesTable
from rules.catalogue import Catalogue, parse_catalogue
from rules.engine import Engine
from rules.transition import Transition
from tests.rules.kernels.cabinet import AIR, AMBIENT, HOT, LOAD, T1, VOLTS, cabinet
from tests.rules.story import START_US, Story

USUAL = [(HOT, 1), (LOAD, 1), (VOLTS, 1), (AMBIENT, 0), (HOT, 2), (LOAD, 2), (VOLTS, 2), (HOT, 3), (LOAD, 3)]
SLOTS, DEVICES = 20, 3
PHASES = (1, 2, 3, 1, 2, 3, 1, 2, 3, 0, 17, NO_KIN)
QUALITIES = [Quality(0)] * 12 + [Quality.QUEUED, Quality.LATE, Quality.SENTINEL, Quality.STALE]
HEAD = """
[[rule]]
name = "{name}"
kernel = "{kernel}"
metric = "{metric}"
severity = "P2"
hold = "{hold}"
clear_hold = "0 s"
max_gap = "{gap}"
title = {{ en = "a", zh-CN = "b" }}
source = {{ {source} }}
"""


RISE: dict[str, str | int] = {"raise": "20 K", "clear": "18 K"}
JOINT: dict[str, str | int] = {"raise": "1.02", "clear": "1", "least_load": "1 A", "fresh": "1 h", "least": 1}
VOLTAGES: dict[str, str | int] = {
    "high": "250 V",
    "low": "190 V",
    "normal_low": "200 V",
    "normal_high": "240 V",
    "extreme": "255 V",
    "least": "50 V",
    "together": "15 min",
}


def rule(name: str, kernel: str, metric: str, hold: str, gap: str, own: Mapping[str, str | int]) -> str:
    """The text of a rule; `own` are its own keys."""
    source = ", ".join(f'{key} = "s"' for key in ("hold", "clear_hold", "max_gap", *own))
    head = HEAD.format(name=name, kernel=kernel, metric=metric, hold=hold, gap=gap, source=source)
    return head + "".join(
        f"{key} = {value}\n" if isinstance(value, int) else f'{key} = "{value}"\n'
        for key, value in own.items()
    )


def rules() -> Catalogue:
    """Rules that hold for short, so that much is raised."""
    hot = "temperature"
    away: dict[str, str | int] = {"raise": "10 K", "clear": "5 K"}
    near = rule("R1", "rise", hot, "0 s", "15 min", RISE)
    near += rule("R2", "rise", hot, "5 min", "15 min", {"raise": "25 K", "clear": "18 K"})
    near += rule("R3", "rise", hot, "0 s", "5 min", RISE)
    alike = rule("S1", "spread", hot, "0 s", "15 min", {**away, "like": "20 %", "least_load": "1 A"})
    alike += rule("S2", "spread", hot, "0 s", "15 min", {**away, "like": "50 %", "least_load": "0.3 I_n"})
    usual = rule("J1", "joint", hot, "0 s", "9 d", JOINT)
    return parse_catalogue(
        f"version = 1\n{near}{alike}{usual}{rule('N1', 'neutral', 'voltage', '0 s', '15 min', VOLTAGES)}",
        "own.toml",
    )


class World:
    """A registry that changes, and readings of it; the same for one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.device = np.zeros(SLOTS, np.int32)
        self.metric = np.zeros(SLOTS, np.int16)
        self.phase = np.zeros(SLOTS, np.uint8)
        self.breaker = np.full(SLOTS, 10, np.float32)
        self.length, self.now_us = 1, START_US

    def table(self) -> SeriesTable:
        n = self.length
        plain = SeriesTable.plain(
            1, self.metric[:n].copy(), self.device[:n].copy(), np.zeros(n, np.int32), np.full(n, np.nan)
        )
        return dataclasses.replace(plain, phase=self.phase[:n].copy(), breaker_a=self.breaker[:n].copy())

    def change(self) -> np.ndarray:
        """Some slots are others from now on."""
        rng = self.rng
        self.length = min(SLOTS, self.length + int(rng.integers(0, 5)))
        changed = np.unique(rng.integers(1, self.length + 1, 2)) % self.length
        for slot in {*changed.tolist(), *range(1, self.length)} - {0}:
            if slot in changed or not self.metric[slot]:
                self.metric[slot], self.phase[slot] = USUAL[slot % len(USUAL)]
                self.device[slot] = 1 + slot // len(USUAL) % 2
                if rng.random() < 0.3:
                    self.device[slot], self.phase[slot] = rng.integers(0, DEVICES), rng.choice(PHASES)
                    self.breaker[slot] = rng.choice([10, 30, np.nan])
        return changed[changed > 0].astype(np.int32)

    def readings(self, n: int) -> ReadingBatch:
        rng = self.rng
        slot = rng.integers(0, self.length, n).astype(np.int32)
        usual = np.array([0, 50, 28, 8, 220])[
            np.searchsorted([1, HOT, AMBIENT, LOAD, VOLTS], self.metric[slot])
        ]
        away = {HOT: 15, AMBIENT: 4, LOAD: 2, VOLTS: 45}
        spread = np.array([away.get(one, 0) for one in self.metric[slot]])
        value = np.round(usual + spread * rng.uniform(-1, 1, n), 1)
        quality = rng.choice([int(one) for one in QUALITIES], n).astype(np.uint32)
        value[(quality & int(Quality.SENTINEL)) != 0] = np.nan
        observed = self.now_us + np.cumsum(rng.choice([0, 0, 1, 5, 20], n)) * 1_000_000
        self.now_us = int(observed[-1])
        return ReadingBatch(self.now_us, slot, observed, np.zeros(n, np.uint16), value, quality)


def part(batch: ReadingBatch, some: slice) -> ReadingBatch:
    return ReadingBatch(
        batch.received_us,
        batch.slot[some],
        batch.observed_us[some],
        batch.nudge_ns[some],
        batch.value[some],
        batch.quality[some],
    )


@pytest.mark.parametrize("seed", range(3))
def test_neither_cuts_nor_restarts_nor_the_way_of_the_registry_change_a_word(seed: int) -> None:
    world, catalogue = World(seed), rules()
    told, plain = Engine(catalogue, world.table()), Engine(catalogue, world.table())
    found: list[Transition] = []
    for _ in range(250):
        if world.rng.random() < 0.15:
            changed = world.change()
            if world.rng.random() < 0.1:
                told.forget(changed)
                plain.forget(changed)
            told.adopt(world.table(), changed)
            plain.adopt(world.table())
        world.now_us += int(world.rng.choice([0, 60, 600, 20_000])) * 1_000_000
        batch = world.readings(40)
        whole = told.evaluate(batch, [], batch.received_us)
        cuts = [0, *sorted(world.rng.integers(0, 41, 3).tolist()), 40]
        pieces = []
        for start, end in pairwise(cuts):
            some = part(batch, slice(start, end))
            pieces += plain.evaluate(some, [], some.received_us)
        assert pieces == whole
        found += whole
        if world.rng.random() < 0.1:
            state = told.snapshot()
            told = Engine(catalogue, world.table())
            told.restore(state)
    assert {one.rule for one in found} == {rule.name for rule in catalogue.rule}


def test_a_catalogue_that_compares_nothing_remembers_nothing() -> None:
    world = World(1)
    for _ in range(9):
        world.change()
    text = rule("N1", "neutral", "voltage", "0 s", "15 min", VOLTAGES)
    volts = Engine(parse_catalogue(f"version = 1\n{text}", "own.toml"), world.table())
    nothing = Engine(parse_catalogue("version = 1\nrule = []\n", "own.toml"), world.table())
    batch = world.readings(200)
    for engine in (volts, nothing):
        engine.evaluate(batch, [], batch.received_us)
    assert set(world.metric[volts.snapshot()["latest.slot"]].tolist()) == {VOLTS}
    assert not len(nothing.snapshot()["latest.slot"])


def test_rules_of_one_kind_that_look_further_or_less_far_are_measured_each_for_itself() -> None:
    far = rule("A", "rise", "temperature", "0 s", "10 min", RISE)
    close = rule("B", "rise", "temperature", "0 s", "5 min", RISE)
    for text in (far + close, close + far):
        story = Story(parse_catalogue(f"version = 1\n{text}", "own.toml"), cabinet())
        story.read(AIR, 0, 20.0)
        assert [one.rule for one in story.read(T1, 400, 60.0)] == ["A"]
        assert [one.rule for one in story.read(T1, 660, 60.0)] == []
        story.read(AIR, 660, 20.0)
        assert [one.rule for one in story.read(T1, 670, 60.0)] == ["B"]
