"""The boards of all who look, each drawn once for everybody who sees the same in the same language.

What changed is read once; of a board only the lines that are another are drawn. Pages that hold a stream open
are sent those lines, so that two hundred of them cost little more than one.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, func, select

from alerts.views import OpenIncident, changed_since, newest_change_id, passing_ids
from console.board_drawn import Drawn
from console.board_lines import Line, Lines
from console.board_order import Order
from console.faults import Fault, standing_faults
from console.filter_read import NOTHING, Hidden, hidden_by
from console.filters import EVERYTHING, Filter
from console.oversight import Oversight
from console.pages import Pages
from console.session import SignedIn
from console.siren import Siren, read_siren
from console.watch import Watch, watch_of
from devices.database import reading
from devices.schema import registry_change
from devices.scope import EVERYWHERE, Scope

BOARD_LIMIT: Final = 200
"""Incidents on one board (chosen): beyond it the page says how many more there are."""
RELOAD_S: Final = 10.0
"""The order of all incidents is read anew so often, whatever was noted of them (chosen)."""
AROUND_S: Final = 2.0
"""And what stands around the lines: a process falls silent by the passing of time (chosen)."""
FOLLOW_LIMIT: Final = 1_000
"""Beyond so many changes at once everything is read anew (chosen)."""
LINES_LIMIT: Final = 5_000
"""Beyond so many lines in memory those on no board are let go (chosen: 25 boards that share nothing)."""
UNUSED_S: Final = 60.0
"""A board that nobody looked at for so long is forgotten (chosen)."""


Ids = tuple[list[int], int]
"""The incidents of a board, and how many there are beyond its limit too."""


@dataclass(frozen=True, slots=True)
class Reader:
    """All that decides what a board shows. `actor` matters where the filter asks for what is theirs."""

    watch: Watch
    language: str
    chosen: Filter = EVERYTHING
    actor: str = ""

    @property
    def scope(self) -> Scope:
        """As a condition for queries."""
        areas = self.watch.areas
        return EVERYWHERE if areas is None else Scope(areas=areas)

    @property
    def only(self) -> ColumnElement[bool] | None:
        """What the filter asks of a row of `incident`; None: nothing."""
        return self.chosen.passes(self.actor)


def reader_of(watch: Watch, language: str, chosen: Filter, actor: str) -> Reader:
    """Readers who see the same are one."""
    return Reader(watch, language, chosen, actor if chosen.mine else "")


@dataclass(frozen=True, slots=True)
class Shown:
    """A whole board for one page. `newest` is the change that it is true for."""

    newest: int
    version: str
    head: str
    lines: str
    tail: str
    untaken: tuple[OpenIncident, ...]


@dataclass(frozen=True, slots=True)
class News:
    """What changed on a board: JSON for its pages, empty for nothing; `untaken` None where it is the same."""

    number: int
    board: str = ""
    untaken: tuple[OpenIncident, ...] | None = None


@dataclass(frozen=True, slots=True)
class Fires:
    """What templates about the siren read."""

    incidents: tuple[OpenIncident, ...] = ()
    hidden: Hidden = NOTHING


class _Kept:
    """One board, when it was last used, and what was told of it."""

    def __init__(self) -> None:
        self.drawn = Drawn()
        self.used_s = 0.0
        self.read_s = 0.0
        self.around_s = -math.inf
        self.total = -1
        self.told: tuple[str, tuple[OpenIncident, ...]] | None = None
        self.passing: set[int] | None = None
        self.changed: set[int] | None = None
        """Incidents whose filter is to be asked again; None: of all."""


class Boards:
    """Threads may share one. Each call sees the database as it is, never as it was before an earlier one."""

    def __init__(self, engine: Engine, pages: Pages) -> None:
        self._engine, self._pages = engine, pages
        self._lock = threading.Lock()
        self._order, self._lines, self._oversight = Order(), Lines(), Oversight()
        self._seen, self._registry, self._reloaded_s, self._followed_s = -1, -1, 0.0, 0.0
        self._kept: dict[Reader, _Kept] = {}

    def shown(self, user: SignedIn, language: str, chosen: Filter = EVERYTHING, actor: str = "") -> Shown:
        """The board of this user as it is now, of what was chosen."""
        reader, asked_s = self._reader(user, language, chosen, actor), time.monotonic()
        with self._lock:
            drawn = self._drawn(reader, asked_s, often=True)
            lines = "".join(one.html for one in drawn.lines.values())
            head, tail = drawn.head.text, drawn.tail.text
            return Shown(self._seen, drawn.version, head, lines, tail, drawn.untaken)

    def fires(self, user: SignedIn, language: str) -> tuple[OpenIncident, ...]:
        """The fire alarms in this user's scope that nobody has taken, as it is now."""
        reader, asked_s = self._reader(user, language, EVERYTHING, ""), time.monotonic()
        with self._lock:
            return self._drawn(reader, asked_s, often=False).untaken

    def since(self, reader: Reader, version: str) -> News:
        """What a page lacks that shows `version`, and all untaken fires."""
        asked_s = time.monotonic()
        with self._lock:
            drawn = self._drawn(reader, asked_s, often=False)
            return News(drawn.number, drawn.since(version), drawn.untaken)

    def _reader(self, user: SignedIn, language: str, chosen: Filter, actor: str) -> Reader:
        with reading(self._engine) as connection:
            return reader_of(watch_of(connection, user), language, chosen, actor)

    def siren(self, untaken: tuple[OpenIncident, ...], here: int, language: str) -> str:
        """What a page that shows incident `here` says of untaken fires, on one line."""
        values = {"siren": siren_of(untaken), "board": Fires(untaken), "here": here}
        return " ".join(self._pages.text("_siren.html", language, values).split("\n"))

    def news(self, readers: Collection[Reader]) -> Mapping[Reader, News]:
        """What changed since the last call on the boards of these readers; nothing of those that were not
        asked for before."""
        found: dict[Reader, News] = {}
        with self._lock, reading(self._engine) as connection:
            self._follow(connection)
            asked = {reader: self._ids(connection, reader) for reader in readers}
            self._read_ahead(connection, asked)
            for reader, ids in asked.items():
                drawn = self._draw(connection, reader, ids, often=False)
                kept = self._kept[reader]
                before, kept.told = kept.told, (drawn.version, drawn.untaken)
                if before is not None and before != kept.told:
                    fires = drawn.untaken if drawn.untaken != before[1] else None
                    found[reader] = News(drawn.number, drawn.since(before[0]), fires)
            self._forget(readers)
        return found

    def _drawn(self, reader: Reader, asked_s: float, *, often: bool) -> Drawn:
        """The board as it is now; as another has just found it who began to read after this one asked: many
        who come at once cost little more than one."""
        kept = self._kept.get(reader)
        if kept is not None and kept.read_s >= asked_s and (not often or kept.around_s >= asked_s):
            kept.used_s = time.monotonic()
            return kept.drawn
        with reading(self._engine) as connection:
            self._follow(connection)
            return self._draw(connection, reader, self._ids(connection, reader), often=often)

    def _ids(self, connection: Connection, reader: Reader) -> Ids:
        kept = self._kept.get(reader)
        if kept is None:
            kept = self._kept[reader] = _Kept()
        kept.used_s = time.monotonic()
        passing = self._passing(connection, reader, kept)
        return self._order.first(BOARD_LIMIT, reader.watch.areas, passing)

    def _read_ahead(self, connection: Connection, asked: Mapping[Reader, Ids]) -> None:
        """The lines of all boards of a language together: most are on several."""
        for language in {reader.language for reader in asked}:
            boards = (ids for reader, (ids, _) in asked.items() if reader.language == language)
            self._lines.of(connection, list(dict.fromkeys(chain.from_iterable(boards))), language)

    def _draw(self, connection: Connection, reader: Reader, ids: Ids, *, often: bool) -> Drawn:
        """What is another of a board; what stands around the lines `often`, else when it is time."""
        (shown, total), kept, now_s = ids, self._kept[reader], time.monotonic()
        kept.read_s = self._followed_s
        self._put(connection, reader, kept.drawn, self._lines.of(connection, shown, reader.language))
        if often or total != kept.total or now_s - kept.around_s >= AROUND_S:
            kept.total, kept.around_s = total, now_s
            self._put_around(connection, reader, kept.drawn, total)
        if kept.told is None:
            kept.told = kept.drawn.version, kept.drawn.untaken
        return kept.drawn

    def _passing(self, connection: Connection, reader: Reader, kept: _Kept) -> set[int] | None:
        """The incidents that the reader's filter lets through; None where there is no filter."""
        only, changed = reader.only, kept.changed
        if only is None:
            return None
        if kept.passing is None or changed is None:
            kept.passing = passing_ids(connection, only)
        elif changed:
            kept.passing = (kept.passing - changed) | passing_ids(connection, only, changed)
        kept.changed = set()
        return kept.passing

    def _follow(self, connection: Connection) -> None:
        """Reads again what changed since the last call."""
        now_s = self._followed_s = time.monotonic()
        registry = _registry_version(connection)
        newest = newest_change_id(connection)
        is_anew = registry != self._registry or newest < self._seen or newest - self._seen > FOLLOW_LIMIT
        if is_anew:
            self._lines.forget()
        ids = changed_since(connection, self._seen) if newest != self._seen and not is_anew else set[int]()
        self._lines.forget(ids)
        reloads = is_anew or now_s - self._reloaded_s >= RELOAD_S
        if reloads:
            self._order.reload(connection)
            self._reloaded_s = now_s
        elif ids:
            self._order.follow(connection, ids)
        for kept in self._kept.values():
            kept.changed = None if reloads or kept.changed is None else kept.changed | ids
        self._seen, self._registry = newest, registry

    def _put(self, connection: Connection, reader: Reader, drawn: Drawn, lines: Sequence[Line]) -> None:
        """Asks for the siren only where a line is another: it is silenced by acts, which change their
        incident."""
        day = self._pages.day()
        if not drawn.is_as(lines, day):
            untaken = read_siren(connection, [line.incident for line in lines]).untaken
            drawn.put(lines, untaken, day, lambda line, fire: self._line(reader, line, fire))

    def _line(self, reader: Reader, line: Line, fire: bool) -> str:
        values = {
            "incident": line.incident, "evidence": line.evidence, "untaken": fire, "acts": reader.watch.acts,
        }  # fmt: skip
        return self._pages.text("_board_line.html", reader.language, values).strip()

    def _put_around(self, connection: Connection, reader: Reader, drawn: Drawn, total: int) -> None:
        faults: list[Fault] = []
        if reader.watch.faults:
            unseen = self._oversight(connection)
            faults = standing_faults(connection, reader.language, self._pages.now_us(), reader.scope, unseen)
        values = {
            "faults": faults, "total": total, "more": total - len(drawn.order), "chosen": reader.chosen,
            "board": Fires(hidden=hidden_by(connection, reader.scope, reader.only)),
        }  # fmt: skip
        head, tail = (
            self._pages.text(name, reader.language, values).strip()
            for name in ("_board_head.html", "_board_tail.html")
        )
        drawn.put_around(head, tail)

    def _forget(self, readers: Collection[Reader]) -> None:
        """Boards without a page and without a recent look, and lines that are on no board."""
        now_s = time.monotonic()
        for reader in [one for one, kept in self._kept.items() if now_s - kept.used_s >= UNUSED_S]:
            if reader not in readers:
                del self._kept[reader]
        if len(self._lines) > LINES_LIMIT:
            self._lines.keep(
                {(reader.language, n) for reader, kept in self._kept.items() for n in kept.drawn.order}
            )


def _registry_version(connection: Connection) -> int:
    return int(connection.scalar(select(func.max(registry_change.c.id))) or 0)


def siren_of(untaken: tuple[OpenIncident, ...]) -> Siren:
    """What sounds."""
    return Siren(tuple(one.id for one in untaken))
