"""In which language a server is asked, by what it says of itself."""

from __future__ import annotations

import pytest

from ingest.store.influx.product import product_of
from ingest.store.influx.reading_dialect import Dialect, dialect_of
from ingest.store.influx.server import Account

BUCKET, DATABASE = Account("http://h", bucket="b"), Account("http://h", database="d")


@pytest.mark.parametrize(
    ("account", "pinged", "dialect"),
    [
        (BUCKET, {"X-Influxdb-Version": "v2.7.11", "X-Influxdb-Build": "OSS"}, Dialect.FLUX),
        (DATABASE, {"X-Influxdb-Version": "v2.7.11", "X-Influxdb-Build": "OSS"}, Dialect.INFLUXQL),
        (BUCKET, {"X-Influxdb-Version": "1.8.10", "X-Influxdb-Build": "OSS"}, Dialect.INFLUXQL),
        (DATABASE, {"X-Influxdb-Version": "1.6.7~rc0", "X-Influxdb-Build": "OSS"}, Dialect.INFLUXQL),
        (BUCKET, {"x-influxdb-version": "3.1.0", "x-influxdb-build": "Core"}, Dialect.INFLUXQL),
        (BUCKET, {"X-Server-Hostname": "vm"}, Dialect.VICTORIA),
        (DATABASE, {"X-Server-Hostname": "vm", "X-Influxdb-Version": "1.8.0"}, Dialect.VICTORIA),
        (BUCKET, {"X-Server-Hostname": "h", "X-Influxdb-Build": "OSS"}, Dialect.FLUX),
        (BUCKET, {}, Dialect.FLUX),
        (DATABASE, {}, Dialect.INFLUXQL),
    ],
)
def test_the_language_of_what_answers(account: Account, pinged: dict[str, str], dialect: Dialect) -> None:
    assert dialect_of(account, product_of(pinged)) == dialect
