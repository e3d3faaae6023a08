"""What the tick is composed of, as it sees it. T is the transition: rules make it, the ledger stores it,
ingest only carries it (it may not import either room).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from devices.model import Bool, EngineInput, Int32, ReadingBatch, SeriesTable
from devices.profiles.profile import Note, Reply
from ingest.record import NewSeries, Record, StrangerTopic
from ingest.source import Progress, RawBatch, Source

Arrays = Mapping[str, NDArray[Any]]
"""State as named arrays: what a snapshot holds."""

T = TypeVar("T")
Made_co = TypeVar("Made_co", covariant=True)
Stored_contra = TypeVar("Stored_contra", contravariant=True)


class TickSource(Source, Protocol):
    """A source that can tell which acknowledgements are proven."""

    @property
    def progress(self) -> Progress:
        """As of the last poll or commit."""


class Rules(Protocol[Made_co]):
    """The engine. Deterministic: the same calls after `restore` give the same answers.

    An exception from `evaluate` is a bug that ends the process; the supervisor starts it again.
    """

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """The series as they are from now on; called before `restore` and before new ones are evaluated.

        `changed`: which may differ from the table before, besides those beyond its end; None: any.
        """

    def forget(self, slots: Int32) -> None:
        """The series at these places of the table are gone; what comes there next starts as new."""

    def holds(self, slots: Int32) -> Bool:
        """On which of these an alarm stands."""

    def change(self, text: str, now_us: int) -> Sequence[Made_co]:
        """What holds from here on, as the text of a record's note (`ingest.rule_notes`), with the record's
        time; called before its `evaluate`. The transitions that follow from the change alone."""

    def evaluate(
        self, batch: ReadingBatch, inputs: Sequence[EngineInput], now_us: int, source: str = ""
    ) -> Sequence[Made_co]:
        """The transitions of one tick. `now_us` is the record's time, `source` the name of the broker that
        its readings came from."""

    def advance(self, now_us: int) -> Sequence[Made_co]:
        """The transitions that come by time alone; called after every `evaluate`, with the record's time."""

    @property
    def due_us(self) -> int:
        """From when on `advance` may have something to say. The tick asks between records."""

    def snapshot(self) -> Arrays:
        """The whole state, independent of what follows."""

    def restore(self, state: Arrays) -> None:
        """Takes the state of a snapshot."""


class Ledger(Protocol[Stored_contra]):
    """The SQL side of a tick."""

    def commit(
        self,
        transitions: Sequence[Stored_contra],
        new_series: Sequence[NewSeries],
        strangers: Sequence[StrangerTopic],
        seq: int,
        freed: Sequence[int] = (),
        notes: Sequence[Note] = (),
    ) -> None:
        """One transaction: all of it or nothing, and nothing twice when the same call comes again.

        `freed` are slots of series that are gone: removed before the new ones are added. Of `notes` the last
        of a key counts.

        Raises sqlalchemy.exc.OperationalError where the database is locked, full or away.
        """


class Replying(Protocol):
    """What carries answers to devices."""

    def reply(self, raw: RawBatch, replies: Sequence[Reply]) -> int:
        """Sends them at QoS 0 to the broker of the batch, without waiting; how many it took. 0 where the
        connection that the batch came on is over: they are not sent again."""


class Freed(Protocol):
    """What says which series are gone for good."""

    def due(self, now_us: int) -> list[int]:
        """Their slots; mostly none."""


class Inbox(Protocol):
    """Where human inputs come from."""

    def take(self) -> list[EngineInput]:
        """What is new since the last call, oldest first."""


class Attendance(Protocol):
    """What says when we, or a broker, were away."""

    def take(self, now_us: int) -> list[EngineInput]:
        """What is new since the last call: inputs with the id 0."""


class Spool(Protocol):
    """The journal, as the tick writes it."""

    @property
    def next_seq(self) -> int:
        """The seq the next record must carry."""

    @property
    def is_pressed(self) -> bool:
        """Whether a snapshot now would make room that is running out."""

    @property
    def at_the_brim(self) -> bool:
        """Whether the next tick may find no room at all: a snapshot must come first."""

    def append(self, record: Record) -> bool:
        """Returns when the record is durable: whether its points are shed, for want of room.

        Raises JournalFull or OSError with nothing written.
        """

    def keep_after(self, seq: int, newest: int = 0) -> None:
        """Recovery no longer needs records up to `seq`; the newest snapshot has those up to `newest`."""

    def keep_reserve(self) -> None:
        """Makes what is missing of the reserve, now and then."""
