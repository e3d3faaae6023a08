"""Which product a server is. Pure: what it says at `/ping`, and where that says nothing, how its `/metrics`
begins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

METRICS_BYTES: Final = 1 << 16
"""How much of `/metrics` is looked at (chosen: VictoriaMetrics says who it is in the first hundred bytes)."""
_OF_VICTORIA: Final = re.compile(rb"^vm_", re.MULTILINE)


class Make(StrEnum):
    """Whose it is."""

    INFLUXDB = "InfluxDB"
    VICTORIA = "VictoriaMetrics"
    UNKNOWN = "a server"


@dataclass(frozen=True, slots=True)
class Product:
    """Make and version; no version where the server does not say it."""

    make: Make
    version: str = ""

    @property
    def major(self) -> int | None:
        """1, 2, 3; None where it is not known."""
        found = re.match(r"(\d+)\.", self.version)
        return int(found[1]) if found else None

    def is_influxdb(self, major: int) -> bool:
        """Whether it is InfluxDB of this generation, as far as it says."""
        return self.make == Make.INFLUXDB and self.major == major

    def __str__(self) -> str:
        return f"{self.make} {self.version}".rstrip()


UNKNOWN: Final = Product(Make.UNKNOWN)


def product_of(pinged: Mapping[str, str], metrics: bytes = b"") -> Product:
    """By the headers of `/ping`; where those name nobody, by how `/metrics` begins.

    VictoriaMetrics names its host, and may say that it is InfluxDB 1.8: it is the one that names no build.
    """
    said = {key.lower(): value for key, value in pinged.items()}
    built = "x-influxdb-build" in said
    if "x-server-hostname" in said and not built:
        return Product(Make.VICTORIA)
    version = said.get("x-influxdb-version", "")
    if version or built:
        return Product(Make.INFLUXDB, version.removeprefix("v"))
    return Product(Make.VICTORIA) if _OF_VICTORIA.search(metrics) else UNKNOWN
