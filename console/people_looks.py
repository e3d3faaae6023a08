"""One look at one number: allowed, opened and put on record in one transaction, or none of it.

Errors, besides those of a request (NotSignedIn, Forbidden, 404):
* NotShown: this number is not shown now; the reason is a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from fastapi import HTTPException
from sqlalchemy import Connection, Engine, func, insert, select

from alerts.in_scope import is_seen
from alerts.sayings import pack
from alerts.schema import incident_change
from console.access import Forbidden, Right, has
from console.people_bound import concerned_by, held_back
from console.people_seam import TELEPHONES, NoNumber, Seam, Unopened
from console.session import NotSignedIn, SignedIn, who_is
from devices.bound import Bound
from devices.database import reading, writing
from devices.registry.rows import note_look
from devices.schema import look

log = structlog.get_logger()

LOOKS: Final = 30
WINDOW_US: Final = 10 * 60 * 1_000_000
"""Looks of one user in so long (chosen: everybody of one fire and those of the next one; a register is not
read off so)."""
BY_MAX: Final = 64
"""As much of a name as the record of looks keeps."""
TOO_MANY: Final = "too_many"
UNOPENED: Final = "unopened"


class NotShown(Exception):
    """This number is not shown now; the text is why: a word of `Held`, `too_many` or `unopened`."""


@dataclass(frozen=True, slots=True)
class Number:
    """What was asked for. Never put it into a log or a URL."""

    code: str
    text: str

    def __repr__(self) -> str:
        return f"Number(of {self.code})"

    @property
    def dial(self) -> str:
        """The number as a `tel:` link has it: digits, and + where it was written."""
        digits = "".join(letter for letter in self.text if letter in "+0123456789")
        return f"tel:{digits}"


def look_at(
    engine: Engine, seam: Seam, incident_id: int, channel_id: int, session: Mapping[str, Any], now_us: int
) -> Number:
    """The number of a channel of somebody whom the incident concerns, once the look is committed.

    Who `session` is, with which role and scope, and how often they looked is asked in the transaction that
    records it. 404 for an incident that this user does not see and for a channel of nobody there, as for what
    is not there. Raises NotShown.
    """
    with reading(engine) as connection:  # whoever gets nothing keeps no writer waiting
        user = _admitted(connection, incident_id, session, now_us)
        _allowed(connection, incident_id, channel_id, user, now_us)
    with writing(engine) as connection:
        user = _admitted(connection, incident_id, session, now_us)
        one = _allowed(connection, incident_id, channel_id, user, now_us)
        number = Number(one.code, _opened(connection, seam, one, channel_id))
        _record(connection, incident_id, one, channel_id, user, now_us)
    return number


def _admitted(connection: Connection, incident_id: int, session: Mapping[str, Any], now_us: int) -> SignedIn:
    """The user, who may see numbers and sees this incident now."""
    user = who_is(connection, session, now_us)
    if user is None:
        raise NotSignedIn
    if not has(user, Right.SEE_NUMBERS):
        raise Forbidden(user)
    if not is_seen(connection, incident_id, user.scope):
        raise HTTPException(404)
    return user


def _allowed(connection: Connection, incident_id: int, channel_id: int, user: SignedIn, now_us: int) -> Bound:
    """Whose channel it is, where it may be shown."""
    about = concerned_by(connection, incident_id, now_us)
    many = [one for one in about.bound if _is_way_of(one, channel_id)] if about else []
    if about is None or not many:
        raise HTTPException(404)
    if held := held_back(about, many, now_us):
        raise NotShown(str(held))
    if _looks(connection, user, now_us) >= LOOKS:
        log.warning("number_refused", by=user.actor, incident=incident_id, why=TOO_MANY)
        raise NotShown(TOO_MANY)
    return many[0]


def _is_way_of(one: Bound, channel_id: int) -> bool:
    return any(way.channel_id == channel_id and way.carrier in TELEPHONES for way in one.ways)


def _looks(connection: Connection, user: SignedIn, now_us: int) -> int:
    """How often the user looked at anything of late. A clock that was put back frees nobody."""
    mine = (look.c.by == user.actor[:BY_MAX]) & (look.c.at_us > now_us - WINDOW_US)
    return int(connection.scalar(select(func.count()).select_from(look).where(mine)) or 0)


def _opened(connection: Connection, seam: Seam, one: Bound, channel_id: int) -> str:
    try:
        return seam.number_of(connection, one.contact_id, channel_id)
    except NoNumber:
        raise HTTPException(404) from None
    except Unopened as error:
        log.error("number_not_opened", contact=one.code, error=str(error))
        raise NotShown(UNOPENED) from None


def _record(
    connection: Connection, incident_id: int, one: Bound, channel_id: int, user: SignedIn, now_us: int
) -> None:
    """In the record of looks, and on the incident's timeline."""
    what = f"number, channel {channel_id}, incident {incident_id}"
    note_look(connection, user.actor, now_us, one.contact_id, what)
    line = {
        "incident_id": incident_id, "at_us": now_us, "kind": "look", "by": user.actor, "via": "console",
        "text": pack("looked", contact=one.code),
    }  # fmt: skip
    connection.execute(insert(incident_change), line)
