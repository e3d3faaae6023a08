"""Whether what waits for an absent reader survives an ordered restart of the broker."""

from __future__ import annotations

from typing import Final

from ingest.probes.finding import Finding, NotServed, Untold
from ingest.probes.trial import Trial, numbered

WAITING: Final = 200
NAME: Final = "broker persistence"


def leave_waiting(trial: Trial) -> None:
    """Leaves a session and messages for it behind. Raises NotServed.

    It begins without Clean Start, as ingest's does: mosquitto (2.0.11 and 2.1.2, measured) does not save a
    session that last connected with it.
    """
    with trial.reader() as reader:
        reader.subscribe(*trial.filters)
    with trial.publisher as publisher:
        publisher.publish(trial.topic("waits"), numbered(WAITING, 200))


def prove_still_there(trial: Trial) -> Finding:
    """After the restart. Raises nothing."""
    try:
        with trial.reader(expiry_s=0) as reader:
            reader.gather(WAITING, acknowledge=True)
            got = len(reader.on(trial.topic("waits")))
    except Untold as error:
        return Finding(NAME, None, f"not proven: {error}")
    except NotServed as error:
        return Finding(NAME, False, f"after a restart the broker does not serve us: {error}")
    if got == WAITING:
        text = f"{WAITING} of {WAITING} waiting messages survived a restart, tried on a broker of our own; "
        return Finding(NAME, True, text + "a kill -9 loses what came in the last 30 s")
    text = f"{WAITING - got} of {WAITING} waiting messages were lost by a restart; mosquitto.conf: "
    return Finding(NAME, False, text + "persistence true, and a persistence_location it can write")


NOT_PROVEN: Final = Finding(
    NAME,
    None,
    "not proven: that needs a restart of the broker; mosquitto.conf: persistence true and autosave_interval "
    "30; EMQX: durable_sessions.enable true",
)
"""For a broker that is not ours to restart."""
