"""What the broker says of itself in its CONNACK. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import mqtt5

from ingest.probes.finding import Finding

DAY_S: Final = 86_400
KEEP_ALIVE_S: Final = (5, 600)
"""As `broker.keep_alive_s` may be: faster is a load, slower finds a dead line late."""
LEAST_WINDOW: Final = 100
"""Over a line of 50 ms a gateway then brings 1,000 messages in half a second (chosen)."""


def greeting_findings(greeting: mqtt5.ConnAckPacket) -> Iterator[Finding]:
    """Highest QoS, wildcards, keep alive, and what a publisher may send ahead."""
    qos = int(greeting.max_qos) >= 1
    yield Finding(
        "broker qos 1",
        qos,
        "QoS 1 is served"
        if qos
        else "only QoS 0 is served, so nothing is acknowledged and a lost line loses alarms; "
        "mosquitto.conf: max_qos 2; EMQX: mqtt.max_qos_allowed 2",
    )
    wild = greeting.wildcard_subscription_available
    yield Finding(
        "broker wildcards",
        wild,
        "subscriptions with wildcards are served"
        if wild
        else "subscriptions with wildcards are not served, and ingest needs them (gengfu/#); "
        "EMQX: mqtt.wildcard_subscription true; mosquitto always serves them",
    )
    yield _keep_alive(greeting.server_keep_alive)
    yield _window(greeting.receive_max)


def _keep_alive(asked_s: int | None) -> Finding:
    name = "broker keep alive"
    if asked_s is None:
        return Finding(name, True, "ours is accepted")
    least, most = KEEP_ALIVE_S
    if least <= asked_s <= most:
        return Finding(name, True, f"the broker wants {asked_s} s, and ingest keeps to it")
    why = "ingest would hardly do anything else" if 0 < asked_s < least else "a dead line is noticed too late"
    text = f"the broker wants {asked_s} s: {why}; mosquitto.conf: max_keepalive {most}; "
    return Finding(name, False, f"{text}EMQX: mqtt.server_keepalive disabled")


def _window(receive_maximum: int) -> Finding:
    """mosquitto offers publishers its `max_inflight_messages` as Receive Maximum."""
    name, ahead = "broker publisher window", "unacknowledged messages a publisher may have on the way"
    if receive_maximum >= LEAST_WINDOW:
        return Finding(name, True, f"{receive_maximum} {ahead}")
    text = f"only {receive_maximum} {ahead}: after an outage a gateway is slow to tell what it held; "
    do = "mosquitto.conf: max_inflight_messages 65534; EMQX: mqtt.max_inflight 10000"
    return Finding(name, False, text + do)


def expiry_finding(granted_s: int | None, wanted_s: int, *, ours: bool) -> Finding:
    """How long the session is kept while ingest is away. `ours`: mosquitto with our own configuration.

    By the standard a broker that grants less says so. mosquitto does not where `persistent_client_expiration`
    is shorter (2.0.11 and 2.1.2, measured), and nobody can wait for the hour that is its least.
    """
    name, hours = "broker session expiry", f"{wanted_s / 3600:g} h"
    if granted_s is not None and granted_s < max(DAY_S, min(wanted_s, DAY_S)):
        text = f"a session is kept for {granted_s} s while ingest is away, and at least a day is needed; "
        return Finding(name, False, text + "look for the longest session expiry the broker allows")
    if granted_s is not None:
        return Finding(name, True, f"a session is kept for {granted_s / 3600:g} h")
    if ours:
        return Finding(name, True, f"a session is kept for {hours}")
    text = f"not proven: the broker accepts {hours} without a word, and mosquitto also does where it keeps "
    more = f"sessions shorter; mosquitto.conf: no persistent_client_expiration below {hours}"
    return Finding(name, None, text + more)
