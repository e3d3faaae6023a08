"""What the sources need of the configuration: the broker of `[broker]` first, then `[[brokers]]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
import structlog

from gengfu.access import login_of
from gengfu.config import AnyBroker, Config, FurtherBroker
from gengfu.config_brokers import port_of, transport_of
from ingest.source_settings import SourceSettings

log = structlog.get_logger()

TOPIC_BYTES: Final = 65_536
"""A packet is at most so much longer than its payload: the longest topic MQTT allows."""


def source_names(config: Config) -> list[str]:
    """The names of the sources, as `every_settings` gives them."""
    return ["", *(one.name for one in config.brokers)]


def without(every: list[SourceSettings], gone: Mapping[str, tuple[str, ...]]) -> list[SourceSettings]:
    """The same, with what each broker's session is to be freed of, by the source's name."""
    return [replace(one, gone=gone.get(one.name, ())) for one in every]


def every_settings(config: Config, filters: tuple[str, ...]) -> list[SourceSettings]:
    """One for each broker. Raises OSError where the password of `[broker]` cannot be read; that of another
    must not keep the rest from being heard: it is logged, and that broker will refuse us."""
    every = [source_settings(config, filters)]
    for one in config.brokers:
        try:
            every.append(further_settings(config, one, filters))
        except (OSError, ValueError) as error:  # not there, not ours to read, not UTF-8
            log.error("password_file_unreadable", broker=one.name, file=one.password_file, error=str(error))
            without = msgspec.structs.replace(one, password_file="")
            every.append(further_settings(config, without, filters))
    return every


def source_settings(config: Config, filters: tuple[str, ...]) -> SourceSettings:
    """Of the broker of `[broker]`. Raises OSError as `login_of` does."""
    return _settings(config, config.broker, filters, *login_of(config), name="")


def further_settings(config: Config, broker: FurtherBroker, filters: tuple[str, ...]) -> SourceSettings:
    """Of one of `[[brokers]]`. Raises OSError, UnicodeError where its password file cannot be read."""
    file = broker.password_file
    password = Path(file).read_text(encoding="utf-8").strip() if file else ""
    return _settings(config, broker, filters, broker.username, password, name=broker.name)


def _settings(
    config: Config,
    broker: AnyBroker,
    filters: tuple[str, ...],
    username: str,
    password: str,
    *,
    name: str,
) -> SourceSettings:
    return SourceSettings(
        host=broker.host,
        port=port_of(broker),
        client_id=broker.client_id,
        filters=filters,
        username=username,
        password=password,
        session_expiry_s=broker.session_expiry_h * 3600,
        receive_maximum=broker.receive_maximum,
        keep_alive_s=broker.keep_alive_s,
        max_packet_bytes=config.ingest.max_payload_bytes + TOPIC_BYTES,
        name=name,
        transport=transport_of(broker),
    )
