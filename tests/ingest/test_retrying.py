"""After a connection is lost: when the next is tried, and what is said."""

from __future__ import annotations

from structlog.testing import capture_logs

from ingest.link import LinkLost
from ingest.pace import BACKOFF_CAP_S, BACKOFF_FIRST_S, SHORT_LIVES, STEADY_S, TAKEN_OVER_S
from ingest.retrying import Retrying
from ingest.session import TakenOver
from tests.ingest.sourcing import settings_for

LOST = LinkLost("closed by the broker")


def retrying() -> Retrying:
    """With the longest delays there can be."""
    return Retrying(settings_for(1883), lambda: 1.0, 100.0)


def delays(one: Retrying, count: int) -> list[float]:
    found = []
    for _ in range(count):
        one.lost(LOST, 0.0)
        found.append(one.at)
    return found


def test_the_first_try_is_due_at_once_and_later_ones_get_rarer_up_to_a_bound() -> None:
    one = retrying()
    assert one.at == 100.0
    found = delays(one, 20)
    assert found[0] == BACKOFF_FIRST_S
    assert found == sorted(found)
    assert found[-1] == BACKOFF_CAP_S


def test_a_connection_that_held_begins_anew_and_a_short_one_does_not() -> None:
    one = retrying()
    delays(one, 5)
    one.lived(STEADY_S - 0.01)
    assert delays(one, 1) > [BACKOFF_FIRST_S]
    one.lived(STEADY_S)
    assert delays(one, 1) == [BACKOFF_FIRST_S]


def test_one_who_names_the_takeover_is_left_alone_for_long() -> None:
    one = retrying()
    with capture_logs() as lines:
        one.lost(TakenOver("session taken over"), 0.0)
    assert one.at >= TAKEN_OVER_S
    assert [line["event"] for line in lines] == ["session_taken_over"]


def test_short_connections_in_a_row_are_said_to_look_like_a_takeover_until_one_holds() -> None:
    one = retrying()
    with capture_logs() as lines:
        for seconds in [0.1] * SHORT_LIVES + [STEADY_S]:
            one.lived(seconds)
            one.lost(LOST, 0.0)
    said = [line["event"] for line in lines]
    assert said == ["broker_lost"] * (SHORT_LIVES - 1) + ["session_taken_over", "broker_lost"]


def test_what_somebody_can_do_is_said() -> None:
    with capture_logs() as lines:
        retrying().lost(LinkLost("no", do="turn it on"), 0.0)
    assert (lines[0]["log_level"], lines[0]["do"]) == ("error", "turn it on")
