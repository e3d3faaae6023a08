"""What a source is told of its broker: how to reach it, what to ask it for, and where our patience ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from ingest.transport import PLAIN, Transport

UNSENT_MAX: Final = 1 << 24
"""With so many bytes unsent in our memory nothing more is read until the broker takes some. mosquitto 2.0.11
goes beyond Receive Maximum and takes one PUBACK for each message it is sent by the busiest publishers: a
minute at its limit leaves 10 MB unsent (measured), a broker that keeps to it 40 kB."""


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """How to reach the broker and what to ask for; the reasons are in ingest/broker.py.

    `name` tells one source from another; that of `[broker]` has none. Without `username` no credentials are
    sent. `filters` are subscribed to; then the session is freed of `gone`, which a former process or an
    earlier set of profiles may have left in it. `receive_maximum` bounds what is uncommitted;
    `max_packet_bytes` one whole message with its topic (MQTT itself ends at 268,435,460).
    """

    host: str
    port: int
    client_id: str
    filters: tuple[str, ...]
    username: str = ""
    password: str = ""
    session_expiry_s: int = 259_200
    receive_maximum: int = 10_000
    keep_alive_s: int = 30
    max_packet_bytes: int = 327_680
    name: str = ""
    transport: Transport = PLAIN
    gone: tuple[str, ...] = ()
    unsent_max: int = UNSENT_MAX


def log_of(settings: SourceSettings) -> FilteringBoundLogger:
    """A log that names the broker, where it has a name."""
    log: FilteringBoundLogger = structlog.get_logger()
    return log.bind(broker=settings.name) if settings.name else log
