"""Where the processes listen: definite ports for all of them, and why one cannot be had."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from itertools import cycle, repeat
from typing import Final, TypeVar

import msgspec

from gengfu.access import private_log
from gengfu.config import Broker, Config, Listener
from gengfu.config_brokers import port_of

L = TypeVar("L", bound=Listener)
MANY: Final = 10_000
"""So many given ports are no memory any more but a shortage (chosen)."""


_given: set[int] = set()
"""Ports given away by this process: the system soon offers a port again that nobody has bound yet."""
_wanted: list[Iterator[int]] = [repeat(0)]
"""The ports to be tried next, of the last; 0 leaves the choice to the system."""


def take_ports_from(span: range, start: int) -> None:
    """From now on the free ports of this process are those of `span` in turn, the first of them `start`.

    Of two processes with spans of their own neither gives away a port that the other has just promised to
    somebody who has not bound it yet, and below the system's own span no outgoing connection takes it either.
    """
    _wanted.append(cycle([*range(start, span.stop), *range(span.start, start)]))


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on at this moment, and another each time (as long as there are others)."""
    while True:
        wanted = next(_wanted[-1])
        port = _bindable(host, wanted)
        if port and (wanted or port not in _given or len(_given) > MANY):
            _given.add(port)
            return port


def _bindable(host: str, port: int) -> int:
    """The port, or for 0 one that the system chooses; 0 where somebody has it."""
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            if not port or error.errno != errno.EADDRINUSE:
                raise
            return 0
        return int(probe.getsockname()[1])


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
        return msgspec.structs.replace(broker, port=port_of(broker))
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
