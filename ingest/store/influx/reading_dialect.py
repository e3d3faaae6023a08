"""In which language a server is asked for points. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from ingest.store.influx.server import Account


class Dialect(StrEnum):
    """What `ServerReader` speaks."""

    INFLUXQL = "InfluxQL"
    FLUX = "Flux"
    VICTORIA = "VictoriaMetrics"


def dialect_of(account: Account, pinged: Mapping[str, str]) -> Dialect:
    """By what the server says at `/ping` and by what the site writes to.

    With `database` it is InfluxQL. With `bucket` it is Flux, but for servers that have it not: 1.x, where it
    is off unless it was asked for and every bucket is a database, and 3. VictoriaMetrics, which names its
    host and may say that it is InfluxDB 1.8, is asked as itself in any case.
    """
    said = {key.lower(): value for key, value in pinged.items()}
    if "x-server-hostname" in said and "x-influxdb-build" not in said:
        return Dialect.VICTORIA
    version = said.get("x-influxdb-version", "")
    if account.database or re.match(r"v?[13]\.", version):
        return Dialect.INFLUXQL
    return Dialect.FLUX
