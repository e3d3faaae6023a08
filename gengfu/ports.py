"""Where the processes listen: definite ports for all of them, and why one cannot be had."""

from __future__ import annotations

import socket
from typing import Final, TypeVar

import msgspec

from gengfu.access import private_log
from gengfu.config import Broker, Config, Listener

L = TypeVar("L", bound=Listener)
MANY: Final = 10_000
"""So many given ports are no memory any more but a shortage (chosen)."""


_given: set[int] = set()
"""Ports given away by this process: the system soon offers a port again that nobody has bound yet."""


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on at this moment, and another each time."""
    while True:
        with socket.socket() as probe:
            probe.bind((host, 0))
            port = int(probe.getsockname()[1])
        if port not in _given or len(_given) > MANY:
            _given.add(port)
            return port


def why_not(host: str, port: int) -> str:
    """Why nobody can listen there now; empty where one can."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def settle_ports(config: Config) -> Config:
    """The configuration with a definite port wherever it asks for a free one, and with a definite broker."""
    asked = msgspec.structs.asdict(config.metrics)
    host = asked.pop("host")
    metrics = {name: port or free_port(host) for name, port in asked.items()}
    return msgspec.structs.replace(
        config,
        broker=_settle_broker(config),
        console=_with_port(config.console),
        answers=_with_port(config.answers),
        metrics=msgspec.structs.replace(config.metrics, **metrics),
    )


def _settle_broker(config: Config) -> Broker:
    """The private one where none is configured; `host` is then where ingest meets it."""
    broker = config.broker
    if broker.host:
        return msgspec.structs.replace(broker, port=broker.port or 1883)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(broker.listen, broker.listen)  # noqa: S104 - listened on
    if broker.tls != "off":
        host = "127.0.0.1"
    return msgspec.structs.replace(
        broker,
        host=host,
        port=broker.port or free_port(),
        tls_port=broker.tls_port or free_port(),
        log_file=str(private_log(config)),
    )


def _with_port(listener: L) -> L:
    return listener if listener.port else msgspec.structs.replace(listener, port=free_port(listener.host))
