"""Proofs of the longest message, of what a new subscription gets, and of two with one client id."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from ingest.probes.caller import FAILED, Caller
from ingest.probes.finding import Finding, NotServed, Silent, Untold
from ingest.probes.trial import Trial

TRIED_BYTES: Final = 1 << 20
"""The longest payload that is sent for a proof, whatever ingest takes: no load for the site (chosen)."""
TOPIC_ROOM: Final = 64
TAKEN_OVER_S: Final = 2.0


def prove_new(trial: Trial) -> Generator[Finding, None, None]:
    """Everything that a new session shows. Raises NotServed."""
    with trial.subscribed() as reader:
        if trial.publisher.greeting.retain_available:
            yield _kept(trial, reader)
        yield _size(trial, reader)
        yield _takeover(trial, reader)


def _kept(trial: Trial, reader: Caller) -> Finding:
    """The retained message comes with a new subscription, and is marked."""
    reader.gather(1, acknowledge=True)
    kept = reader.on(trial.topic("retain"))
    if [one.retain for one in kept] == [True]:
        return Finding("broker retained", True, "a new subscription gets what was retained, marked as such")
    seen = "not marked as retained" if kept else "lost"
    return Finding(
        "broker retained",
        False,
        f"a retained message is {seen} for a new subscription, so smoke that began before ingest first came "
        "is not seen as such; let the broker keep retained messages (EMQX: retainer.enable true)",
    )


def _size(trial: Trial, reader: Caller) -> Finding:
    """The longest payload that ingest takes goes through and arrives whole."""
    name, longest = "broker packet size", trial.wanted.max_payload_bytes
    allowed = trial.publisher.greeting.max_packet_size
    do = f"mosquitto.conf: message_size_limit {longest} and no max_packet_size; EMQX: mqtt.max_packet_size"
    if allowed is not None and allowed < longest + TOPIC_ROOM:
        text = f"packets of {allowed} bytes at most are taken, and ingest takes payloads of {longest}; {do}"
        return Finding(name, False, text)
    size = min(longest, TRIED_BYTES)
    try:
        reason = trial.publisher.reason_of(trial.topic("size"), b"." * size)
    except Untold:
        raise
    except NotServed as error:
        trial.drop_publisher()
        what = "gets no answer" if isinstance(error, Silent) else "is thrown out"
        return Finding(name, False, f"who publishes {size} bytes {what} ({error}); {do}")
    if reason >= FAILED:
        return Finding(name, False, f"a payload of {size} bytes is refused ({reason:#04x}); {do}")
    reader.gather(len(reader.messages) + 1, acknowledge=True, quiet_s=2.0)
    if [len(one.payload) for one in reader.on(trial.topic("size"))] != [size]:
        return Finding(name, False, f"a payload of {size} bytes is taken and does not arrive; {do}")
    return Finding(name, True, f"a payload of {size} bytes arrives whole")


def _takeover(trial: Trial, reader: Caller) -> Finding:
    """A second connection with the client id ends the first, which must learn of it."""
    other = trial.reader(clean=True, expiry_s=0)
    ended = reader.is_ended(TAKEN_OVER_S)
    other.leave()
    text = (
        f"who connects with a client id in use ends the former connection ({reader.ended})"
        if ended
        else "two connections share one client id unnoticed, and each gets half of the messages; no setting "
        "mends that: ask its maker, or use mosquitto"
    )
    return Finding("broker takeover", ended, text)
