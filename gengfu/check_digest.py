"""What `gengfu check` says of who is told of what can wait (P3), of which nobody is paged."""

from __future__ import annotations

from sqlalchemy import Connection

from alerts.digest_watch import can_be_told
from devices.bound import duty_desks, holders
from devices.model import Role
from gengfu.config import Config
from gengfu.digest_here import digest_settings
from ingest.probes.finding import Finding

_BIND = "`gengfu contact bind --role maintenance`"


def digest_finding(connection: Connection, config: Config, now_us: int) -> Finding:
    """Whether the digest of each day goes out, and to whom; a problem where it would reach nobody."""
    if not config.digest.daily:
        off = "off (`digest.daily`): nobody is told of what can wait (P3) but by a policy of the site's own"
        return Finding("daily digest", None, f"{off}; set it to true")
    refused = digest_settings(config).refused
    bound = holders(connection, (Role.MAINTENANCE,), now_us, live=True)
    keepers = {one.contact_id for one in bound if can_be_told(one, refused)}
    if keepers:
        people = "1 contact is" if len(keepers) == 1 else f"{len(keepers)} contacts are"
        return Finding("daily digest", True, f"at {config.digest.at}; {people} bound as maintenance")
    lack = "nobody is bound as maintenance"
    if bound:
        lack = "nobody who is bound as maintenance has a channel for it (no call, no siren) and is there"
    if any(can_be_told(one, refused) for one in duty_desks(connection, now_us, live=True)):
        return Finding("daily digest", None, f"{lack}: what can wait (P3) goes to the duty desk; {_BIND}")
    return Finding("daily digest", False, f"{lack}, and no duty desk either: P3 reaches nobody; {_BIND}")
