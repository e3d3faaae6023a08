import pytest

from devices.model import Metric
from devices.profiles.language.units import SMOKE_DENSITIES, conversion_of, units_for, units_in_band


@pytest.mark.parametrize("metric", list(Metric))
def test_every_metric_takes_its_own_unit_as_it_is(metric: Metric) -> None:
    assert conversion_of("", metric) == (1.0, 0.0)
    if metric.unit:
        assert conversion_of(metric.unit, metric) == (1.0, 0.0)
        assert next(iter(units_for(metric))) == metric.unit


@pytest.mark.parametrize(
    ("unit", "metric", "number", "canonical"),
    [
        ("mA", Metric.CURRENT, 1500, 1.5),
        ("mA", Metric.ANALOG_CURRENT, 4, 4),
        ("dV", Metric.VOLTAGE, 2301, 230.1),
        ("mV", Metric.BATTERY_V, 3115, 3.115),
        ("kW", Metric.POWER_ACTIVE, 1.5, 1500),
        ("dW", Metric.POWER_ACTIVE, 15, 1.5),
        ("kvar", Metric.POWER_REACTIVE, 2, 2000),
        ("kWh", Metric.ENERGY_IMPORT, 2, 2000),
        ("Wmin", Metric.ENERGY_IMPORT, 60, 1),
        ("J", Metric.ENERGY_IMPORT, 3600, 1),
        ("mAmin", Metric.CHARGE_TOTAL, 60_000, 1),
        ("dHz", Metric.FREQUENCY, 500, 50),
        ("Cel", Metric.TEMPERATURE, 20, 20),
        ("degF", Metric.TEMPERATURE, 212, 100),
        ("K", Metric.TEMPERATURE, 273.15, 0),
        ("%RH", Metric.HUMIDITY, 40, 40),
        ("/", Metric.HUMIDITY, 0.4, 40),
        ("%EL", Metric.BATTERY_PCT, 80, 80),
        ("%", Metric.POWER_FACTOR, 95, 0.95),
        ("dBW", Metric.LINK_RSSI, -120, -90),
    ],
)
def test_vendors_units_become_the_metrics_own(
    unit: str, metric: Metric, number: float, canonical: float
) -> None:
    scale, offset = conversion_of(unit, metric)
    assert number * scale + offset == pytest.approx(canonical, abs=1e-9)


@pytest.mark.parametrize(
    ("unit", "metric"),
    [("V", Metric.CURRENT), ("W", Metric.SWITCH), ("ppm", Metric.HUMIDITY), ("kw", Metric.POWER_ACTIVE)],
)
def test_a_foreign_unit_is_refused_with_those_allowed(unit: str, metric: Metric) -> None:
    with pytest.raises(ValueError, match=f"unit `{unit}` does not fit `{metric.quantity}`; allowed: "):
        conversion_of(unit, metric)


def test_in_band_other_cases_are_taken_where_they_are_not_doubtful() -> None:
    power = units_in_band(Metric.POWER_ACTIVE)
    assert power["kw"] == (1000.0, 0.0)
    assert "mw" not in power


def test_smoke_density_is_a_metric_by_its_unit() -> None:
    assert {SMOKE_DENSITIES[unit] for unit in ("raw", "%", "ppm", "dB/m")} == {
        metric for metric in Metric if metric.quantity == "smoke.density"
    }
