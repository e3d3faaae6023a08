"""Line protocol read back, written from its description and not from our writer."""

from __future__ import annotations

import math
from typing import NamedTuple

Value = float | int


class Line(NamedTuple):
    """One line: measurement, tags, fields, time."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, Value]
    ts_ns: int


def read_lines(body: bytes) -> list[Line]:
    """The lines of a body, each ended."""
    assert body.endswith(b"\n")
    return [_read(line) for line in body.decode().split("\n")[:-1]]


def _read(line: str) -> Line:
    key, fields, time = _split(line, " ")
    name, *tags = _split(key, ",")
    return Line(name, dict(_pair(one) for one in tags), dict(map(_field, _split(fields, ","))), int(time))


def _split(text: str, at: str) -> list[str]:
    """At each of these characters that no backslash stands before."""
    parts = [""]
    escaped = False
    for one in text:
        if one == at and not escaped:
            parts.append("")
            continue
        parts[-1] += one
        escaped = one == "\\" and not escaped
    return parts


def _pair(text: str) -> tuple[str, str]:
    name, value = _split(text, "=")
    for one in ",= ":
        value = value.replace(f"\\{one}", one)
    return name, value


def _field(text: str) -> tuple[str, Value]:
    name, value = text.split("=")
    if value.endswith("i"):
        return name, int(value[:-1])
    assert math.isfinite(float(value))
    return name, float(value)
