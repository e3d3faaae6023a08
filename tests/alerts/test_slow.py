"""What has no answer yet leads to the next way in the transaction that says so: once, and only where that
tells somebody something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import insert, update

from alerts.channels.channel import Accepted, Failed, Outcome
from alerts.handover import Handover
from alerts.outbox import Ended, recover, write_outcomes
from alerts.schema import act, incident
from alerts.slow import open_for_slow
from devices.database import writing
from devices.model import Carrier, Medium, Severity
from tests.alerts.outboxes import NOW, SECOND, Outbox, open_outbox

PUSH = (Medium.PUSH, Carrier.WEBHOOK, "http://push")
SMS = (Medium.SMS, Carrier.APPRISE, "sms://1")
MAIL = (Medium.EMAIL, Carrier.SMTP, "a@site.example")
LATE = NOW + 2 * SECOND
NO_ANSWER = Failed("no answer in time")


@pytest.fixture
def outbox(database: str) -> Iterator[Outbox]:
    with open_outbox(database) as opened:
        yield opened


def told(outbox: Outbox, *ways: tuple[Medium, Carrier, str]) -> Handover:
    """A fire's message by the first of these ways, under way."""
    return outbox.tell(outbox.add_contact(*ways)[:1], Severity.P0)[0]


def slow(outbox: Outbox, *handovers: Handover, at_us: int = LATE) -> list[Handover]:
    with writing(outbox.engine) as connection:
        return open_for_slow(connection, handovers, at_us)


def end(outbox: Outbox, handover: Handover, outcome: Outcome) -> list[Handover]:
    with writing(outbox.engine) as connection:
        return write_outcomes(connection, [Ended(handover, outcome, LATE + 8 * SECOND)])


def states(outbox: Outbox) -> list[tuple[str, str]]:
    return [(row.medium, row.state) for row in outbox.notifications()]


def outcomes(outbox: Outbox) -> list[str]:
    return [outcome for _, _, outcome in outbox.attempts()]


def test_the_next_way_is_begun_while_the_first_goes_on(outbox: Outbox) -> None:
    first = told(outbox, PUSH, SMS)
    [second] = slow(outbox, first)
    assert (second.medium, second.text, second.created_us) == (Medium.SMS, first.text, LATE)
    assert states(outbox) == [("push", "sending"), ("sms", "sending")]
    assert outcomes(outbox) == ["slow", "started"]


def test_a_late_answer_counts_as_accepted_and_both_messages_are_on_the_timeline(outbox: Outbox) -> None:
    first = told(outbox, PUSH, SMS)
    [second] = slow(outbox, first)
    assert end(outbox, second, Accepted()) == end(outbox, first, Accepted()) == []
    assert states(outbox) == [("push", "accepted"), ("sms", "accepted")]
    assert len(outbox.timeline()) == 2


def test_the_failure_of_a_slow_one_opens_no_way_a_second_time(outbox: Outbox) -> None:
    first = told(outbox, PUSH, SMS, MAIL)
    slow(outbox, first)
    assert end(outbox, first, NO_ANSWER) == []
    assert states(outbox) == [("push", "waiting"), ("sms", "sending")]


def test_each_way_that_is_slow_leads_to_the_one_after_it(outbox: Outbox) -> None:
    first = told(outbox, PUSH, SMS, MAIL)
    [second] = slow(outbox, first)
    [third] = slow(outbox, second)
    assert third.medium is Medium.EMAIL
    assert slow(outbox, third) == []


def test_saying_it_twice_changes_nothing(outbox: Outbox) -> None:
    first = told(outbox, PUSH, SMS, MAIL)
    assert len(slow(outbox, first)) == 1
    assert slow(outbox, first) == []


def test_after_a_kill_both_are_begun_again_and_neither_is_doubled(outbox: Outbox) -> None:
    first = told(outbox, PUSH, SMS)
    slow(outbox, first)
    with writing(outbox.engine) as connection:
        again = recover(connection, LATE + SECOND)
    assert [(one.medium, one.n) for one in again] == [(Medium.PUSH, 2), (Medium.SMS, 2)]
    assert outcomes(outbox) == ["unknown", "started", "unknown", "started"]
    assert slow(outbox, *again) == []
    assert len(outbox.notifications()) == 2


def test_a_kill_amid_the_transaction_leaves_the_attempt_as_it_was(outbox: Outbox) -> None:
    first = told(outbox, PUSH, SMS)
    with pytest.raises(KeyboardInterrupt), writing(outbox.engine) as connection:
        assert open_for_slow(connection, [first], LATE)
        raise KeyboardInterrupt
    assert outcomes(outbox) == ["started"]
    assert len(slow(outbox, first)) == 1


def test_where_there_is_no_further_way_its_failure_still_looks_for_one(outbox: Outbox) -> None:
    first = told(outbox, PUSH)
    assert slow(outbox, first) == []
    assert outcomes(outbox) == ["started"]


@pytest.mark.parametrize("outcome", [Accepted(), NO_ANSWER])
def test_what_has_ended_meanwhile_is_not_slow(outbox: Outbox, outcome: Outcome) -> None:
    first = told(outbox, PUSH, SMS, MAIL)
    end(outbox, first, outcome)
    before = states(outbox)
    assert slow(outbox, first) == []
    assert states(outbox) == before


def test_who_has_answered_meanwhile_is_told_by_no_further_way(outbox: Outbox) -> None:
    first = told(outbox, PUSH, SMS)
    answer = {
        "once_key": "a", "incident_id": outbox.incident_id, "actor": f"contact:{first.contact_id}",
        "role": "family", "act": "acknowledge", "note": "", "via": "link", "at_us": NOW + SECOND,
        "outcome": "done",
    }  # fmt: skip
    with writing(outbox.engine) as connection:
        connection.execute(insert(act).values(answer))
    assert slow(outbox, first) == []


def test_what_has_been_called_a_false_alarm_meanwhile_goes_no_further(outbox: Outbox) -> None:
    first = told(outbox, PUSH, SMS)
    with writing(outbox.engine) as connection:
        connection.execute(update(incident).values(false_alarm_us=NOW + SECOND))
    assert slow(outbox, first) == []
