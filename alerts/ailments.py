"""Faults of our own processes that somebody must be woken for: they become incidents of the duty desk.

A process says in its pulse what troubles it. What lasts longer than it may begins a standing fault and, in
the same transaction, raises an alarm that is decided like any other: an incident of hazard `system`, told to
every duty desk and then the supervisors. Residents, grid workers and stations are not told of our faults.

Ingest and the store must run: without a pulse they are as silent as with an old one, from our own start or
the pulse's end on. How long they may be covers the start of the whole service and its end in order. One that
beats and dies time and again says so in its pulse (`alerts.pulse.ends_before`).

What the process that writes this cannot do, no process can report of itself: see `gengfu.heartbeat`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, Engine, select

from alerts.inbox import TransitionRow, store_transitions
from alerts.pulse import RESTARTS, is_silent
from alerts.schema import pulse, system_fault
from alerts.standing import settle_faults
from alerts.system import SYSTEM_RULE, SYSTEM_UID
from alerts.troubles import BY_CODE, SILENT, ailment_of, details_in, troubles_in
from devices.database import reading
from devices.model import Severity
from rules.transition import To, Transition, Why

STEADY_US: Final = 60_000_000
"""Silence ends when the pulse was there at every look for so long (chosen: one beat is not life)."""
FOR_LONG_US: Final = 24 * 3600 * 1_000_000
"""Longer than anything may last: what stands already has lasted long enough."""


@dataclass(frozen=True, slots=True)
class Felt:
    """What one process's last pulse says, at `at_us`: its troubles in words, empty when it is well."""

    process: str
    at_us: int
    words: frozenset[str]
    details: Mapping[str, str] = field(default_factory=dict)
    """By word, what a text for people adds to the ailment's own."""


def find_ailments(felt: Iterable[Felt], since: Mapping[str, int], now_us: int) -> dict[str, int]:
    """What there is now, as code and since when; `since` is what this gave the last time.

    A silent process keeps the trouble it spoke of last. Without a pulse a process is silent, and whatever
    else was known of it stays. A clock that was set back begins the time anew: it never waits for the past.
    """
    pulses = {one.process: one for one in felt}
    said = {f"{one.process}.{word}" for one in pulses.values() for word in one.words}
    found = {}
    for code in BY_CODE.keys() | said | since.keys():
        one = ailment_of(code)
        if one is None:
            continue
        beat = pulses.get(one.process)
        if one.word == SILENT:
            there = beat is None or is_silent(beat.at_us, now_us)
        else:
            there = code in since if beat is None else code in said
        if there:
            found[code] = min(since.get(code, now_us), now_us)
    return found


def find_steady(felt: Iterable[Felt], steady: Mapping[str, int], now_us: int) -> dict[str, int]:
    """The processes that beat and do not end again and again, and since when; `steady` as in
    `find_ailments`."""
    return {
        one.process: min(steady.get(one.process, now_us), now_us)
        for one in felt
        if not is_silent(one.at_us, now_us) and RESTARTS not in one.words
    }


def lasting(
    found: Mapping[str, int], now_us: int, details: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Those that have lasted longer than they may, as code and text in zh-CN and English; `details` are added
    to the text, by code."""
    added = {code: f"; {text}" for code, text in (details or {}).items()}
    return {
        code: f"{one.zh_cn} · {one.en}{added.get(code, '')}"
        for code, since_us in found.items()
        if (one := ailment_of(code)) and now_us - since_us >= one.after_s * 1e6
    }


class Ailments:
    """Remembers between looks how long each has lasted.

    After a restart of ours what stood goes on standing, and what did not yet waits anew.
    """

    def __init__(self) -> None:
        self._since: dict[str, int] = {}
        self._steady: dict[str, int] = {}

    def check(self, engine: Engine, now_us: int) -> None:
        """Begins and ends standing faults, and raises and clears their alarms in the same transaction."""
        with reading(engine) as connection:
            felt = _felt(connection)
            standing = _standing(connection)
        self._since = find_ailments(felt, self._since, now_us)
        self._steady = find_steady(felt, self._steady, now_us)
        still = dict.fromkeys(self._since.keys() & standing.keys(), now_us - FOR_LONG_US)
        known = {one.process for one in felt}
        details = {f"{one.process}.{word}": text for one in felt for word, text in one.details.items()}
        there = lasting(self._since | still, now_us, details) | self._not_over(standing, now_us)
        codes = {code for code in BY_CODE.keys() | standing.keys() | there.keys() if _is_known(code, known)}
        found = {code: text for code, text in there.items() if code in codes}

        def tell(connection: Connection, begun: Collection[str], ended: Collection[str]) -> None:
            rows = [_row(code, To.RAISED, now_us) for code in sorted(begun)]
            rows += [_row(code, To.CLEARED, now_us) for code in sorted(ended)]
            store_transitions(connection, rows)

        settle_faults(engine, codes, found, now_us, Severity.P1, tell)

    def _not_over(self, standing: Mapping[str, str], now_us: int) -> dict[str, str]:
        """The silences that stand and whose process is not steady yet."""
        over = {name for name, since_us in self._steady.items() if now_us - since_us >= STEADY_US}
        return {
            code: text
            for code, text in standing.items()
            if (one := BY_CODE.get(code)) and one.word == SILENT and one.process not in over
        }


def _is_known(code: str, known: Collection[str]) -> bool:
    """Whether it can be said of the ailment that it is there or not: without a pulse only of silence."""
    one = ailment_of(code)
    return one is not None and (one.word == SILENT or one.process in known)


def _standing(connection: Connection) -> dict[str, str]:
    """The ailments that stand, with their texts."""
    rows = connection.execute(
        select(system_fault.c.code, system_fault.c.text).where(system_fault.c.ended_us.is_(None))
    )
    return {row.code: row.text for row in rows if ailment_of(row.code)}


def _felt(connection: Connection) -> list[Felt]:
    rows = connection.execute(select(pulse.c.name, pulse.c.at_us, pulse.c.trouble))
    return [Felt(row.name, row.at_us, troubles_in(row.trouble), details_in(row.trouble)) for row in rows]


def _row(code: str, to: To, now_us: int) -> TransitionRow:
    one = ailment_of(code)
    assert one is not None, code  # only what `ailment_of` knows is ever found
    why = Why(one.en, one.zh_cn) if to is To.RAISED else Why(f"over: {one.en}", f"已恢复：{one.zh_cn}")
    transition = Transition(
        rule=SYSTEM_RULE,
        to=to,
        severity=Severity.P1,
        slot=0,
        device=0,
        dwelling=0,
        place=0,
        at_us=now_us,
        nudge_ns=0,
        received_us=now_us,
        why=why,
        age_s=0.0,
    )
    return TransitionRow(transition, SYSTEM_UID + code, "")
