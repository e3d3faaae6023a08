"""From what was committed and what a page showed to how long a reader waited. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.console_changes import Committed


@dataclass(frozen=True, slots=True)
class Shown:
    """A line of the board said something else from this moment on: `by` is who answered last."""

    incident_id: int
    by: str
    at_us: int


def waits_us(
    committed: Iterable[Committed], shown: Iterable[Shown], watched: Collection[int]
) -> tuple[list[int], int]:
    """How long each answer to a watched incident took to be shown, and how many never were.

    A page may pass over an answer and show the one after it: then both are seen. Two answers that follow each
    other are of different people.
    """
    answers: dict[int, list[Committed]] = defaultdict(list)
    for change in committed:
        if change.incident_id in watched and change.by.startswith("w"):
            answers[change.incident_id].append(change)
    lines: dict[int, list[Shown]] = defaultdict(list)
    for line in shown:
        lines[line.incident_id].append(line)
    found = [_waits(many, lines[incident]) for incident, many in answers.items()]
    waits = [wait for some, _ in found for wait in some]
    return waits, sum(unseen for _, unseen in found)


def _waits(answers: Sequence[Committed], lines: Sequence[Shown]) -> tuple[list[int], int]:
    """Of one incident, both in the order of time."""
    waits: list[int] = []
    reached = 0  # answers that are shown already
    times = [answer.at_us for answer in answers]
    for line in lines:
        until = bisect_left(times, line.at_us + 1)
        newest = next((n for n in range(until - 1, reached - 1, -1) if answers[n].by == line.by), None)
        if newest is not None:
            waits += [line.at_us - at_us for at_us in times[reached : newest + 1]]
            reached = newest + 1
    return waits, len(answers) - reached
