"""Stories on virtual time over a real database: what happens to a small block, and who must have been told.

    story.at(0).smoke("501")
    story.between(0, 1).told("family", by="push")
    story.at(30).answers("family", Act.ACKNOWLEDGE)

Time only moves forward. Moving it runs a turn at every instant at which a step is due, as the process does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import Engine, event, select, update

from alerts import schema
from alerts.acts import ActOutcome, outcome_of, record_act
from alerts.case import Act
from alerts.handover import Handover
from alerts.inbox import TransitionRow, store_transitions
from alerts.settings import Settings
from alerts.turn import run_turn
from devices import schema as registry
from devices.database import open_database, reading, writing
from devices.model import Severity
from rules.transition import Mark, Subject, To, Transition, Why
from tests.alerts.block import BUILT_US, CAST, DEVICES, Block, build

START_US = BUILT_US
SECOND = 1_000_000
DAY_S = 86_400.0


@dataclass(frozen=True)
class Message:
    """A notification as the story sees it; `at_s` since its start."""

    at_s: float
    code: str
    role: str
    medium: str
    severity: str
    step: str
    epoch: int
    text: str
    link: str
    incident_id: int
    key: str


@dataclass
class Story:
    engine: Engine
    settings: Settings
    block: Block
    now_us: int = START_US
    next_due_us: int | None = None
    handovers: list[Handover] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def now_s(self) -> float:
        return (self.now_us - START_US) / SECOND

    # time

    def at(self, seconds: float) -> Story:
        """Moves on to `seconds`, with every step that falls due on the way."""
        to_us = START_US + round(seconds * SECOND)
        assert to_us >= self.now_us, "time only moves forward"
        for _ in range(10_000):
            if self.next_due_us is None or self.next_due_us > to_us:
                break
            self.now_us = max(self.now_us, self.next_due_us)
            self.turn()
        else:
            raise AssertionError("steps without end")
        self.now_us = to_us
        return self

    def turn(self) -> None:
        """Turns until nothing waits; what is handed over counts as accepted at once."""
        while True:
            result = run_turn(self.engine, self.settings, self.now_us)
            self.handovers += result.handovers
            self.next_due_us = result.next_due_us
            if not result.more:
                break
        with writing(self.engine) as connection:
            sending = schema.notification.c.state == "sending"
            connection.execute(
                update(schema.notification).where(sending).values(state="accepted", accepted_us=self.now_us)
            )

    # what happens

    def smoke(self, flat: str, *marks: Mark, device: str = "", age_s: float = 0.0) -> Story:
        uid = device or f"smoke-{flat}"
        severity = Severity.P2 if age_s > 1800 else Severity.P0
        return self.transition("S1", uid, severity, marks, age_s=age_s)

    def overload(self, flat: str, *marks: Mark) -> Story:
        return self.transition("O3", f"monitor-{flat}", Severity.P1, marks)

    def electrical_fire(self, flat: str) -> Story:
        place = self.block.dwellings[flat]
        marks = (Mark.ELECTRICAL_FIRST,)
        return self.transition("X1", f"smoke-{flat}", Severity.P0_PLUS, marks, place=place)

    def clears(self, rule: str, uid: str) -> Story:
        severity = Severity.P0 if rule == "S1" else Severity.P1
        return self.transition(rule, uid, severity, (), to=To.CLEARED)

    def stranger_smoke(self, uid: str, topic: str) -> Story:
        return self.transition("S1", uid, Severity.P0, (), topic=topic)

    def transition(
        self,
        rule: str,
        uid: str,
        severity: Severity,
        marks: tuple[Mark, ...],
        *,
        to: To = To.RAISED,
        place: int = 0,
        age_s: float = 0.0,
        topic: str = "",
    ) -> Story:
        self.store(self.row(rule, uid, severity, marks, to=to, place=place, age_s=age_s, topic=topic))
        self.turn()
        return self

    def row(
        self,
        rule: str,
        uid: str,
        severity: Severity,
        marks: tuple[Mark, ...] = (),
        *,
        to: To = To.RAISED,
        place: int = 0,
        age_s: float = 0.0,
        topic: str = "",
        about: Subject | None = None,
        hazard: str = "",
        title: Why | None = None,
    ) -> TransitionRow:
        flat = DEVICES.get(uid, ("", ""))[1]
        transition = Transition(
            rule=rule,
            to=to,
            severity=severity,
            slot=7 if not place else 8,
            device=self.block.devices.get(uid, 0),
            dwelling=self.block.dwellings.get(flat, 0),
            place=place,
            at_us=self.now_us - round(age_s * SECOND),
            nudge_ns=next(self._numbers),
            received_us=self.now_us,
            why=Why(f"{rule} of {uid}", f"{uid} 的 {rule}"),
            age_s=age_s,
            marks=marks,
            subject=about or (Subject.DWELLING if place else Subject.SERIES),
        )
        return TransitionRow(transition, uid, "", topic, hazard, title)

    def store(self, *rows: TransitionRow) -> None:
        with writing(self.engine) as connection:
            store_transitions(connection, rows)

    def answers(self, who: str, act: Act, note: str = "", incident: int = 1, role: str = "") -> ActOutcome:
        """Somebody of the cast, or a console user (`operator`, `operator-2`, `admin`), acts; the outcome."""
        act_id = self.hand_in(who, act, note, incident, role)
        self.turn()
        with reading(self.engine) as connection:
            outcome = outcome_of(connection, act_id, "en")
        assert outcome is not None
        return outcome

    def hand_in(self, who: str, act: Act, note: str = "", incident: int = 1, role: str = "") -> int:
        is_user = who not in self.block.contacts
        actor = f"user:{who}" if is_user else f"contact:{self.block.contacts[who]}"
        role = role or (who.partition("-")[0] if is_user else str(CAST[who][0]))
        once = f"once-{next(self._numbers)}"
        with writing(self.engine) as connection:
            return record_act(connection, once, incident, actor, role, act, note, "test", self.now_us)

    def ends_the_binding_of(self, code: str) -> None:
        with writing(self.engine) as connection:
            ended = registry.binding.c.contact_id == self.block.contacts[code]
            connection.execute(update(registry.binding).where(ended).values(ended_us=self.now_us))

    # what must have come of it

    def between(self, first_s: float, last_s: float) -> Messages:
        """What was sent in that time, both ends included; time moves on to `last_s`."""
        if last_s > self.now_s:
            self.at(last_s)
        return Messages([m for m in self.messages() if first_s <= m.at_s <= last_s])

    def messages(self) -> list[Message]:
        n, c = schema.notification.c, registry.contact.c
        with reading(self.engine) as connection:
            rows = connection.execute(
                select(schema.notification, c.code)
                .join(registry.contact, n.contact_id == c.id)
                .where(n.attempts > 0)  # what waits to be told together is not sent
                .order_by(n.id)
            ).all()
        return [
            Message(
                at_s=(row.created_us - START_US) / SECOND,
                code=row.code,
                role=row.role,
                medium=row.medium,
                severity=row.severity,
                step=row.key.split("/")[2],
                epoch=int(row.key.split("/")[1]),
                text=row.text,
                link=row.link,
                incident_id=row.incident_id,
                key=row.key,
            )
            for row in rows
        ]

    def incident(self, number: int = 1) -> Any:
        return self.table(schema.incident)[number - 1]

    def incidents(self) -> list[Any]:
        return self.table(schema.incident)

    def table(self, table: Any) -> list[Any]:
        order = next(iter(table.primary_key.columns))
        with reading(self.engine) as connection:
            return list(connection.execute(select(table).order_by(order)))


@dataclass(frozen=True)
class Messages:
    """Messages of a stretch of time."""

    messages: list[Message]

    def told(self, who: str, by: str = "", saying: str = "") -> Messages:
        """Asserts that the contact `who` was sent at least one such message, and gives those."""
        found = [m for m in self.messages if m.code == who and by in {"", m.medium} and saying in m.text]
        assert found, f"{who} was not told{' by ' + by if by else ''}; told were {self.codes()}"
        return Messages(found)

    def once(self) -> None:
        """Asserts that it is exactly one message."""
        assert len(self.messages) == 1, [m.key for m in self.messages]

    def not_told(self, *who: str) -> None:
        """Asserts that none of these was sent anything."""
        found = [m for m in self.messages if m.code in who]
        assert not found, f"told though not to be: {[(m.at_s, m.code, m.step) for m in found]}"

    def nobody(self) -> None:
        assert not self.messages, f"told: {[(m.at_s, m.code, m.step) for m in self.messages]}"

    def codes(self) -> list[str]:
        return sorted({m.code for m in self.messages})


def _without_fsync(connection: Any, _record: object) -> None:
    """No story pulls the plug, and many turns are faster without waiting for the disk."""
    connection.execute("PRAGMA synchronous=OFF")


@contextmanager
def a_story(
    database: str, *, ratio: float = 1.0, without: tuple[str, ...] = (), agreed: bool = False
) -> Iterator[Story]:
    """A block with its cast but for `without`, in the database of that URL. `agreed`: the brigade takes
    unconfirmed alarms.
    """
    engine = open_database(database)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _without_fsync)
    settings = Settings(b"k" * 32, "http://answers.example", clock_ratio=ratio)
    with writing(engine) as connection:
        block = build(connection, without=without, agreed=agreed)
    story = Story(engine, settings, block)
    try:
        yield story
    finally:
        engine.dispose()
