"""How far the journal may let go, and whether the server still lives as when it acknowledged."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ingest.store.influx.lifetime import SILENT_LOOKS, Lifetime
from ingest.store.influx.settling import Settling


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 9)), max_size=60), st.floats(0, 20))
def test_nothing_younger_than_it_takes_to_settle_is_relied_upon(
    steps: list[tuple[float, int]], settled_s: float
) -> None:
    settling, reached = Settling(settled_s), list[tuple[float, int]]()
    now_s, position, relied = 0.0, 0, 0
    for after_s, more in steps:
        now_s, position = now_s + after_s, position + more
        settling.reach(position, now_s)
        reached.append((now_s, position))
        relied = settling.settled(relied, now_s)
        assert relied <= max((one for at_s, one in reached if now_s - at_s >= settled_s), default=0)
    assert settling.settled(relied, now_s + settled_s + 1) == position, "the newest is never left out"


def test_a_server_that_is_not_seen_alive_settles_nothing() -> None:
    settling = Settling(5)
    settling.reach(7, 100)
    assert settling.settled(0, alive_s=100) == 0
    assert settling.settled(0, alive_s=105) == 7


class Looked:
    """A server that says what it is told to, and a clock of one look a second."""

    def __init__(self, *lives: str | None) -> None:
        self._lives, self.now_s = list(lives), 0.0
        self.lifetime = Lifetime(lambda: self._lives.pop(0), lambda: self.now_s, look_s=1)

    def look(self, *, took: bool = True) -> bool:
        self.now_s += 1
        if took:
            self.lifetime.took()
        return self.lifetime.has_ended()


def test_a_server_that_started_anew_has_ended_its_life() -> None:
    looked = Looked("100", "100", None, "207", "207")
    assert [looked.look(took=False) for _ in range(5)] == [False, False, False, True, False]
    assert looked.lifetime.alive_s == 5


def test_while_a_server_is_silent_it_is_not_seen_alive() -> None:
    looked = Looked("100", None, None, None, None)
    for _ in range(5):
        looked.look(took=False)
    assert looked.lifetime.alive_s == 1


def test_a_server_that_takes_points_and_answers_no_look_is_taken_at_its_word() -> None:
    looked = Looked(*[None] * (SILENT_LOOKS + 1))
    seen = []
    for _ in range(SILENT_LOOKS + 1):
        looked.look()
        seen.append(looked.lifetime.alive_s > 0)
    assert seen == [False] * (SILENT_LOOKS - 1) + [True, True]


def test_a_server_that_does_not_say_is_taken_at_its_word() -> None:
    looked = Looked("", "")
    assert [looked.look(), looked.look(), looked.lifetime.alive_s] == [False, False, 2]


def test_two_servers_behind_one_address_are_not_written_to_again_and_again() -> None:
    looked = Looked("100", "207", "100")
    with capture_logs() as logs:
        assert [looked.look() for _ in range(6)] == [False, True, False, False, False, False]
    assert [one["event"] for one in logs] == ["store_has_several_servers"]


def test_after_a_failure_it_is_looked_at_once() -> None:
    looked = Looked("100", "207")
    looked.look()
    looked.lifetime.doubt()
    assert looked.lifetime.has_ended()
