"""What a short answer to a summary does.

"Received" is said of every incident that the summary lists, as by the button on its page. "False alarm" is
said of none where it told of several: who reads "14 alarms" cannot know of each. That is noted, and the
sender is told once by the same way, with the link to the list.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Row, distinct, func, select

from alerts.attempts import begin
from alerts.case import Act
from alerts.evidence import CHINESE, Both
from alerts.handover import pack_parts, read_parts
from alerts.said import Answer, Said
from alerts.schema import attempt, notification
from alerts.summary_view import answered_by, told_in_summary
from devices.database import insert_new

ANSWERS: Final = frozenset({Act.ACKNOWLEDGE, Act.FALSE_ALARM})
"""Acts that are about the whole of a summary. Whoever needs help is helped at the worst of what is open."""
_NOT_OF_THIS: Final = "收到：所回复的是汇总短信，不是本警情 · received: said of a summary, not of this"
_NOT_OF_ALL: Final = "误报：所回复的汇总有{n}条，未停止 · false alarm: said of a summary of {n}, stopped none"
_WHAT: Final[Both] = (
    "您的回复未生效：它回复的是{n}条警情的汇总，无法确定是哪一条，通知照常进行。",
    "Your reply did not take effect: it answered a summary of {n} alarms, and nothing was stopped. ",
)
_DO: Final[Both] = ("请打开链接逐条答复。", "Answer each of them by the link.")
_SAME: Final = (
    "incident_id", "contact_id", "channel_id", "medium", "role", "severity", "rank", "link", "language",
)  # fmt: skip


def is_summary(message: Row[Any]) -> bool:
    """Whether a row of `notification` that was sent told of others too: a summary, the same by a further way,
    or the message that asks which was meant."""
    return message.told_in is not None


def answer_to_summary(
    connection: Connection, summary: Row[Any], act: Act, said_us: int, now_us: int, worst: Said | None = None
) -> Answer | None:
    """What "received" or "false alarm" to this summary does; None where all that it told of is long over.

    `summary`: the row that carried it, by whichever way.
    `worst`: the note on the worst open incident that the sender was told of, where one is to be left if the
    answer is not about it.
    """
    told = told_in_summary(connection, summary.told_in, summary.contact_id, now_us)
    if not told:
        return None
    at_us = max(said_us, summary.created_us + 1)

    def of(number: int, role: str, act: Act, note: str = "", once: str = "") -> Said:
        return Said(number, summary.contact_id, role, act, note, at_us, once)

    if act is Act.ACKNOWLEDGE:
        once = f"summary/{summary.told_in}"  # who says it a hundred times has said it once
        mine = {one.incident_id: of(one.incident_id, one.role, act, once=once) for one in answered_by(told)}
        apart = {one.incident_id: one.role for one in told if one.is_apart}
        if worst is not None and worst.incident_id not in mine:
            apart[worst.incident_id] = worst.role
        notes = (of(number, role, Act.NOTE, _NOT_OF_THIS) for number, role in apart.items())
        return Answer((*mine.values(), *notes))
    number = _number(connection, summary.told_in)
    first = told[0]
    if number > 1:
        note = of(first.incident_id, first.role, Act.NOTE, _NOT_OF_ALL.format(n=number))
        return Answer((note,), unclear=summary)
    is_told = first.is_open and not first.is_apart
    return Answer((of(first.incident_id, first.role, act if is_told else Act.NOTE),))


def ask_which(connection: Connection, summary: Row[Any], now_us: int) -> list[Row[Any]]:
    """The message that says why an answer to a summary did nothing, with attempt 1 started; once a summary,
    so that nobody is sent one for each reply. It goes by the way that carried the summary and comes with it:
    the next reply is to that again."""
    pick = summary.language != CHINESE
    what = _WHAT[pick].format(n=_number(connection, summary.told_in))
    values = {name: summary._mapping[name] for name in _SAME} | {
        "key": f"{summary.key.rpartition('/')[0]}/which-{summary.told_in}",
        "text": what + _DO[pick],
        "parts": pack_parts({**read_parts(summary.parts), "what": what, "do": _DO[pick], "answer": ""}),
        "created_us": now_us,
        "state": "sending",
        "attempts": 1,
        "next_try_us": 0,
        "told_in": summary.told_in,
    }
    new = connection.execute(
        insert_new(connection, notification).values(values).returning(notification)
    ).first()
    if new is None:
        return []
    connection.execute(attempt.insert().values(begin(new.id, 1, now_us)))
    return [new]


def _number(connection: Connection, summary_id: int) -> int:
    n = notification.c
    query = select(func.count(distinct(n.incident_id))).where(n.told_in == summary_id)
    return int(connection.scalar(query) or 0)
