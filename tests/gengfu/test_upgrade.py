"""A release with other rules takes over a snapshot: what it does not watch any more is cleared, once."""

from __future__ import annotations

from typing import Any

import numpy as np

from gengfu.rulebook import Rulebook
from rules.transition import To, Transition
from tests.gengfu.own_rules import Site, own
from tests.rules.story import SMOKE, WARMTH, us

OWN = Rulebook(own=own(), name="own.toml")


def told(found: list[Transition]) -> list[tuple[str, str, int]]:
    return [(one.rule, one.to, one.slot) for one in found]


def of_another_release() -> dict[str, Any]:
    """A snapshot with an alarm of K1 active, and smoke. Its book has a key that this release does not know,
    so that K1 is no rule any more."""
    site = Site(OWN)
    site.read(WARMTH, 0, 65.0)
    site.read(SMOKE, 1, 1.0)
    newer = Rulebook(own=own(more='of_another_release = "1"'), name="own.toml")
    return {**site.rules.snapshot(), "book": np.frombuffer(newer.text().encode(), np.uint8)}


def test_an_own_rule_that_the_new_release_cannot_read_leaves_no_alarm_behind() -> None:
    site = Site()
    site.rules.restore(of_another_release())
    assert site.rules.due_us == 0, "a record is written for it where no message comes"
    [gone] = site.still(10)
    assert told([gone]) == [("K1", To.CLEARED, WARMTH)]
    assert (gone.at_us, gone.why.en) == (us(10), "rule K1 was removed")
    assert site.still(11) == []
    assert [one for one in told(site.read(SMOKE, 12, 1.0)) if one[0] == "S1"] == [], "smoke stays active"


def test_a_second_crash_before_they_are_committed_tells_them_again_with_the_same_record() -> None:
    found = []
    for _ in range(2):
        site = Site()
        site.rules.restore(of_another_release())
        found.append(site.still(10))
    assert found[0] == found[1] != []


def test_a_second_upgrade_before_they_are_told_keeps_them() -> None:
    site, other = Site(), Site()
    site.rules.restore(of_another_release())
    other.rules.restore(site.rules.snapshot())
    assert told(other.still(10)) == [("K1", To.CLEARED, WARMTH)]


def test_a_book_that_comes_with_the_very_next_record_finds_them_cleared_first() -> None:
    site = Site()
    site.rules.restore(of_another_release())
    assert site.turn(OWN, 10) == []
    found = told(site.read(WARMTH, 10, 65.0))
    assert found == [("K1", To.CLEARED, WARMTH), ("K1", To.RAISED, WARMTH)]
