from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select

from alerts.receipt_schema import receipt
from alerts.replies_lost import REPLIES_LOST, WITHIN_US, check_replies
from alerts.schema import system_fault
from devices.database import open_database, reading, writing

NOW = 1_700_000_000_000_000


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    opened = open_database(database)
    yield opened
    opened.dispose()


def heard(engine: Engine, key: str, outcome: str, act: str = "", at_us: int = NOW) -> None:
    words = dict.fromkeys(("receipt", "own_id", "detail", "keys", "text", "contacts"), "")
    row = {"once_key": key, "carrier": "aliyun_sms", "state": "reply", "at_us": at_us, "heard_us": at_us}
    with writing(engine) as connection:
        connection.execute(receipt.insert().values(**row, **words, outcome=outcome, act=act))


def fault(engine: Engine, now_us: int) -> str:
    check_replies(engine, now_us)
    f = system_fault.c
    with reading(engine) as connection:
        standing = select(f.text).where(f.code == REPLIES_LOST, f.ended_us.is_(None))
        return connection.scalar(standing) or ""


def test_replies_that_count_for_nothing_are_a_fault_for_a_day(engine: Engine) -> None:
    heard(engine, "a", "done", "acknowledge")
    assert fault(engine, NOW) == ""
    heard(engine, "b", "nobody", "need_help")
    heard(engine, "c", "nobody")
    heard(engine, "d", "no_incident", at_us=NOW + 1)
    assert fault(engine, NOW + 1) == (
        "短信回复未生效：2 条来自无人登记的号码、1 条没有对应的警情、其中 1 条求助 · "
        "replies by SMS without effect: 2 from numbers nobody has, 1 about no open incident, "
        "1 of them ask for help"
    )
    assert "1 about no open incident" in fault(engine, NOW + WITHIN_US)
    assert fault(engine, NOW + WITHIN_US + 1) == ""
