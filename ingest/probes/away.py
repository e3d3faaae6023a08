"""Proofs with a reader that is away: what waits for it, and how much at most."""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from ingest.probes.finding import Finding
from ingest.probes.trial import Trial, numbered

AWAY: Final = 2000
"""Twice mosquitto's default of 1000 queued messages a client, and EMQX's."""
SIZE: Final = 200
LARGER: Final = 4
"""How much larger the messages of a second try are, which tells a bound of messages from one of bytes."""
QOS_0: Final = 20


def prove_away(trial: Trial) -> Generator[Finding, None, None]:
    """QoS 0 and the queue, with the session that is there; it stays. Raises NotServed."""
    trial.publisher.publish(trial.topic("qos0"), numbered(QOS_0, SIZE), qos=0)
    arrived = _away(trial, AWAY, SIZE, before=QOS_0)
    zero = len(trial.heard[-1].on(trial.topic("qos0")))
    yield _qos_0(zero)
    if arrived >= AWAY:
        text = f"{AWAY} of {AWAY} messages of {SIZE} bytes published while away arrived"
        yield Finding("broker queue", True, text)
        return
    held = arrived + zero
    larger = _away(trial, min(AWAY, held + 100), SIZE * LARGER)
    yield queue_finding(arrived, held, larger)


def _away(trial: Trial, count: int, size: int, *, before: int = 0) -> int:
    """How many of `count` messages published while the reader is away arrive; `before` are there already."""
    trial.publisher.publish(trial.topic("away"), numbered(count, size))
    with trial.reader() as reader:
        reader.gather(count + before, acknowledge=True)
        return len(reader.on(trial.topic("away")))


def _qos_0(arrived: int) -> Finding:
    if arrived == QOS_0:
        return Finding("broker qos 0", True, f"{QOS_0} of {QOS_0} published at QoS 0 while away arrived")
    text = f"{QOS_0 - arrived} of {QOS_0} messages published at QoS 0 while away are lost, alarms too; "
    do = (
        "mosquitto.conf: upgrade_outgoing_qos true; EMQX: mqtt.mqueue_store_qos0 true; VerneMQ: "
        "upgrade_outgoing_qos on; elsewhere let every device publish at QoS 1"
    )
    return Finding("broker qos 0", False, text + do)


def queue_finding(arrived: int, held: int, larger: int) -> Finding:
    """What bounds the queue: `held` messages of SIZE bytes were kept, `larger` of LARGER times SIZE."""
    if larger < held * 0.7:
        bound = f"about {larger * SIZE * LARGER} bytes of payload"
        do = "mosquitto.conf: max_queued_bytes 1073741824"
    else:
        bound = f"about {held} messages"
        do = "mosquitto.conf: max_queued_messages 100000000; EMQX: mqtt.max_mqueue_len infinity"
    text = f"{arrived} of {AWAY} messages published while away arrived: no more than {bound} wait for ingest"
    return Finding("broker queue", False, f"{text}, and a minute away fills that; {do}")
