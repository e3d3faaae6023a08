"""What belongs together in `[broker]` and `[[brokers]]`."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from gengfu.config import AnyBroker, Broker, Config, FurtherBroker, is_loopback
from ingest.transport import PORTS, Transport

BROKER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@=-]{0,99}")
"""Of a user of the private broker: ingest's client id is its user name there."""
FIRST: Final = "broker"
"""What people read as the name of the broker of `[broker]`."""
FURTHER_PATHS: Final = ("password_file", "server_authority", "client_certificate", "client_key")
BROKER_PATHS: Final = (
    *FURTHER_PATHS, "certificate", "certificate_key", "authority", "access_dir", "log_file"
)  # fmt: skip


def wrong_brokers(config: Config) -> str:
    """The first key that does not fit the others, with what is allowed; empty where all do."""
    at_each = [f"brokers[{number}]" for number in range(len(config.brokers))]
    return (
        _wrong_broker(config.broker)
        or _wrong_transport(config.broker, "broker")
        or next(filter(None, map(_wrong_further, config.brokers, at_each)), "")
        or _wrong_names(config)
    )


def transport_of(broker: AnyBroker) -> Transport:
    """How ingest gets to it."""
    return Transport(
        kind=broker.transport,
        path=broker.path,
        authority=broker.server_authority,
        certificate=broker.client_certificate,
        certificate_key=broker.client_key,
    )


def port_of(broker: AnyBroker) -> int:
    """Where ingest meets it; for the private one only after its port is settled."""
    return broker.port or PORTS[broker.transport]


def _wrong_broker(broker: Broker) -> str:
    wrong = ""
    if broker.anonymous and not broker.host and not is_loopback(broker.listen):
        wrong = "`broker.anonymous`: anybody could publish: only with broker.listen on loopback"
    elif not broker.host and not broker.anonymous and not BROKER_NAME.fullmatch(broker.client_id):
        wrong = f"`broker.client_id`: on the private broker allowed are {BROKER_NAME.pattern}"
    elif not broker.host and (broker.username or broker.password_file):
        wrong = "`broker.username`, `broker.password_file`: of your own broker only; ingest has its own here"
    elif not broker.host and broker.transport != "tcp":
        wrong = "`broker.transport`: of your own broker only; ingest meets the private one on loopback"
    elif broker.tls == "files" and not (broker.certificate and broker.certificate_key):
        wrong = '`broker.tls`: "files" needs broker.certificate and broker.certificate_key'
    elif broker.host and broker.tls != "off":
        wrong = "`broker.tls`: of the private broker only; for TLS to your own broker see broker.transport"
    elif broker.reload_command and not broker.access_dir:
        wrong = "`broker.reload_command`: needs broker.access_dir"
    elif broker.access_dir and not broker.host:
        wrong = "`broker.access_dir`: of your own broker only; the private one has its own"
    return wrong


def _wrong_further(broker: FurtherBroker, at: str) -> str:
    if broker.password_file and not broker.username:
        return f"`{at}.password_file`: needs {at}.username"
    return _wrong_transport(broker, at)


def _wrong_transport(broker: AnyBroker, at: str) -> str:
    transport = transport_of(broker)
    if not transport.secure and (broker.server_authority or broker.client_certificate or broker.client_key):
        keys = "`, `".join(f"{at}.{key}" for key in FURTHER_PATHS[1:])
        return f'`{keys}`: only with {at}.transport = "tls" or "wss"'
    if broker.client_key and not broker.client_certificate:
        return f"`{at}.client_key`: needs {at}.client_certificate"
    if not transport.websocket and broker.path != Transport().path:
        return f'`{at}.path`: only with {at}.transport = "ws" or "wss"'
    return ""


def _wrong_names(config: Config) -> str:
    """Each name once, and nowhere two sessions under one client id: they would end each other."""
    names = Counter(one.name for one in config.brokers)
    names[FIRST] += 1  # what [broker] is called in metrics
    if twice := [name for name, count in names.items() if count > 1]:
        return f"`brokers`: name {twice[0]!r} stands for another already"
    every: list[AnyBroker] = [*config.brokers]
    if config.broker.host:
        every.append(config.broker)
    sessions = Counter((one.host.lower(), port_of(one), one.client_id) for one in every)
    if shared := [session for session, count in sessions.items() if count > 1]:
        host, port, client_id = shared[0]
        return f"`brokers`: {host}:{port} twice with client_id {client_id!r}: give each another client_id"
    return ""
