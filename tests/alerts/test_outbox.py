from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from alerts.channels.channel import Accepted, Failed, Outcome
from alerts.handover import Handover
from alerts.outbox import Ended, due_retries, next_retry_us, recover, write_outcomes
from alerts.schema import notification
from alerts.views import newest_change_id
from devices.database import reading, writing
from devices.model import Carrier, Medium, Severity
from devices.schema import contact_channel
from tests.alerts.outboxes import NOW, SECOND, Outbox, open_outbox

P0, P2 = Severity.P0, Severity.P2
PUSH = (Medium.PUSH, Carrier.WEBHOOK, "http://push")
SMS = (Medium.SMS, Carrier.APPRISE, "sms://1")
VOICE = (Medium.VOICE, Carrier.APPRISE, "voice://1")


@pytest.fixture
def outbox(database: str) -> Iterator[Outbox]:
    with open_outbox(database) as opened:
        yield opened


def write(outbox: Outbox, handover: Handover, outcome: Outcome, at_us: int = NOW) -> list[Handover]:
    with writing(outbox.engine) as connection:
        return write_outcomes(connection, [Ended(handover, outcome, at_us)])


def retry(outbox: Outbox, now_us: int, limit: int = 100, worst_rank: int | None = None) -> list[Handover]:
    with writing(outbox.engine) as connection:
        return due_retries(connection, now_us, limit, worst_rank)


def states(outbox: Outbox) -> list[str]:
    return [row.state for row in outbox.notifications()]


def test_an_accepted_message_is_done_and_counted_on_the_timeline(outbox: Outbox) -> None:
    [handover] = outbox.tell(outbox.add_contact(PUSH), P0)
    assert write(outbox, handover, Accepted(), NOW + 5) == []
    [row] = outbox.notifications()
    assert (row.state, row.accepted_us) == ("accepted", NOW + 5)
    assert outbox.attempts() == [(row.id, 1, "accepted")]
    assert outbox.timeline() == ["1 handed over (push 1)"]


def test_what_ends_in_one_transaction_is_one_line_and_in_two_transactions_two(outbox: Outbox) -> None:
    ways = outbox.add_contact(PUSH, SMS)
    first, second, third = outbox.tell([*ways, ways[0]], P0)
    with writing(outbox.engine) as connection:
        write_outcomes(connection, [Ended(h, Accepted(), NOW) for h in (first, second)])
    write(outbox, third, Accepted())
    assert outbox.timeline("zh-CN") == ["已送出 2 条（推送 1、短信 1）", "已送出 1 条（推送 1）"]


def test_every_transaction_that_changes_what_is_accepted_is_news_for_live_pages(outbox: Outbox) -> None:
    for n, handover in enumerate(outbox.tell(outbox.add_contact(PUSH) * 3, P0), 1):
        write(outbox, handover, Accepted())
        with reading(outbox.engine) as connection:
            assert newest_change_id(connection) == n


def test_a_failed_message_waits_and_is_begun_again_when_its_time_comes(outbox: Outbox) -> None:
    [handover] = outbox.tell(outbox.add_contact(PUSH), P0)
    write(outbox, handover, Failed("HTTP 500"))
    assert states(outbox) == ["waiting"]
    with reading(outbox.engine) as connection:
        assert next_retry_us(connection) == NOW + 2 * SECOND
    assert retry(outbox, NOW + 2 * SECOND - 1) == []
    [again] = retry(outbox, NOW + 2 * SECOND)
    assert (again.notification_id, again.n, again.key) == (handover.notification_id, 2, handover.key)
    assert outbox.attempts() == [
        (handover.notification_id, 1, "failed"),
        (handover.notification_id, 2, "started"),
    ]
    assert retry(outbox, NOW + 60 * SECOND) == []


def test_the_providers_retry_after_is_honoured(outbox: Outbox) -> None:
    [handover] = outbox.tell(outbox.add_contact(PUSH), P0)
    write(outbox, handover, Failed("HTTP 429", retry_after_s=7.0))
    assert outbox.notifications()[0].next_try_us == NOW + 7 * SECOND


def test_a_permanent_failure_is_dead_and_on_the_timeline(outbox: Outbox) -> None:
    [handover] = outbox.tell(outbox.add_contact(PUSH), P2)
    write(outbox, handover, Failed("HTTP 404", permanent=True))
    assert states(outbox) == ["dead"]
    assert outbox.timeline() == ["family 1 by push: given up at try 1: HTTP 404"]


def test_a_message_that_needed_several_tries_is_said_with_its_role(outbox: Outbox) -> None:
    [handover] = outbox.tell(outbox.add_contact(PUSH), P0)
    write(outbox, handover, Failed("HTTP 500"))
    [again] = retry(outbox, NOW + 2 * SECOND)
    write(outbox, again, Accepted())
    assert outbox.timeline("zh-CN") == ["家属 1（推送）：第 2 次才送出"]


def test_a_message_is_dead_when_its_tries_are_used_up(outbox: Outbox) -> None:
    handovers = outbox.tell(outbox.add_contact(PUSH), P0)
    now_us, tries = NOW, 0
    while handovers:
        tries += 1
        write(outbox, handovers[0], Failed("HTTP 500"), now_us)
        now_us += 30 * SECOND
        handovers = retry(outbox, now_us)
    assert states(outbox) == ["dead"]
    assert now_us - NOW >= 30 * 60 * SECOND
    assert tries == len(outbox.attempts())


def test_an_urgent_failure_uses_the_next_way_at_once_and_is_retried_on_the_first(outbox: Outbox) -> None:
    push, sms, voice = outbox.add_contact(PUSH, SMS, VOICE)
    [handover] = outbox.tell([push], P0)
    [by_sms] = write(outbox, handover, Failed("HTTP 429"))
    assert (by_sms.channel_id, by_sms.medium, by_sms.n) == (sms, Medium.SMS, 1)
    assert by_sms.text == handover.text and by_sms.key != handover.key
    assert states(outbox) == ["waiting", "sending"]
    [by_voice] = write(outbox, by_sms, Failed("HTTP 500"))
    assert by_voice.channel_id == voice
    assert write(outbox, by_voice, Failed("HTTP 500")) == []
    again = retry(outbox, NOW + 2 * SECOND)
    assert {handover.channel_id for handover in again} == {push, sms, voice}


def test_an_urgent_failure_leads_to_the_next_way_only_once(outbox: Outbox) -> None:
    push, _ = outbox.add_contact(PUSH, SMS)
    [handover] = outbox.tell([push], P0)
    assert len(write(outbox, handover, Failed("HTTP 500"))) == 1
    [again] = retry(outbox, NOW + 2 * SECOND)
    assert write(outbox, again, Failed("HTTP 500")) == []


def test_an_urgent_retry_that_fails_uses_no_third_way_while_the_second_is_accepted(outbox: Outbox) -> None:
    push, *_ = outbox.add_contact(PUSH, SMS, VOICE)
    [handover] = outbox.tell([push], P0)
    [by_sms] = write(outbox, handover, Failed("HTTP 500"))
    write(outbox, by_sms, Accepted())
    [again] = retry(outbox, NOW + 2 * SECOND)
    assert write(outbox, again, Failed("HTTP 500")) == []
    assert states(outbox) == ["waiting", "accepted"]


@pytest.mark.parametrize("severity", [Severity.P0_PLUS, P0])
def test_no_refusal_of_a_fire_is_final_and_the_next_way_goes_at_once(
    outbox: Outbox, severity: Severity
) -> None:
    push, sms = outbox.add_contact(PUSH, SMS)
    [handover] = outbox.tell([push], severity)
    refused = Failed("HTTP 401", permanent=True)
    assert [h.channel_id for h in write(outbox, handover, refused)] == [sms]
    assert states(outbox) == ["waiting", "sending"]
    [again] = retry(outbox, NOW + 2 * SECOND)
    assert (again.notification_id, again.n) == (handover.notification_id, 2)
    assert write(outbox, again, refused, NOW + 2 * SECOND) == []
    assert outbox.notifications()[0].next_try_us == NOW + 6 * SECOND


def forget_medium(outbox: Outbox, notification_id: int) -> None:
    """The row of another release, or of a hand that slipped."""
    with writing(outbox.engine) as connection:
        row = notification.c.id == notification_id
        connection.execute(update(notification).where(row).values(medium="pigeon"))


def test_a_retry_by_an_unknown_medium_costs_itself_only(outbox: Outbox) -> None:
    odd, good = outbox.tell(outbox.add_contact(PUSH) * 2, P2)
    for handover in (odd, good):
        write(outbox, handover, Failed("HTTP 500"))
    forget_medium(outbox, odd.notification_id)
    assert [h.notification_id for h in retry(outbox, NOW + 60 * SECOND)] == [good.notification_id]
    assert states(outbox) == ["dead", "sending"]
    assert outbox.timeline() == ["family 1 by pigeon: given up at try 1: the medium is not known"]


def test_a_fire_by_an_unknown_medium_goes_on_by_the_contacts_next_way(outbox: Outbox) -> None:
    push, sms = outbox.add_contact(PUSH, SMS)
    [odd] = outbox.tell([push], P0)
    forget_medium(outbox, odd.notification_id)
    with writing(outbox.engine) as connection:
        [begun] = recover(connection, NOW)
    assert (begun.channel_id, begun.medium, begun.n) == (sms, Medium.SMS, 1)
    assert states(outbox) == ["dead", "sending"]


def test_a_way_of_an_unknown_medium_is_no_next_way(outbox: Outbox) -> None:
    push, _, voice = outbox.add_contact(PUSH, SMS, VOICE)
    with writing(outbox.engine) as connection:
        odd = contact_channel.c.medium == "sms"
        connection.execute(update(contact_channel).where(odd).values(medium="pigeon"))
    [handover] = outbox.tell([push], P0)
    assert [h.channel_id for h in write(outbox, handover, Failed("HTTP 500"))] == [voice]


def test_another_telling_of_the_same_incident_uses_no_way_up(outbox: Outbox) -> None:
    push, sms = outbox.add_contact(PUSH, SMS)
    _first, second, _call = outbox.tell([push, push, sms], P0)
    assert [h.channel_id for h in write(outbox, second, Failed("HTTP 500"))] == [sms]


def test_two_ways_of_one_medium_are_two_ways(outbox: Outbox) -> None:
    push, other = outbox.add_contact(PUSH, (Medium.PUSH, Carrier.APPRISE, "json://x"))
    [handover] = outbox.tell([push], P0)
    assert [h.channel_id for h in write(outbox, handover, Failed("HTTP 500"))] == [other]


def test_a_lesser_failure_uses_no_other_way(outbox: Outbox) -> None:
    push, _ = outbox.add_contact(PUSH, SMS)
    [handover] = outbox.tell([push], P2)
    assert write(outbox, handover, Failed("HTTP 500")) == []


def test_a_crash_makes_attempts_unknown_and_begins_them_again_urgent_first(outbox: Outbox) -> None:
    ways = outbox.add_contact(PUSH)
    [lesser] = outbox.tell(ways, P2)
    [urgent] = outbox.tell(ways, P0)
    [done] = outbox.tell(ways, P0)
    write(outbox, done, Accepted())
    with writing(outbox.engine) as connection:
        begun = recover(connection, NOW + 9)
    assert [(h.notification_id, h.n) for h in begun] == [
        (urgent.notification_id, 2),
        (lesser.notification_id, 2),
    ]
    assert outbox.attempts() == [
        (lesser.notification_id, 1, "unknown"),
        (lesser.notification_id, 2, "started"),
        (urgent.notification_id, 1, "unknown"),
        (urgent.notification_id, 2, "started"),
        (done.notification_id, 1, "accepted"),
    ]


def test_recovering_an_empty_outbox_begins_nothing(outbox: Outbox) -> None:
    with writing(outbox.engine) as connection:
        assert recover(connection, NOW) == []


def test_writing_an_outcome_twice_changes_nothing(outbox: Outbox) -> None:
    push, _ = outbox.add_contact(PUSH, SMS)
    [handover] = outbox.tell([push], P0)
    assert len(write(outbox, handover, Failed("HTTP 500"))) == 1
    assert write(outbox, handover, Failed("HTTP 500")) == []
    retry(outbox, NOW + 2 * SECOND)
    assert write(outbox, handover, Accepted()) == []
    assert (states(outbox), outbox.timeline()) == (["sending", "sending"], [])


def test_retries_are_bounded_and_the_urgent_ones_go_first(outbox: Outbox) -> None:
    ways = outbox.add_contact(PUSH)
    lesser = outbox.tell(ways * 3, P2)
    [urgent] = outbox.tell(ways, P0)
    for handover in [*lesser, urgent]:
        write(outbox, handover, Failed("HTTP 500"))
    begun = retry(outbox, NOW + 3600 * SECOND, limit=2)
    assert [h.rank for h in begun] == [P0.rank, P2.rank]
    assert retry(outbox, NOW + 3600 * SECOND, worst_rank=P0.rank) == []


def test_nobody_is_told_of_an_incident_after_it_was_closed(outbox: Outbox) -> None:
    ways = outbox.add_contact(PUSH)
    [handover] = outbox.tell(ways, P0)
    outbox.close_incident(NOW + 1)
    [all_clear] = outbox.tell(ways, P0, created_us=NOW + 1)
    for sent in (handover, all_clear):
        write(outbox, sent, Failed("HTTP 500"))
    assert [h.notification_id for h in retry(outbox, NOW + 60 * SECOND)] == [all_clear.notification_id]
    assert states(outbox) == ["dead", "sending"]
    assert outbox.timeline("zh-CN") == ["家属 1（推送）：未送出时警情已结束，不再重试"]
