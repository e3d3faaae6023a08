"""What has no answer yet leads to the next way in the transaction that says so: once, and only where that
tells somebody something."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import insert, text, update

from alerts.channels.channel import Accepted, Failed, Outcome
from alerts.handover import Handover
from alerts.outbox import Ended, due_retries, recover, write_outcomes
from alerts.schema import act, incident, notification
from alerts.slow import open_for_slow
from devices.database import writing
from devices.model import Carrier, Medium, Severity
from tests.alerts.outboxes import NOW, SECOND, Outbox, open_outbox

PUSH = (Medium.PUSH, Carrier.WEBHOOK, "http://push")
SMS = (Medium.SMS, Carrier.APPRISE, "sms://1")
MAIL = (Medium.EMAIL, Carrier.SMTP, "a@site.example")
VOICE = (Medium.VOICE, Carrier.APPRISE, "voice://1")
FOUR = PUSH, SMS, MAIL, VOICE
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


def retried(outbox: Outbox, handover: Handover, now_us: int) -> Handover:
    with writing(outbox.engine) as connection:
        due = due_retries(connection, now_us, 100)
    return next(one for one in due if one.notification_id == handover.notification_id)


def again_after_a_kill(outbox: Outbox, at_us: int) -> list[tuple[Medium, int]]:
    with writing(outbox.engine) as connection:
        return [(one.medium, one.n) for one in recover(connection, at_us)]


def answers(outbox: Outbox, contact_id: int) -> None:
    answer = {
        "once_key": "a", "incident_id": outbox.incident_id, "actor": f"contact:{contact_id}",
        "role": "family", "act": "acknowledge", "note": "", "via": "link", "at_us": NOW + SECOND,
        "outcome": "done",
    }  # fmt: skip
    with writing(outbox.engine) as connection:
        connection.execute(insert(act).values(answer))


def called_a_false_alarm(outbox: Outbox) -> None:
    with writing(outbox.engine) as connection:
        connection.execute(update(incident).values(false_alarm_us=NOW + SECOND))


def handled(outbox: Outbox) -> None:
    by_desk = {
        "once_key": "h", "incident_id": outbox.incident_id, "actor": "user:desk", "role": "operator",
        "act": "handled", "note": "", "via": "console", "at_us": NOW + SECOND, "outcome": "done",
    }  # fmt: skip
    with writing(outbox.engine) as connection:
        connection.execute(insert(act).values(by_desk))
        connection.execute(update(incident).values(state="handled"))


def forget_acts(outbox: Outbox) -> None:
    """Who has answered cannot be found out."""
    with writing(outbox.engine) as connection:
        connection.execute(text("ALTER TABLE act RENAME TO no_act"))


def refuse_further_messages_to(outbox: Outbox, contact_id: int) -> None:
    """The database refuses every new message to this contact."""
    if outbox.engine.dialect.name == "sqlite":
        odd = f"BEFORE INSERT ON notification WHEN NEW.contact_id = {contact_id}"
        refuse = f"CREATE TRIGGER refused {odd} BEGIN SELECT RAISE(ABORT, 'refused'); END"
    else:
        odd = f"CHECK (contact_id <> {contact_id}) NOT VALID"
        refuse = f"ALTER TABLE notification ADD CONSTRAINT refused {odd}"
    with writing(outbox.engine) as connection:
        connection.execute(text(refuse))


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
    first = told(outbox, *FOUR)
    slow(outbox, first)
    with writing(outbox.engine) as connection:
        again = recover(connection, LATE + SECOND)
    assert [(one.medium, one.n) for one in again] == [(Medium.PUSH, 2), (Medium.SMS, 2)]
    assert outcomes(outbox) == ["unknown", "started", "unknown", "started"]
    assert slow(outbox, again[0]) == []
    assert len(outbox.notifications()) == 2


def test_after_a_kill_what_had_no_answer_for_two_seconds_goes_by_the_next_way_at_once(outbox: Outbox) -> None:
    told(outbox, *FOUR)
    assert again_after_a_kill(outbox, LATE - 1) == [(Medium.PUSH, 2)]
    assert again_after_a_kill(outbox, LATE) == [(Medium.PUSH, 3), (Medium.SMS, 1)]
    assert again_after_a_kill(outbox, LATE + 1) == [(Medium.PUSH, 4), (Medium.SMS, 2)]


def test_after_a_kill_what_is_less_than_a_fire_goes_by_no_next_way(outbox: Outbox) -> None:
    outbox.tell(outbox.add_contact(PUSH, SMS)[:1], Severity.P1)
    assert again_after_a_kill(outbox, LATE + SECOND) == [(Medium.PUSH, 2)]


def test_a_way_that_hangs_at_each_try_opens_no_third_while_the_second_is_accepted(outbox: Outbox) -> None:
    first = told(outbox, *FOUR)
    [second] = slow(outbox, first)
    end(outbox, second, Accepted())
    for n in range(1, 5):
        assert end(outbox, first, NO_ANSWER) == []
        first = retried(outbox, first, LATE + 600 * n * SECOND)
        assert slow(outbox, first) == []
    assert states(outbox) == [("push", "sending"), ("sms", "accepted")]


def test_one_further_way_at_a_time_is_under_way_and_what_fails_leads_on(outbox: Outbox) -> None:
    first = told(outbox, *FOUR)
    [second] = slow(outbox, first)
    end(outbox, first, NO_ANSWER)
    assert slow(outbox, retried(outbox, first, LATE + 600 * SECOND)) == []
    [third] = end(outbox, second, NO_ANSWER)
    assert third.medium is Medium.EMAIL


def test_a_further_way_that_reaches_nobody_any_more_holds_up_no_other(outbox: Outbox) -> None:
    """Its provider has taken it and has not delivered it, and it has led to nothing."""
    first = told(outbox, *FOUR)
    [second] = slow(outbox, first)
    end(outbox, second, Accepted())
    end(outbox, first, NO_ANSWER)
    with writing(outbox.engine) as connection:
        lost = notification.c.id == second.notification_id
        connection.execute(update(notification).where(lost).values(state="undelivered"))
    [third] = slow(outbox, retried(outbox, first, LATE + 600 * SECOND))
    assert third.medium is Medium.EMAIL


def test_another_telling_of_the_same_person_stands_in_nobodys_way(outbox: Outbox) -> None:
    push, sms, _ = outbox.add_contact(PUSH, SMS, MAIL)
    first, _other = outbox.tell([push, sms], Severity.P0)
    [further] = slow(outbox, first)
    assert further.channel_id == sms


def test_a_message_that_breaks_this_costs_no_other_its_next_way(outbox: Outbox) -> None:
    firsts = [told(outbox, PUSH, SMS) for _ in range(5)]
    odd = firsts[2]
    refuse_further_messages_to(outbox, odd.contact_id)
    begun = slow(outbox, *firsts)
    assert [one.contact_id for one in begun] == [
        one.contact_id for one in firsts if one.contact_id != odd.contact_id
    ]
    assert outcomes(outbox).count("slow") == 4


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
    answers(outbox, first.contact_id)
    assert slow(outbox, first) == []
    assert end(outbox, first, NO_ANSWER) == []
    assert states(outbox) == [("push", "waiting")]


def test_an_answer_of_another_holds_up_nobodys_next_way(outbox: Outbox) -> None:
    first = told(outbox, PUSH, SMS)
    answers(outbox, told(outbox, PUSH).contact_id)
    assert [one.medium for one in end(outbox, first, NO_ANSWER)] == [Medium.SMS]


def test_where_nobody_can_tell_who_has_answered_people_are_told(outbox: Outbox) -> None:
    first, second = told(outbox, PUSH, SMS), told(outbox, PUSH, SMS)
    answers(outbox, first.contact_id)
    forget_acts(outbox)
    assert [one.medium for one in end(outbox, first, NO_ANSWER)] == [Medium.SMS]
    assert [one.medium for one in slow(outbox, second)] == [Medium.SMS]


def test_what_has_been_called_a_false_alarm_meanwhile_goes_no_further(outbox: Outbox) -> None:
    first = told(outbox, PUSH, SMS)
    called_a_false_alarm(outbox)
    assert slow(outbox, first) == []
    assert end(outbox, first, NO_ANSWER) == []


def test_what_has_been_handled_meanwhile_goes_no_further(outbox: Outbox) -> None:
    first = told(outbox, PUSH, SMS)
    handled(outbox)
    assert slow(outbox, first) == []
    assert end(outbox, first, NO_ANSWER) == []


@pytest.mark.parametrize("over", [handled, called_a_false_alarm])
def test_what_is_said_of_an_incident_after_its_end_goes_by_the_next_way(
    outbox: Outbox, over: Callable[[Outbox], None]
) -> None:
    """A cry for help is not held up by what somebody thought before it."""
    over(outbox)
    cry, other = (
        outbox.tell(outbox.add_contact(PUSH, SMS)[:1], Severity.P0, NOW + 2 * SECOND)[0] for _ in range(2)
    )
    assert [one.medium for one in slow(outbox, cry)] == [Medium.SMS]
    assert [one.medium for one in end(outbox, other, NO_ANSWER)] == [Medium.SMS]
