from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from alerts.channels.channel import Accepted, Failed, Outcome
from alerts.handover import Handover
from alerts.outbox import Ended, due_retries, write_outcomes
from alerts.schema import notification, system_fault
from alerts.undelivered import UNDELIVERED_P0, check_undelivered
from devices.database import reading, writing
from devices.model import Carrier, Medium, Severity
from tests.alerts.outboxes import NOW, SECOND, Outbox, open_outbox

PUSH = (Medium.PUSH, Carrier.WEBHOOK, "http://push")
SMS = (Medium.SMS, Carrier.APPRISE, "sms://1")
REFUSED = Failed("HTTP 404", permanent=True)


@pytest.fixture
def outbox(database: str) -> Iterator[Outbox]:
    with open_outbox(database) as opened:
        yield opened


def write(outbox: Outbox, handovers: list[Handover], outcome: Outcome, at_us: int) -> list[Handover]:
    with writing(outbox.engine) as connection:
        return write_outcomes(connection, [Ended(h, outcome, at_us) for h in handovers])


def refuse(outbox: Outbox, handovers: list[Handover], times: int) -> int:
    """Every try is refused, on every way; when the last of them was."""
    now_us = NOW
    for n in range(times):
        while handovers:
            handovers = write(outbox, handovers, REFUSED, now_us)
        if n + 1 < times:
            now_us += 30 * SECOND
            with writing(outbox.engine) as connection:
                handovers = due_retries(connection, now_us, 100)
    return now_us


def fault(outbox: Outbox) -> str:
    """The text of the fault that stands after a look; empty for none."""
    check_undelivered(outbox.engine, NOW)
    table = system_fault.c
    with reading(outbox.engine) as connection:
        standing = table.ended_us.is_(None), table.code == UNDELIVERED_P0
        return connection.scalar(select(table.text).where(*standing)) or ""


def test_a_fire_message_refused_again_and_again_is_a_standing_fault_with_role_and_count(
    outbox: Outbox,
) -> None:
    handovers = outbox.tell([*outbox.add_contact(PUSH), *outbox.add_contact(PUSH)], Severity.P0)
    now_us = refuse(outbox, handovers, 5)
    assert fault(outbox) == ""
    with writing(outbox.engine) as connection:
        due_retries(connection, now_us + 30 * SECOND, 100)
    assert fault(outbox) == (
        "火警通知未能送达：家属 2（警情 1） · fire messages not delivered: family 2 (incident 1)"
    )


def test_a_fire_message_given_up_is_a_fault_until_the_incident_is_closed(outbox: Outbox) -> None:
    refuse(outbox, outbox.tell(outbox.add_contact(PUSH), Severity.P0), 70)
    assert [row.state for row in outbox.notifications()] == ["dead"]
    assert "family 1" in fault(outbox)
    outbox.close_incident(NOW + 3600 * SECOND)
    assert fault(outbox) == ""


def test_whoever_was_reached_another_way_since_is_no_fault(outbox: Outbox) -> None:
    push, _sms = outbox.add_contact(PUSH, SMS)
    [by_sms] = write(outbox, handovers := outbox.tell([push], Severity.P0), REFUSED, NOW)
    with writing(outbox.engine) as connection:
        first = notification.c.id == handovers[0].notification_id
        connection.execute(update(notification).where(first).values(state="dead"))
    assert "family 1" in fault(outbox)
    write(outbox, [by_sms], Accepted(), NOW + SECOND)
    assert fault(outbox) == ""


def test_what_reached_a_contact_before_does_not_count_for_a_later_message(outbox: Outbox) -> None:
    ways = outbox.add_contact(PUSH)
    write(outbox, outbox.tell(ways, Severity.P0), Accepted(), NOW)
    refuse(outbox, outbox.tell(ways, Severity.P0, created_us=NOW + SECOND), 70)
    assert "family 1" in fault(outbox)


def test_a_lesser_message_given_up_is_no_such_fault(outbox: Outbox) -> None:
    refuse(outbox, outbox.tell(outbox.add_contact(PUSH), Severity.P1), 1)
    assert [row.state for row in outbox.notifications()] == ["dead"]
    assert fault(outbox) == ""


def test_a_fire_message_that_was_accepted_and_not_delivered_is_a_fault_until_another_is_taken(
    outbox: Outbox,
) -> None:
    push, sms = outbox.add_contact(PUSH, SMS)
    write(outbox, outbox.tell([push], Severity.P0), Accepted(), NOW)
    with writing(outbox.engine) as connection:
        connection.execute(update(notification).values(state="undelivered"))
    assert "family 1" in fault(outbox)
    write(outbox, outbox.tell([sms], Severity.P0, created_us=NOW + SECOND), Accepted(), NOW + SECOND)
    assert fault(outbox) == ""
