from devices.model import METRIC_BY_NAME, METRIC_LIMIT, Metric


def test_every_metric_has_a_name_of_its_own_and_a_number_that_fits() -> None:
    assert len(METRIC_BY_NAME) == len(Metric)
    assert all(0 < metric < METRIC_LIMIT for metric in Metric)


def test_quantity_role_and_unit_tell_metrics_apart() -> None:
    assert len({(metric.quantity, metric.role, metric.unit) for metric in Metric}) == len(Metric)


def test_smoke_density_is_one_quantity_in_four_units() -> None:
    found = {metric.name_on_wire: metric.unit for metric in Metric if metric.quantity == "smoke.density"}
    assert found == {
        "smoke.density": "raw",
        "smoke.density_pct": "%",
        "smoke.density_ppm": "ppm",
        "smoke.density_dbm": "dB/m",
    }


def test_the_temperature_of_the_electronics_is_the_devices_own() -> None:
    device = METRIC_BY_NAME["temperature.device"]
    assert (device.quantity, device.role, device.unit) == ("temperature", "device", "degC")
    assert {metric for metric in Metric if metric.role} == {device}


def test_flags_have_no_unit_and_the_numbers_of_old_metrics_stay() -> None:
    assert not any(metric.unit for metric in Metric if metric.is_flag)
    assert Metric.DEVICE_ONLINE.is_flag
    assert (Metric.BREAKER_TRIP, Metric.SMOKE_DENSITY, Metric.CURRENT, Metric.LINK_MARGIN) == (15, 20, 30, 53)
