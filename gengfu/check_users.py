"""What `gengfu check` says of the console's users: whether an alarm anywhere is on somebody's screen."""

from __future__ import annotations

from sqlalchemy import Connection

from devices.overseen import unseen
from devices.shortlist import shortlist
from ingest.probes.finding import Finding

_GIVE = "`gengfu user scope LOGIN --everywhere`"


def users_finding(connection: Connection) -> Finding:
    """A problem where no operator or supervisor who may log in sees what is at no known place, or an area
    that has buildings. People are told of alarms all the same."""
    left_out = unseen(connection)
    if not left_out.unplaced:
        return Finding("screens", True, "an operator or supervisor sees everywhere")
    text = "no operator or supervisor sees everywhere: an alarm at no known place is on nobody's screen"
    if left_out.areas:
        text += f"; areas with buildings that none of them sees: {shortlist(left_out.areas)}"
    return Finding("screens", False, f"{text}; {_GIVE}, or `gengfu user add`")
