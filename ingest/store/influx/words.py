"""How names are written in line protocol, and read back.

Measurements are device kinds, tags `device` and `channel`, fields metrics. Tags say anything a device can
call itself, so what line protocol cannot hold (a backslash, control characters) is written as in addresses of
the web.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from devices.model import Metric

UNREGISTERED: Final = "unregistered"
"""The measurement of devices that nobody registered; of others it is their kind."""
QUALITY: Final = b"_quality"
"""Behind a field's name: its quality bits, an integer. Left out where they are 0."""
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\%\u2028\u2029]|[\ud800-\udfff]")


def tag(text: str) -> bytes:
    """A tag's value as line protocol has it. Not for empty text: such tags are left out."""
    plain = _UNSAFE.sub(_in_hex, text)
    return plain.replace(",", r"\,").replace(" ", r"\ ").replace("=", r"\=").encode()


def untag(text: str) -> str:
    """What was meant by a tag's value as servers give it."""
    return unquote(text, errors="replace")


def field(metric: int) -> bytes:
    """The field of a metric: its public name with `_` for the dot, for which query languages want quotes."""
    return Metric(metric).name_on_wire.replace(".", "_").encode()


def head(kind: str, device: str, channel: str) -> bytes:
    """A line up to its fields, the space before them included; the tags in the order of their names."""
    tags = b",channel=" + tag(channel) if channel else b""
    return (kind or UNREGISTERED).encode() + tags + b",device=" + tag(device) + b" "


def _in_hex(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode(errors="replace"))
