"""The standing fault of publishers that the broker refused: a stranger, or a wrong password.

A detector with a wrong password is a detector that nobody hears, so it is said and not only counted.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Engine, case, exists, func, select

from alerts.standing import settle_faults
from devices.database import reading
from devices.model import Severity
from devices.schema import publisher, refusal

REFUSED: Final = "publishers_refused"
WITHIN_US: Final = 3_600_000_000
"""A refusal stands on the board for an hour (chosen: a device that retries stays there)."""
_SHOWN: Final = 60
"""Characters of a name a stranger chose."""


def check_refused(engine: Engine, now_us: int) -> None:
    """Begins, renews and ends the fault `publishers_refused`."""
    with reading(engine) as connection:
        found = find_refused(connection, now_us)
    settle_faults(engine, (REFUSED,), found, now_us, Severity.P2)


def find_refused(connection: Connection, now_us: int) -> dict[str, str]:
    """The fault as code and text, in zh-CN and English: how many within the hour, and one of them: a
    publisher of the registry before a stranger, the latest first. Counts reach back beyond the hour, so
    they say nothing of who is worst now."""
    recent = (refusal.c.last_us > now_us - WITHIN_US) & refusal.c.kind.in_(tuple(_WHY))
    number = connection.scalar(select(func.count()).select_from(refusal).where(recent)) or 0
    if not number:
        return {}
    ours = exists().where(publisher.c.name == refusal.c.who, publisher.c.revoked_us.is_(None))
    worst = connection.execute(
        select(refusal.c.who, refusal.c.kind)
        .where(recent)
        .order_by(case((ours, 0), else_=1), refusal.c.last_us.desc(), refusal.c.count.desc(), refusal.c.id)
        .limit(1)
    ).one()
    name = worst.who[:_SHOWN]
    chinese = f"{number} 个名称或地址被消息服务器拒绝，例如 {name}（{_WHY[worst.kind][0]}）"
    count = "1 name or address was" if number == 1 else f"{number} names and addresses were"
    english = f"{count} refused by the broker, such as {name} ({_WHY[worst.kind][1]})"
    return {REFUSED: f"{chinese} · {english}; gengfu publisher refusals"}


_WHY: Final = {"login": ("登录", "login"), "topic": ("主题", "topic")}
