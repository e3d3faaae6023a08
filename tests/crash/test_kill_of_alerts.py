"""kill -9 of the alerts process amid escalations: no step is lost or skipped, and what is told twice was
under way at a kill, and is counted (design, contract 2)."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from alerts.receipt_schema import receipt
from alerts.schema import act, incident_change, notification, step
from benchmarks.service import eventually
from tests.crash.telling import FIRES, Telling, telling, wanted_of_one

SEED = 20_261_122
CHAIN = ("at_once", "chase", "unanswered")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_escalations_survive_a_hundred_kills(tmp_path: Path) -> None:
    killed_again_and_again(tmp_path, homes=200, kills=100)


def test_thirty_escalations_survive_ten_kills(tmp_path: Path) -> None:
    killed_again_and_again(tmp_path, homes=30, kills=10)


def killed_again_and_again(folder: Path, homes: int, kills: int) -> None:
    """Fires come all the time, answers and receipts in between, with and without a process that lives."""
    dice = random.Random(SEED)
    with telling(folder, homes, SEED) as here:
        for number in range(kills):
            here.start()
            if number % 5:  # each fifth dies while it starts
                eventually(here.works, f"the process is up; see {folder}/alerts.log")
            until = time.monotonic() + dice.uniform(0.0, 1.5 if number % 5 else 0.3)
            while time.monotonic() < until:
                if here.raised < homes * (number + 1) / kills:
                    here.fire()
                here.answer(dice)
                here.post_receipts(dice)
                time.sleep(0.05)
            here.kill()
        while here.raised < homes:
            here.fire()
        here.start()
        eventually(lambda: is_quiet(here), "every step was carried out and every message handed over", 300)
        here.kill()
        books_balance(here)


def is_quiet(here: Telling) -> bool:
    chain = step.c.name.in_(CHAIN) & (step.c.state == "pending")
    open_ones = (
        select(func.count()).select_from(step).where(chain),
        select(func.count())
        .select_from(notification)
        .where(notification.c.state.in_(["sending", "waiting"])),
        select(func.count()).select_from(act).where(act.c.outcome == ""),
        select(func.count()).select_from(receipt).where(receipt.c.outcome == ""),
    )
    decided = len(here.rows(FIRES))
    return decided >= here.homes and not any(here.rows(query)[0][0] for query in open_ones)


def books_balance(here: Telling) -> None:
    doubled, told = here.doubled(), here.told_of()
    print(f"\nseed {SEED}: kills {here.kills}, escalations {here.homes}, messages {len(here.phones.told)},")
    counts = here.cut.total(), here.unknown().total(), doubled.total()
    print("under way at a kill {}, counted as possible duplicates {}, told twice {}".format(*counts))
    incidents = Counter(row.dwelling_id for row in here.rows(FIRES))
    assert incidents == dict.fromkeys(range(1, here.homes + 1), 1)
    for home in range(1, here.homes + 1):
        if home not in here.answered:
            assert told[home] >= wanted_of_one(), f"home {home} lacks {wanted_of_one() - told[home]}"
        at_once = {one for one in wanted_of_one() if one[0] == "at_once"}
        assert told[home] >= at_once
    nothing_written_is_untold(here)
    counted = here.unknown()
    assert doubled <= counted, f"told twice, and not counted: {doubled - counted}"
    assert counted <= here.cut, f"counted, and not under way at a kill: {counted - here.cut}"
    each_step_once(here)
    assert {row.outcome for row in here.rows(select(act.c.outcome))} == {"done"}
    assert {row.outcome for row in here.rows(select(receipt.c.outcome))} <= {"done", "nothing"}


def nothing_written_is_untold(here: Telling) -> None:
    """Whoever is on record as told was, by exactly this way; the way after one that did not deliver too."""
    rows = here.rows(select(notification.c.key, notification.c.state, notification.c.id))
    assert {row.state for row in rows} <= {"accepted", "undelivered"}
    assert {row.key for row in rows} == here.phones.told.keys()
    intents = Counter(row.key.rpartition("/")[0] for row in rows)
    failed = [row.key.rpartition("/")[0] for row in rows if row.state == "undelivered"]
    assert failed and max(intents[one] for one in failed) > 1


def each_step_once(here: Telling) -> None:
    """A step that told has one line on the timeline, and its repetitions have no gap."""
    fires = {row.id for row in here.rows(FIRES)}
    done = here.rows(select(step.c.incident_id).where(step.c.state == "done"))
    told = select(incident_change.c.incident_id).where(
        incident_change.c.kind == "told", incident_change.c.by == "gengfu"
    )
    assert [sum(row.incident_id in fires for row in rows) for rows in (done, here.rows(told))] == [
        len(here.rows(select(step.c.id).where(step.c.state == "done", step.c.incident_id.in_(fires))))
    ] * 2
    rounds: dict[tuple[int, str], set[int]] = {}
    for row in here.rows(select(step.c.incident_id, step.c.name, step.c.n)):
        rounds.setdefault((row.incident_id, row.name), set()).add(row.n)
    assert all(numbers == set(range(len(numbers))) for numbers in rounds.values())
