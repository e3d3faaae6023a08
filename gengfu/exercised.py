"""Whether a device was in a window of ours at a time: windows are the room of alerts, devices are not."""

from __future__ import annotations

from sqlalchemy import Connection

from alerts.joining import Where
from alerts.places import device_place
from alerts.surroundings import surroundings
from alerts.windows import EARLIER_US, WindowKind
from alerts.windows_kept import list_windows


def exercise_at(connection: Connection, uid: str, observed_us: int, received_us: int) -> str:
    """`commissioning` or `drill` where such a window was open over the device when it said something; empty
    where none was.

    By where it hangs now; and as `alerts.windows` says of alarms: observed and received within the window.
    """
    where = device_place(connection, uid) or Where(f"device:{uid}")
    around = surroundings(connection, [where])[where]
    found = {
        window.kind
        for window in list_windows(connection, since_us=received_us)
        if window.kind is not WindowKind.SILENCE
        and window.from_us <= received_us
        and window.from_us - EARLIER_US <= observed_us
        and window.covers(around, (uid,))
    }
    return next((str(kind) for kind in (WindowKind.COMMISSIONING, WindowKind.DRILL) if kind in found), "")
