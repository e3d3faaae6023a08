import dataclasses

import numpy as np
import pytest

from devices.model import METRIC_BY_NAME, METRIC_LIMIT, DeviceKind, Metric, SeriesTable, phase_of


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


@pytest.mark.parametrize(
    ("kind", "channel", "guessed", "off"),
    [
        (DeviceKind.ELECTRICAL, "", True, False),
        (DeviceKind.ELECTRICAL, "box", True, False),
        (DeviceKind.SMOKE, "", False, True),
        (DeviceKind.SMOKE, "head", False, True),
        (DeviceKind.SMOKE, "ch1", False, False),
        (DeviceKind.OTHER, "", False, True),
        (DeviceKind.OTHER, "pipe", False, True),
        (DeviceKind.OTHER, "l1", True, False),
        (DeviceKind.OTHER, "ch2", True, False),
        (DeviceKind.UNKNOWN, "", True, True),
        (DeviceKind.UNKNOWN, "", False, False),
    ],
)
def test_what_is_of_no_circuit_the_registry_says_and_else_a_guess(
    kind: DeviceKind, channel: str, guessed: bool, off: bool
) -> None:
    nothing = np.zeros(1, np.int32)
    table = SeriesTable.plain(1, np.ones(1, np.int16), nothing, nothing, np.ones(1))
    table = dataclasses.replace(
        table,
        kind=np.array([kind], np.uint8),
        phase=np.array([phase_of(channel)], np.uint8),
        room=np.array([guessed]),
    )
    assert table.off_circuit(np.zeros(1, np.int32)).tolist() == [off]


def test_flags_have_no_unit_and_the_numbers_of_old_metrics_stay() -> None:
    assert not any(metric.unit for metric in Metric if metric.is_flag)
    assert Metric.DEVICE_ONLINE.is_flag
    assert (Metric.BREAKER_TRIP, Metric.SMOKE_DENSITY, Metric.CURRENT, Metric.LINK_MARGIN) == (15, 20, 30, 53)
