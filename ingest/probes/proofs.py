"""All proofs on one broker, one after another, and the tidying up behind them.

What the site has there is left alone: own topics, own client ids, about 3,500 messages of 200 bytes and one
of the longest that ingest takes. Whoever subscribes to everything gets those too.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from itertools import pairwise
from typing import Final

import mqtt5

from ingest.probes.away import prove_away
from ingest.probes.caller import Caller
from ingest.probes.finding import Finding, NotServed, Stopped, Unreachable
from ingest.probes.greeting import expiry_finding, greeting_findings
from ingest.probes.live import prove_live
from ingest.probes.size import prove_new
from ingest.probes.trial import PREFIX, Trial

PARTS: Final[tuple[Callable[[Trial], Iterator[Finding]], ...]] = (prove_live, prove_away, prove_new)
TOPICS: Final = ("live", "retain", "marker", "qos0", "away", "size")
NUMBERED: Final = ("live", "away", "qos0")


def probe_broker(
    trial: Trial, place: str, *, own_user: bool, ours: bool, table: str = "[broker]"
) -> Generator[Finding, None, None]:
    """What the broker at `place` does, tried out; stops at the first thing without which the rest is nothing.

    `own_user`: the reader is a user made for the check. Else a broker that takes the user name for the client
    id would end ingest's session, so one that knows our random client id is left alone. `ours`: mosquitto
    with our own configuration; `table` configures it. Raises nothing. A healthy mosquitto takes a second.
    Closed before its end it tidies up as well.
    """
    try:
        greeting = _first(trial, own_user=own_user)
    except Unreachable as error:
        yield Finding("broker", False, f"{place} is not reachable: {error}; start it, or correct {table}")
        return
    except NotServed as error:
        yield _not_served(place, error)
        return
    yield Finding("broker", True, f"{place} speaks MQTT 5 and lets us in")
    expiry = greeting.session_expiry_interval
    yield expiry_finding(expiry, trial.wanted.session_expiry_s, ours=ours)
    yield from greeting_findings(greeting)
    if int(greeting.max_qos) < 1:
        yield Finding("broker proofs", None, "not tried: all that needs QoS 1")
        return
    if not greeting.wildcard_subscription_available:
        trial.without_wildcards(*TOPICS)
    try:
        yield from _parts(trial, place)
        yield from whole_findings(trial.heard, [trial.topic(name) for name in NUMBERED])
    finally:
        trial.clear()


def _first(trial: Trial, *, own_user: bool) -> mqtt5.ConnAckPacket:
    """The CONNACK of a session kept as long as ingest's; it is empty, and ended at once. Raises NotServed."""
    first = trial.reader(clean=own_user, expiry_s=trial.wanted.session_expiry_s)
    if first.greeting.session_present and not own_user:
        first.leave()  # as it was found
        raise NotServed(
            "it takes the user name for the client id, so the check would end ingest's session; leave "
            "broker.username empty and let Gengfu write access_dir, which has users for the check"
        )
    first.leave(expiry_s=0)
    return first.greeting


def _parts(trial: Trial, place: str) -> Iterator[Finding]:
    for part in PARTS:
        try:
            yield from part(trial)
        except Stopped as error:
            yield Finding("broker proofs", None, f"not tried: {error}")
            return
        except Unreachable as error:
            yield Finding("broker proofs", False, f"{place} let us in once and then no more: {error}")
            return
        except NotServed as error:
            yield _not_served(place, error)
            return


def _not_served(place: str, error: NotServed) -> Finding:
    text = f"{place} does not serve us: {error}; it needs MQTT 5, valid credentials, and the right to "
    return Finding("broker", False, f"{text}publish and subscribe below {PREFIX}/")


def whole_findings(heard: list[Caller], numbered: list[str]) -> Iterator[Finding]:
    """What holds for all that arrived: the order, and no topic aliases."""
    late = sum(_overtaken(one, topic) for one in heard for topic in numbered)
    count = sum(len(one.messages) for one in heard)
    yield Finding(
        "broker order",
        not late,
        f"{count} messages arrived in the order they were published"
        if not late
        else f"{late} of {count} messages arrived after later ones of the same publisher, so the end of an "
        "alarm can overtake it; no priorities or shared queues (EMQX: mqtt.mqueue_priorities disabled)",
    )
    aliased = sum(
        packet.topic_alias is not None or not packet.topic for one in heard for packet in one.messages
    )
    yield Finding(
        "broker topic alias",
        not aliased,
        "topics come in full"
        if not aliased
        else f"{aliased} messages name their topic by a number, though we allow none; no setting mends that: "
        "ask its maker, or use mosquitto",
    )


def _overtaken(caller: Caller, topic: str) -> int:
    numbers = [int(one.payload[:6]) for one in caller.on(topic)]
    return sum(later < former for former, later in pairwise(numbers))
