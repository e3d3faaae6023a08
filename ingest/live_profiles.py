"""Follows the site's profile files: a thread reads and compiles them, the tick only swaps lists.

The steps of a change, none of which keeps a tick waiting:
1. The thread finds files that are otherwise, and the same at two looks, and makes a new lineup of them.
2. Between two ticks, notes begin to be kept (`Recent`): all before are in the database.
3. The thread reads the stored notes into the new profiles, and notes in the database which filters the
   brokers' sessions may be subscribed to from now on, so that none is left behind by a crash.
4. Between two ticks the new profiles take the notes of meanwhile and take over; then new filters are
   subscribed to and, once they are granted, gone ones let go of. The profiles come first: what the broker
   keeps for a new filter comes with its subscription. A message of a gone filter that is still on its way
   goes to the new profiles, or is refused.

A lineup that cannot be brought in now (database locked) is made anew at a later look.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from devices.database import reading, writing
from devices.profiles.described import DescribedProfile
from devices.profiles.profile import Learning, Note, Profile
from ingest.intake import Intake
from ingest.lineup import Lineup
from ingest.notes import by_profile, filter_notes, filters_held, stored_notes, write_notes

log = structlog.get_logger()

LOOK_S: Final = 2.0
"""How often names, sizes and times of the files are looked at (chosen)."""
_WAIT_S: Final = 0.1

Held = dict[str, tuple[str, ...]]
"""Filters by the name of a source."""


class Lines(Protocol):
    """Where lineups come from; `ingest.lineup.Shelf` is one."""

    def stamps(self) -> dict[str, tuple[int, int]]:
        """Changes when a file does."""

    def line_up(self) -> Lineup:
        """Of the files as they are now."""


class Subscribing(Protocol):
    """What is subscribed for us."""

    @property
    def held(self) -> Held:
        """What each broker may hold subscriptions of ours to, by its name."""

    def want(self, filters: tuple[str, ...]) -> None:
        """Other filters from now on, on every broker."""


class LiveProfiles:
    """Brings changed profiles in while ticks go on. `lineup` is what was last brought in, or is told of.

    `changes` counts lineups that took over, `refused` is why files are not used (`Lineup.refused`).
    """

    def __init__(
        self,
        engine: Engine,
        shelf: Lines,
        intake: Intake,
        source: Subscribing,
        lineup: Lineup,
        stamps: Mapping[str, tuple[int, int]],
        *,
        look_s: float = LOOK_S,
    ) -> None:
        """`lineup` is in use already; `stamps` are those of the files from before it was made."""
        self._engine, self._shelf, self._intake, self._source = engine, shelf, intake, source
        self._look_s = look_s
        self._used = self._seen = dict(stamps)
        self._stored: Held = {}
        self._asks: threading.Event | None = None
        self._ready: Lineup | None = None
        self._stop = threading.Event()
        self._fails = self._waits = False
        self._thread = threading.Thread(target=self._run, name="profiles", daemon=True)
        self.changes = 0
        self.refused: Mapping[str, str] = {}
        self._tell(lineup)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and waits for it."""
        self._stop.set()
        self._thread.join()

    def step(self) -> None:
        """What is to be done between two ticks, mostly nothing. Call it in their thread, while none is in
        hand."""
        asks, ready = self._asks, self._ready
        if asks is None or asks.is_set():
            return
        if ready is None:
            self._intake.recent.begin()
        else:
            self._take_over(ready)
        asks.set()

    def _take_over(self, lineup: Lineup) -> None:
        bring_back(lineup, self._intake.recent.end())
        self._intake.decoder.replace(lineup.profiles)
        self._intake.replies.allow(lineup.answers)
        self._source.want(lineup.filters)
        self.changes += 1

    def _run(self) -> None:
        while not self._stop.wait(self._look_s):
            try:
                self._look()
                self._fails = False
            except Exception as error:  # whatever it is: without this thread no change would be seen any more
                if not self._fails:
                    log.error("profiles_wait", error=type(error).__name__)
                self._fails = True

    def _look(self) -> None:
        stamps = self._shelf.stamps()
        settled, self._seen = stamps == self._seen, stamps
        if settled and stamps != self._used:
            self._bring_in(stamps)
        held = self._source.held
        if held != self._stored:
            self._note_held(held)

    def _bring_in(self, stamps: dict[str, tuple[int, int]]) -> None:
        lineup = self._shelf.line_up()
        self._tell(lineup)
        self._waits = self._waits or lineup.changed
        if not self._waits:
            self._used = stamps
            return
        try:
            if not self._ask(None):
                return
            with reading(self._engine) as connection:
                notes = stored_notes(connection)
            bring_back(lineup, notes)
            self._note_held(
                {name: (*filters, *lineup.filters) for name, filters in self._source.held.items()}
            )
        except OperationalError:
            self._intake.recent.end()
            raise
        if self._ask(lineup):
            self._used, self._waits = stamps, False
            versions = {one.name: one.version for one in lineup.profiles}
            log.info("profiles_changed", versions=versions, filters=list(lineup.filters))

    def _ask(self, ready: Lineup | None) -> bool:
        """Has `step` done between two ticks; False where we are to stop."""
        self._ready = ready
        asks = self._asks = threading.Event()
        while not asks.wait(_WAIT_S):
            if self._stop.is_set():
                self._asks = None
                return False
        return True

    def _note_held(self, held: Held) -> None:
        with writing(self._engine) as connection:
            write_notes(connection, filter_notes(held))
        self._stored = held

    def _tell(self, lineup: Lineup) -> None:
        for file, why in lineup.refused.items():
            if self.refused.get(file) != why:
                do = "correct the file; until then the version before it is used, if there was one"
                log.error("profile_refused", file=file, why=why, do=do)
        for file in self.refused.keys() - lineup.refused.keys():
            log.info("profile_mended", file=file)
        self.refused = lineup.refused


def bring_back(lineup: Lineup, notes: list[Note]) -> None:
    """Gives each profile what it noted, or what the one noted whose place it takes."""
    sorted_out = by_profile(notes)
    for profile in lineup.profiles:
        if isinstance(profile, Learning) and (own := sorted_out.get(_memory_name(profile))):
            profile.remember(own)


def _memory_name(profile: Learning) -> str:
    return profile.compiled.memory_name if isinstance(profile, DescribedProfile) else profile.name


def memory_refused(profiles: Iterable[Profile]) -> int:
    """How often something that the profiles learnt did not fit; once where several share a memory."""
    memories = {id(one.memory): one.memory for one in profiles if isinstance(one, DescribedProfile)}
    return sum(one.refused for one in memories.values())


def left_behind(engine: Engine, names: list[str], filters: tuple[str, ...]) -> Held:
    """At the start: which filters each broker's session may hold that are not wanted any more, by source
    name.

    Notes those that are wanted as well, before they are asked for. Raises OperationalError.
    """
    with reading(engine) as connection:
        held = filters_held(connection)
    former = {name: held.get(name, FORMER) for name in names}
    with writing(engine) as connection:
        write_notes(connection, filter_notes({name: {*filters, *before} for name, before in former.items()}))
    return {name: tuple(one for one in before if one not in filters) for name, before in former.items()}


FORMER: Final = ("gengfu/#", "zigbee2mqtt/#")
"""What every session was subscribed to by releases that did not note it."""
