"""Which product answers, by what it says of itself, and on real servers."""

from __future__ import annotations

import pytest

from ingest.store.influx.asking import Asking
from ingest.store.influx.product import UNKNOWN, Make, Product, product_of
from ingest.store.influx.server import Account
from tests.ingest.influx.answering import answering, by_path, saying
from tests.series_servers import INFLUX2, INFLUX16, INFLUX18, INFLUX27, VICTORIA, SeriesServer

LOGIN = b"<!DOCTYPE html><html><head><title>Sign in</title></head></html>"


@pytest.mark.parametrize(
    ("pinged", "told"),
    [
        ({"X-Influxdb-Version": "1.6.7~rc0", "X-Influxdb-Build": "OSS"}, "InfluxDB 1.6.7~rc0"),
        ({"x-influxdb-version": "v2.7.11", "x-influxdb-build": "OSS"}, "InfluxDB 2.7.11"),
        ({"x-influxdb-version": "3.1.0", "x-influxdb-build": "Core"}, "InfluxDB 3.1.0"),
        ({"X-Influxdb-Build": "Cloud"}, "InfluxDB"),
        ({"X-Server-Hostname": "vm"}, "VictoriaMetrics"),
        ({"X-Server-Hostname": "vm", "X-Influxdb-Version": "1.8.0"}, "VictoriaMetrics"),
        (
            {"X-Server-Hostname": "h", "X-Influxdb-Build": "OSS", "X-Influxdb-Version": "1.8.10"},
            "InfluxDB 1.8.10",
        ),
        ({"Server": "nginx"}, "a server"),
        ({}, "a server"),
    ],
)
def test_a_product_by_its_headers(pinged: dict[str, str], told: str) -> None:
    assert str(product_of(pinged)) == told


def test_headers_that_name_nobody_leave_it_to_the_figures() -> None:
    assert product_of({}, b"process_x 1\nvm_rows 2\n").make == Make.VICTORIA
    assert product_of({}, b"influx_vm_rows 2\n# vm_\n") == UNKNOWN
    assert product_of({"X-Influxdb-Version": "1.8.10"}, b"vm_rows 2\n").make == Make.INFLUXDB


@pytest.mark.parametrize(
    ("version", "major"), [("1.6.7~rc0", 1), ("2.7.11", 2), ("3.1.0", 3), ("", None), ("nightly", None)]
)
def test_the_generation_is_known_where_the_version_is(version: str, major: int | None) -> None:
    product = Product(Make.INFLUXDB, version)
    assert product.major == major
    assert [product.is_influxdb(one) for one in (1, 2, 3)] == [major == one for one in (1, 2, 3)]
    assert not Product(Make.VICTORIA, "1.8").is_influxdb(1)


@pytest.mark.parametrize("series_kind", [INFLUX16, INFLUX18, *INFLUX2, VICTORIA])
def test_real_servers_are_known(series_server: SeriesServer) -> None:
    with Asking(Account(series_server.url, bucket="b")) as asking:
        told = str(asking.product())
    assert told == {
        INFLUX16: "InfluxDB 1.6.7~rc0",
        INFLUX18: "InfluxDB 1.8.10",
        INFLUX27: "InfluxDB 2.7.12",
        VICTORIA: "VictoriaMetrics",
    }.get(series_server.kind)


def test_victoriametrics_behind_a_proxy_that_drops_headers_is_known_by_its_figures() -> None:
    figures = b"process_cpu_cores_available 2\nvm_active_merges 0\n" + b"vm_more 0\n" * 1_000_000
    pages = by_path({"/ping": saying(b"", 204), "/metrics": saying(figures)})
    with answering(pages) as url, Asking(Account(url, bucket="b")) as asking:
        for _ in range(2):  # the first answer was not read to its end
            assert asking.product() == Product(Make.VICTORIA)


@pytest.mark.parametrize("status", [200, 401, 404, 503])
def test_a_page_to_log_in_is_no_product(status: int) -> None:
    with answering(saying(LOGIN, status)) as url, Asking(Account(url, bucket="b")) as asking:
        assert asking.product() == UNKNOWN
