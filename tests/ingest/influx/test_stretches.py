"""A span that is cut for a server is whole, and its pieces lie where they were."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.store.influx.stretches import stretches

TIME = st.integers(-60, 60)


@given(TIME, TIME, st.integers(1, 40), TIME, TIME)
@example(0, 10, 5, 0, 10)
@example(0, 10, 20, 3, 60)
@example(-7, 30, 10, 0, 60)
def test_every_moment_is_in_the_piece_that_it_was_in(
    from_ns: int, to_ns: int, step_ns: int, first_ns: int, last_ns: int
) -> None:
    cut = list(stretches(from_ns, to_ns, step_ns, first_ns, last_ns))
    found = {
        stretch.begin_ns + after: stretch.first + after // stretch.step_ns
        for stretch in cut
        for after in range(stretch.end_ns - stretch.begin_ns)
    }
    within = range(max(from_ns, first_ns), min(to_ns, last_ns))
    assert found == {at: (at - from_ns) // step_ns for at in within}
    assert sum(stretch.end_ns - stretch.begin_ns for stretch in cut) == len(within), "nothing twice"
    assert len(cut) <= 3, "and few questions"
