"""In which language a server is asked for points. Pure."""

from __future__ import annotations

from enum import StrEnum

from ingest.store.influx.product import Make, Product
from ingest.store.influx.server import Account


class Dialect(StrEnum):
    """What `ServerReader` speaks."""

    INFLUXQL = "InfluxQL"
    FLUX = "Flux"
    VICTORIA = "VictoriaMetrics"


def dialect_of(account: Account, product: Product) -> Dialect:
    """By what answers and by what the site writes to.

    With `database` it is InfluxQL. With `bucket` it is Flux, but for servers that have it not: 1.x, where it
    is off unless it was asked for and every bucket is a database, and 3. VictoriaMetrics is asked as itself
    in any case.
    """
    if product.make == Make.VICTORIA:
        return Dialect.VICTORIA
    if account.database or product.is_influxdb(1) or product.is_influxdb(3):
        return Dialect.INFLUXQL
    return Dialect.FLUX
