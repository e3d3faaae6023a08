"""The standing fault of replies by SMS that count for nothing: from numbers nobody has, or about nothing."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Engine, func, select

from alerts.case import Act
from alerts.receipt_schema import receipt as table
from alerts.replying import NO_INCIDENT, NOBODY
from alerts.standing import settle_faults
from devices.database import reading
from devices.model import Severity

REPLIES_LOST: Final = "replies_lost"
WITHIN_US: Final = 24 * 3600 * 1_000_000
"""A reply stands on the board for a day (chosen: a day shift sees what a night had)."""


def check_replies(engine: Engine, now_us: int) -> None:
    """Begins, renews and ends the fault `replies_lost`."""
    with reading(engine) as connection:
        found = find_lost(connection, now_us)
    settle_faults(engine, (REPLIES_LOST,), found, now_us, Severity.P2)


def find_lost(connection: Connection, now_us: int) -> dict[str, str]:
    """The fault as code and text, in zh-CN and English: how many within a day, and how many asked for help.
    No number and no word of them is shown."""
    c = table.c
    rows = connection.execute(
        select(c.outcome, c.act, func.count().label("number"))
        .where(c.outcome.in_((NOBODY, NO_INCIDENT)), c.heard_us > now_us - WITHIN_US)
        .group_by(c.outcome, c.act)
    ).all()
    if not rows:
        return {}
    strangers = sum(row.number for row in rows if row.outcome == NOBODY)
    pointless = sum(row.number for row in rows if row.outcome == NO_INCIDENT)
    help_wanted = sum(row.number for row in rows if row.act == Act.NEED_HELP)
    said = [
        (f"{strangers} 条来自无人登记的号码", f"{strangers} from numbers nobody has") if strangers else None,
        (f"{pointless} 条没有对应的警情", f"{pointless} about no open incident") if pointless else None,
        (f"其中 {help_wanted} 条求助", f"{help_wanted} of them ask for help") if help_wanted else None,
    ]
    parts = [one for one in said if one]
    chinese = "短信回复未生效：" + "、".join(one[0] for one in parts)
    english = "replies by SMS without effect: " + ", ".join(one[1] for one in parts)
    return {REPLIES_LOST: f"{chinese} · {english}"}
