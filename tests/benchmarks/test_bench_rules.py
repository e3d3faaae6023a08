"""The bench of the rules: its figures are there, evaluations are counted, and what is missing is said."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.bench_rules import FLEETS, Bounds, Trial, rules_of, run_bench
from benchmarks.errors import CannotMeasure
from benchmarks.rule_fleet import MIX, PERIOD_US, calls_of, fleet_of
from benchmarks.rule_memory import bytes_of_state
from benchmarks.rule_sweep import sweep
from devices.model import Metric
from gengfu.shipped import shipped_catalogue
from rules.catalogue import Catalogue
from rules.engine import Engine

TINY = Bounds(series=2_000, devices=2_000, readings=20_000, warm_up=5_000, seconds=3, sizes=(1_000, 2_000))


def test_a_run_says_what_evaluations_of_each_kind_cost() -> None:
    figures = run_bench(TINY)
    assert set(figures.by_kind_per_s) == set(figures.at_256.by_kind_per_s) == set(FLEETS)
    assert min(figures.by_kind_per_s.values()) > 0
    assert min(figures.flag_threshold_per_s, figures.window_per_s, figures.mix_per_s) > 0
    assert set(figures.cost_by_series) == {"1000", "2000"}
    assert 0 < figures.bytes_per_series_mean < figures.bytes_per_series_max


def test_an_evaluation_is_a_reading_of_a_series_that_a_rule_holds_for() -> None:
    trial = Trial(rules_of("threshold"), [((Metric.BATTERY_LOW, ""),)], 1_000)
    assert trial.run(100, 1_000).evaluations == 1_000 * len(trial.engine.explain(1))
    leaks = Trial(rules_of("threshold", "gate"), [((Metric.CURRENT_RESIDUAL, ""),)], 1_000)
    earthed = leaks.fleet.table.earthing == 2
    assert (leaks.of_slot[1:] > 0).tolist() == earthed[1:].tolist()


def test_meters_are_heard_once_in_a_period_and_detectors_seldom() -> None:
    fleet = fleet_of(MIX, 1_000)
    heard = np.zeros(len(fleet.table), np.int64)
    calls = calls_of(fleet, 100)
    now_us = start_us = next(calls).received_us
    while now_us < start_us + 10 * PERIOD_US:
        batch = next(calls)
        now_us = batch.received_us
        np.add.at(heard, batch.slot, 1)
    assert abs(heard[fleet.often].mean() - 10) < 0.5
    assert abs(heard[fleet.seldom].mean() - 1) < 0.5


def test_the_arrays_of_an_engine_are_counted_once_each() -> None:
    small, large = (
        bytes_of_state(Engine(shipped_catalogue(), fleet_of(MIX, series).table)) for series in (1_000, 3_000)
    )
    assert small < large < 4 * small


def test_without_rules_of_a_kind_nothing_is_said() -> None:
    with pytest.raises(CannotMeasure, match="no rule of the kind nonsense"):
        rules_of("flag", "nonsense")
    with pytest.raises(CannotMeasure, match="silence and dark"):
        sweep(Catalogue(version=1, rule=()), 10, 1)
    with pytest.raises(CannotMeasure, match="no rule of S1"):
        Trial(rules_of("flag")[:1], [((Metric.VOLTAGE, ""),)], 10)
