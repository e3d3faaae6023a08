"""All proofs on one broker, one after another, and the tidying up behind them.

What the site has there is left alone: own topics, own client ids, about 3,500 messages of 200 bytes and one
of the longest that ingest takes. Whoever subscribes to everything gets those too.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from itertools import pairwise
from typing import Final, Protocol

import mqtt5

from ingest.probes.away import prove_away
from ingest.probes.finding import Finding, NotServed, Silent, Stopped, TakenOver, Unreachable, Untold
from ingest.probes.greeting import expiry_finding, greeting_findings
from ingest.probes.live import prove_live
from ingest.probes.size import prove_new
from ingest.probes.trial import NUMBER_BYTES, PREFIX, Trial

Part = Callable[[Trial], Generator[Finding, None, None]]
PARTS: Final[tuple[Part, ...]] = (prove_live, prove_away, prove_new)
TOPICS: Final = ("live", "retain", "marker", "qos0", "away", "size")
NUMBERED: Final = ("live", "away", "qos0")
OWN_TABLE: Final = "[broker]"
BY_NAME: Final = "it takes the user name for the client id"
NEEDS: Final = f"it needs the right to publish and subscribe below {PREFIX}/"
FASTER: Final = "try again from nearer by, or when the line is free"
ALONE: Final = "try again when no other check runs, and let no other program use the users of the check"
OTHER_S: Final = 0.3
"""After the reader's place another check has taken the publisher's too (chosen: two round trips)."""
LOOK: Final = "look at its log, and at what lies between"


def probe_broker(
    trial: Trial, place: str, *, own_user: bool, ours: bool, table: str = OWN_TABLE
) -> Generator[Finding, None, None]:
    """What the broker at `place` does, tried out; stops at the first thing without which the rest is nothing.

    `own_user`: the reader is a user made for the check. Else a broker that takes the user name for the client
    id would end ingest's session, so one that knows our random client id is left alone. `ours`: mosquitto
    with our own configuration; `table` configures it. Raises no NotServed. A healthy mosquitto takes a
    second; closed before its end it tidies up as well.
    """
    try:
        greeting = _first(trial, table, own_user=own_user)
    except Unreachable as error:
        yield Finding("broker", False, f"{place} is not reachable: {error}; start it, or correct {table}")
        return
    except Untold as error:
        yield _untold(trial, place, error)
        return
    except Silent as error:
        yield Finding("broker", False, f"{place} does not serve us: {error}; {LOOK}")
        return
    except Stopped as error:
        yield Finding("broker", True, f"{place} lets us in")
        yield Finding("broker proofs", None, f"not tried: {error}")
        return
    except NotServed as error:
        needs = "it needs MQTT 5, and valid credentials"
        yield Finding("broker", False, f"{place} does not serve us: {error}; {needs}")
        return
    yield Finding("broker", True, f"{place} speaks MQTT 5 and lets us in")
    expiry = greeting.session_expiry_interval
    yield expiry_finding(expiry, trial.wanted.session_expiry_s, ours=ours)
    yield from greeting_findings(greeting)
    if int(greeting.max_qos) < 1:
        yield Finding("broker proofs", None, "not tried: all that needs QoS 1")
        trial.leave()
        return
    try:
        if not greeting.wildcard_subscription_available:
            trial.without_wildcards(*TOPICS)
        yield from _parts(trial, place)
        yield from whole_findings(trial.heard, [trial.topic(name) for name in NUMBERED])
    finally:
        trial.clear()


def _first(trial: Trial, table: str, *, own_user: bool) -> mqtt5.ConnAckPacket:
    """The CONNACK of a session kept as long as ingest's; it is empty, and ended at once.

    The publisher is connected from then on. Raises NotServed; Stopped where one client id would serve both.
    """
    first = trial.reader(clean=own_user, expiry_s=trial.wanted.session_expiry_s, keep_alive_s=60)
    if first.greeting.session_present and not own_user:
        first.leave()  # as it was found
        raise Stopped(f"{BY_NAME}, so the check would end ingest's session; {_way_out(table)}")
    try:
        publisher = trial.publisher
    except NotServed:
        first.leave(expiry_s=0)
        raise
    with suppress(NotServed):
        first.round_trip()
    if first.gone and not own_user:
        publisher.leave()
        raise Stopped(
            f"{BY_NAME}, so publisher and reader of this one user end each other; {_way_out(table)}"
        )
    if trial.is_robbed(first):
        publisher.leave()
        raise TakenOver(first.ended)
    first.leave(expiry_s=0)
    trial.two_at_once = True
    return first.greeting


def _way_out(table: str) -> str:
    if table == OWN_TABLE:
        return "leave broker.username empty and let Gengfu write access_dir, which has users for the check"
    return "let it be tried for once with that turned off, at a time when ingest is not connected"


def _parts(trial: Trial, place: str) -> Iterator[Finding]:
    for part in PARTS:
        try:
            yield from _ours_alone(trial, part)
        except Stopped as error:
            yield Finding("broker proofs", None, f"not tried: {error}")
            return
        except Untold as error:
            yield _untold(trial, place, error)
            return
        except Unreachable as error:
            yield Finding("broker proofs", False, f"{place} let us in once and then no more: {error}")
            return
        except NotServed as error:
            do = LOOK if isinstance(error, Silent) else NEEDS
            yield Finding("broker proofs", False, f"{place} let us in and does not serve us: {error}; {do}")
            return


def _ours_alone(trial: Trial, part: Part) -> Iterator[Finding]:
    """Before something is said against the broker: it was not another check. Raises NotServed."""
    with closing(part(trial)) as found:
        try:
            for one in found:
                if one.ok is False:
                    trial.still_ours()
                yield one
        except (Stopped, Untold, Unreachable, Silent):
            raise
        except NotServed:
            trial.still_ours(within_s=OTHER_S)
            raise


def _untold(trial: Trial, place: str, error: Untold) -> Finding:
    """What of the rest is not tried, because of the line or of somebody else."""
    trial.taken_over = isinstance(error, TakenOver)
    trial.two_at_once = trial.two_at_once and not trial.taken_over
    why = f"{place}: {error}; {FASTER}"
    if trial.taken_over:
        why = f"somebody else connected to {place} as a user of this check, it seems ({error}); {ALONE}"
    return Finding("broker proofs", None, f"not tried from here on: {why}")


class Hearer(Protocol):
    """A connection as far as it was heard on; a Caller is one."""

    messages: list[mqtt5.PublishPacket]

    def on(self, topic: str) -> list[mqtt5.PublishPacket]:
        """What arrived on `topic`."""


def whole_findings(heard: Sequence[Hearer], numbered: list[str]) -> Iterator[Finding]:
    """What holds for all that arrived: the order, and no topic aliases; nothing where nothing arrived."""
    yield _order([[one.payload for one in caller.on(topic)] for caller in heard for topic in numbered])
    packets = [packet for one in heard for packet in one.messages]
    aliased = sum(packet.topic_alias is not None or not packet.topic for packet in packets)
    name = "broker topic alias"
    if not packets:
        yield Finding(name, None, "not tried: nothing arrived")
    elif aliased:
        text = (
            f"{aliased} messages name their topic by a number, though we allow none; no setting mends that: "
        )
        yield Finding(name, False, f"{text}ask its maker, or use mosquitto")
    else:
        yield Finding(name, True, "topics come in full")


def _order(streams: list[list[bytes]]) -> Finding:
    """Of each publisher's messages to each connection; they begin with their numbers."""
    name = "broker order"
    count = sum(map(len, streams))
    foreign = sum(not _is_numbered(payload) for stream in streams for payload in stream)
    late = sum(
        later[:NUMBER_BYTES] < former[:NUMBER_BYTES]
        for stream in streams
        for former, later in pairwise(stream)
    )
    if not any(len(stream) > 1 for stream in streams):
        return Finding(name, None, "not tried: no two messages arrived")
    if foreign:
        text = f"{foreign} of {count} messages arrived with another payload than they were published with; "
        return Finding(name, False, f"{text}no rule of the broker may rewrite them")
    if late:
        text = f"{late} of {count} messages arrived after later ones of the same publisher, so the end of an "
        do = "alarm can overtake it; no priorities or shared queues (EMQX: mqtt.mqueue_priorities disabled)"
        return Finding(name, False, text + do)
    return Finding(name, True, f"{count} messages arrived in the order they were published")


def _is_numbered(payload: bytes) -> bool:
    return len(payload) > NUMBER_BYTES and payload[:NUMBER_BYTES].isdigit()
