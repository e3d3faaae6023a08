"""One replay: what was asked for, put together and run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from devices.database import reading
from gengfu.config import Config
from gengfu.database_here import open_here
from gengfu.local_time import calendar_of
from gengfu.replay.circuits import Circuits, read_circuits, registered_circuits
from gengfu.replay.events import read_events
from gengfu.replay.reading import RecordingError, instant_us
from gengfu.replay.recorded import COLUMNS, Book, Recorded, Recording
from gengfu.replay.stored import opened, series_of, stored
from gengfu.replay.summary import Summary
from gengfu.replay.told import line_of
from gengfu.replay.unmet import unmet
from gengfu.replay.used import used_rules
from gengfu.replay.virtual import VirtualTime
from ingest.store.history import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of the command."""

    file: Path | None
    store: bool
    begin: str
    until: str
    devices: tuple[str, ...]
    rules: Path | None
    override: Path | None
    shipped: bool
    circuits: Path | None
    registry: bool
    events: Path | None
    tick_s: float
    gap_s: float

    def wrong_usage(self) -> str:
        """What does not go together, with what is allowed; empty where all does."""
        of_store = {"--from": self.begin, "--until": self.until, "--device": self.devices}
        given = [option for option, value in of_store.items() if value]
        if self.file is not None and self.store:
            return "say FILE or --store, not both"
        if not self.store and given:
            return f"{' and '.join(given)}: only with --store; of a FILE all lines are replayed"
        if self.store and not (self.begin and self.until):
            return "--store needs --from and --until"
        if not self.store and self.file is None:
            return "say FILE, or --store with --from and --until"
        if self.shipped and (self.rules or self.override):
            return "--shipped is without --rules and --override"
        return ""


class Replay:
    """`used` are the rules and overrides it goes by. `lines` once, then `figures`."""

    def __init__(self, asked: Asked, config: Config) -> None:
        """Reads the files beside the recording. Raises RecordingError, CatalogueError, OverrideError,
        NothingHere."""
        self._asked, self._config = asked, config
        self._zone = ZoneInfo(config.site.timezone)
        self._circuits = read_circuits(asked.circuits) if asked.circuits else Circuits()
        self._book = Book(self._registered().and_then(self._circuits))
        self.used = used_rules(
            config, self._book, rules=asked.rules, override=asked.override, shipped=asked.shipped
        )
        self._virtual = VirtualTime(
            self.used.catalogue,
            self._book,
            overrides=self.used.overrides,
            calendar=calendar_of(config.site.timezone),
            tick_us=round(asked.tick_s * 1e6),
        )
        self._notes: list[str] = []
        self._events = read_events(asked.events, self._zone) if asked.events else None
        self._summary = Summary(self.used.catalogue, self._book, self._events, round(asked.gap_s * 1e6))

    def lines(self) -> Iterator[dict[str, str]]:
        """Each transition as it is printed. Raises RecordingError, also where there is no reading."""
        for transition in self._virtual.run(self._counted(self._recorded())):
            self._summary.told(transition)
            yield line_of(transition, self._book)
        if not self._summary.readings:
            raise RecordingError(self._nothing())

    def figures(self) -> dict[str, Any]:
        """The summary, with what was used and what had no effect."""
        asked = self._asked
        notes = unmet(
            self._book,
            self.used,
            (str(asked.circuits), self._circuits.named),
            (str(asked.events), self._events.devices if self._events else ()),
            self._summary.span_us,
        )
        return self._summary.figures() | {
            "rules": self.used.rules_said,
            "overrides": self.used.overrides_said,
            "notes": [*self._notes, *self.used.left_out, *notes],
        }

    def _counted(self, recording: Iterable[Recorded]) -> Iterator[Recorded]:
        for part in recording:
            self._summary.read(part)
            yield part

    def _recorded(self) -> Iterable[Recorded]:
        if self._asked.file is not None:
            return Recording(self._asked.file, self._book, self._zone)
        from_us, until_us = (
            self._instant("--from", self._asked.begin),
            self._instant("--until", self._asked.until),
        )
        if until_us <= from_us:
            raise RecordingError("--until: is not after --from")
        engine = open_here(self._config)
        try:
            with reading(engine) as connection:
                names = series_of(connection, frozenset(self._asked.devices))
        finally:
            engine.dispose()
        return self._stored(names, from_us, until_us)

    def _stored(self, names: Mapping[int, Series], from_us: int, until_us: int) -> Iterator[Recorded]:
        with opened(self._config.store, self._config.data_dir, self._notes.append) as reader:
            yield from stored(reader, names, self._book, from_us, until_us)

    def _registered(self) -> Circuits:
        if not self._asked.registry:
            return Circuits()
        engine = open_here(self._config)
        try:
            with reading(engine) as connection:
                return registered_circuits(connection)
        finally:
            engine.dispose()

    def _instant(self, option: str, text: str) -> int:
        try:
            return instant_us(text, self._zone)
        except ValueError as error:
            raise RecordingError(f"{option}: {error}") from None

    def _nothing(self) -> str:
        if self._asked.file is None:
            of = f" of {', '.join(self._asked.devices)}" if self._asked.devices else ""
            return f"--store: nothing is stored{of} from {self._asked.begin} to before {self._asked.until}"
        return (
            f"{self._asked.file}: there is no reading in it; needed: a line of names "
            f"({','.join(COLUMNS)}) and a line for each reading, or a JSON object on each line"
        )
