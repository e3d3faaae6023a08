"""Proofs with a reader that is there: how much is sent ahead, what comes again after a cut, retained bits."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Final

import mqtt5

from ingest.probes.caller import Caller
from ingest.probes.finding import Finding, NotServed, Stopped, Untold
from ingest.probes.trial import KEPT_S, PREFIX, Trial, numbered

LIVE: Final = 1000
"""Messages published while the reader acknowledges nothing."""
AHEAD: Final = 500
"""So many unacknowledged at once do not cap the rate: at 200 ticks a second 100,000 messages (chosen)."""
SIZE: Final = 200
"""Bytes of payload, as design section 8 counts."""
ASYNC_S: Final = 0.3
"""How much later than the SUBACK a broker may replay retained messages (chosen)."""

Packets = list[mqtt5.PublishPacket]


def prove_live(trial: Trial) -> Generator[Finding, None, None]:
    """Subscription, in flight, session, redelivery, retain. Leaves the session behind. Raises NotServed."""
    keeps = trial.publisher.greeting.retain_available
    with trial.reader(clean=True) as reader:
        yield from _subscribe(trial, reader)
        if keeps:
            trial.publisher.reason_of(trial.topic("retain"), b"kept", retain=True, expiry_s=KEPT_S)
        trial.publisher.publish(trial.topic("live"), numbered(LIVE, SIZE))
        reader.gather(LIVE + keeps, acknowledge=False)
        first = reader.on(trial.topic("live"))
        yield in_flight(len(first), trial.wanted.receive_maximum)
        yield _retain(reader.on(trial.topic("retain"))) if keeps else NO_RETAIN
        reader.cut()
    with trial.reader() as again:
        yield session(present=again.greeting.session_present)
        if not again.greeting.session_present:
            raise Stopped("what waits in the session")
        again.gather(len(first) + keeps, acknowledge=False)
        yield redelivery(first, again.on(trial.topic("live")))
        again.subscribe(*trial.filters)
        again.gather(LIVE + keeps, acknowledge=True)
        if keeps:
            yield resubscribe(_after(trial, again), trial.topic("marker"))


def _subscribe(trial: Trial, reader: Caller) -> Iterator[Finding]:
    """Raises Stopped."""
    name = "broker subscription"
    try:
        reader.subscribe(*trial.filters)
    except Untold:
        raise
    except NotServed as error:
        yield Finding(
            name, False, f"{error}; let this user subscribe at QoS 1 below {PREFIX}/, as ingest must"
        )
        raise Stopped("whatever has to be received") from None
    yield Finding(name, True, "QoS 1 is granted")


def _after(trial: Trial, again: Caller) -> Packets:
    """What the second connection got, once nothing can come of its subscribing any more."""
    trial.publisher.publish(trial.topic("marker"), [b"after"])
    again.gather(len(again.messages) + 1, acknowledge=True)
    again.gather(len(again.messages) + 1, acknowledge=True, quiet_s=ASYNC_S)
    return again.messages


def in_flight(sent: int, receive_maximum: int) -> Finding:
    """`sent` of LIVE came before the first acknowledgement."""
    name = "broker in flight"
    if sent >= min(AHEAD, receive_maximum):
        return Finding(name, True, f"{sent} of {LIVE} messages were sent ahead of the first acknowledgement")
    text = f"only {sent} messages are sent ahead of acknowledgements, so no more a tick: "
    more = f"at most about {sent * 200} a second; mosquitto.conf: max_inflight_messages 65534; EMQX: "
    return Finding(name, False, f"{text}{more}mqtt.max_inflight 10000; elsewhere the in-flight window")


def session(*, present: bool) -> Finding:
    """Whether the broker knew us after a cut."""
    text = (
        "kept over a lost line"
        if present
        else "forgotten when the line was lost, with all that waits in it; allow persistent sessions "
        "(mosquitto 2.0.12 to 2.0.18: no per_listener_settings; EMQX: a session expiry above 0)"
    )
    return Finding("broker session", present, text)


def redelivery(before: Packets, again: Packets) -> Finding:
    """What was unacknowledged must come again first, in order, with DUP and the same packet id.

    Ingest tells it from new messages by that (ingest/redelivery.py).
    """
    name, count = "broker redelivery", len(before)
    if not before:
        return Finding(name, None, "not tried: nothing had arrived that could come again")
    got = again[:count]
    same = [_identity(one) for one in got] == [_identity(one) for one in before]
    if same and all(one.duplicate for one in got):
        return Finding(name, True, f"{count} came again after a cut, each with DUP and its packet id")
    known = {_identity(one) for one in before}
    right = sum(one.duplicate and _identity(one) in known for one in got)
    text = f"of {count} unacknowledged messages {right} came again after a cut with DUP and their packet id"
    order = ", in another order" if right == count else ""
    return Finding(
        name,
        False,
        f"{text}{order}: ingest would lose the others or take them for new ones; no setting mends that, see "
        "MQTT 5 section 4.4 and ask its maker, or use mosquitto",
    )


def _identity(one: mqtt5.PublishPacket) -> tuple[int | None, bytes]:
    return one.packet_id, one.payload


def _retain(live: Packets) -> Finding:
    """Retain As Published 0 of a live message."""
    name = "broker retain"
    if [one.retain for one in live] == [False]:
        return Finding(name, True, "a live message published with retain arrives as live")
    seen = "arrives marked as retained and would be muted" if live else "does not arrive"
    text = f"a live message published with retain {seen}; the broker must honour Retain As Published 0 "
    return Finding(name, False, f"{text}(no bridge or rewrite rule may set the bit)")


NO_RETAIN: Final = Finding(
    "broker retain",
    False,
    "retained messages are not taken, and who publishes one is thrown out, with an alarm in it; "
    "mosquitto.conf: retain_available true; EMQX: mqtt.retain_available true",
)


def resubscribe(packets: Packets, marker: str) -> Finding:
    """Retain Handling 1 of a repeated subscription, after which a message on `marker` was published."""
    name = "broker resubscribe"
    if not [one for one in packets if one.topic == marker]:
        return Finding(name, None, "not tried: nothing arrives after subscribing again")
    if not [one for one in packets if one.retain and not one.duplicate]:
        return Finding(name, True, "subscribing again replays nothing")
    text = "subscribing again replays retained messages, old alarms after each lost line; the broker must "
    return Finding(name, False, f"{text}honour Retain Handling 1: ask its maker, or use mosquitto")
