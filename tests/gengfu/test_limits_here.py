"""The limits of a chart are those that the running service raises by, for this very circuit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, update

from console.chart_limits import Limit
from devices.database import open_database, reading, writing
from devices.model import Metric
from devices.profiles.profile import Note
from devices.schema import device, series
from gengfu.limits_here import KEPT, LimitsHere, metrics_of
from gengfu.rulebook import Rulebook
from gengfu.shipped import shipped_catalogue
from ingest.notes import OURS, write_notes
from ingest.rule_notes import RULES
from ingest.store.history import Series
from rules.kernels.place_rule import PlaceRule
from tests.databases import MIGRATED, sqlite_like
from tests.gengfu.own_rules import override, own
from tests.gengfu.test_rule_commands import fill

NOW_US = 1_790_000_000_000_000
CURRENT = Series(1, "own:riser", "", Metric.CURRENT)
WARMTH = Series(2, "own:riser", "", Metric.TEMPERATURE)
RESIDUAL = Series(3, "own:old", "", Metric.CURRENT_RESIDUAL)
VOLTS = Series(4, "own:riser", "l1", Metric.VOLTAGE)
BATTERY = Series(5, "own:riser", "", Metric.BATTERY_LOW)


class Site:
    """A riser of 25 A (its cable) that is earthed, and an old one that is not, with what is asked of them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now_s = 0.0
        self.here = LimitsHere(lambda: NOW_US, lambda: self.now_s)

    def hold(self, book: Rulebook) -> None:
        """The running service uses this book."""
        with writing(self.engine) as connection:
            write_notes(connection, [Note(OURS, RULES, "", book.text())])

    def limits(self, one: Series) -> dict[str, Limit]:
        with reading(self.engine) as connection:
            return {limit.rule: limit for limit in self.here(connection, one)}

    def looks_at(self, rule: str) -> frozenset[Metric]:
        with reading(self.engine) as connection:
            return self.here.looks_at(connection, rule)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    engine = open_database(sqlite_like(MIGRATED, tmp_path))
    fill(engine)
    with writing(engine) as connection:
        for one in (VOLTS, BATTERY):
            row = {"slot": one.slot, "uid": one.device, "channel": one.channel, "metric": int(one.metric)}
            connection.execute(insert(series).values(**row, created_us=1))
    yield Site(engine)
    engine.dispose()


def test_multiples_of_a_rating_are_amperes_of_this_circuit(site: Site) -> None:
    found = site.limits(CURRENT)
    assert found["O3"].value == pytest.approx(1.45 * 25)
    assert found["O1"].value == pytest.approx(0.9 * 25)
    assert found["O1"].title.en == "High load (mean)"
    assert found["O3"].title.zh_cn == "过载"
    assert "O4" not in found, "a curve is no line"


def test_a_rating_that_is_not_known_gives_no_limit(site: Site) -> None:
    with writing(site.engine) as connection:
        connection.execute(update(device).values(breaker_a=None, cable_a=None))
    assert site.limits(CURRENT) == {}


def test_rules_on_rates_and_differences_give_none_and_those_on_the_value_do(site: Site) -> None:
    with writing(site.engine) as connection:
        connection.execute(update(device).values(insulation="xlpe"))
    assert set(site.limits(WARMTH)) == {"T1", "T2", "T3"}
    plain = {"T1": 60.0, "T2": 70.0, "T3": 85.0}
    assert any(site.limits(WARMTH)[name].value > value for name, value in plain.items()), "as its cable may"


def test_a_rule_that_is_off_here_gives_none(site: Site) -> None:
    assert site.limits(RESIDUAL) == {}, "leakage cannot be measured on TN-C"
    site.hold(Rulebook(overrides=(override(7, "O3", ids=(1, 2), off=True),)))
    assert "O3" not in site.limits(CURRENT) and "O2" in site.limits(CURRENT)


def test_an_override_and_an_own_rule_move_the_line_within_seconds(site: Site) -> None:
    assert "K1" not in site.limits(WARMTH)
    assert site.limits(CURRENT)["O3"].value == pytest.approx(1.45 * 25)
    ids = tuple(range(1, 9))
    moved = override(7, "O3", ids=ids, raise_="1.2 I_ref", clear="1 I_ref")
    site.hold(Rulebook(own=own(), name="own.toml", overrides=(moved,)))
    site.now_s += 5.0
    assert site.limits(CURRENT)["O3"].value == pytest.approx(1.2 * 25)
    assert site.limits(WARMTH)["K1"].value == 60.0


def test_voltages_have_the_limits_of_both_rules_on_them(site: Site) -> None:
    found = site.limits(VOLTS)
    assert found["V2"].value == 253.0 and not found["V2"].below
    with reading(site.engine) as connection:
        neutral = [one for one in site.here(connection, VOLTS) if one.rule == "V1"]
    assert sorted(one.below for one in neutral) == [False, True]
    assert neutral[0].value != neutral[1].value


def test_a_device_that_is_not_registered_has_none(site: Site) -> None:
    assert site.limits(Series(9, "own:nobody", "", Metric.CURRENT)) == {}


def test_what_is_kept_is_bounded(site: Site) -> None:
    for number in range(KEPT + 9):
        site.limits(Series(9, f"own:{number}", "", Metric.CURRENT))
    assert len(site.here._kept) == KEPT


def test_what_a_rule_looks_at_is_what_it_is_judged_on_and_of_a_place_what_its_parts_are(site: Site) -> None:
    assert site.looks_at("O3") == {Metric.CURRENT}
    assert site.looks_at("S1") == {Metric.SMOKE_ALARM}
    assert Metric.SMOKE_ALARM in site.looks_at("S2")
    assert {Metric.SMOKE_ALARM, Metric.CURRENT} <= site.looks_at("X1")
    assert site.looks_at("C1") == site.looks_at("NEVER") == frozenset()


def test_every_shipped_rule_on_a_place_looks_at_something() -> None:
    catalogue = shipped_catalogue()
    for rule in catalogue.of(PlaceRule):
        assert metrics_of(catalogue, rule.name), rule.name
