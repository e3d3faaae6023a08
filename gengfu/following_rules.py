"""Follows the site's own rule file and the overrides in the database: a thread reads and checks them, and the
next record of the journal brings the change.

A file that cannot be used leaves what was used last in place, over a restart too: what holds is in the
journal and the database, not in the file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection, Engine

from alerts.site_file import SiteFile
from devices.database import ChangeNotice, reading
from devices.registry.rule_overrides import OverrideRow, ids_of, list_overrides
from gengfu.live_rules import LiveRules
from gengfu.rulebook import TEXT_BYTES, Rulebook, Settled, Stated, own_catalogue, read_rulebook, settle
from ingest.registered import registry_version
from ingest.rule_notes import RuleNotes, stored_rules
from rules.catalogue import CatalogueError, RuleFile
from rules.overrides import Scope

log = structlog.get_logger()

LOOK_S: Final = 0.5
"""How often file and database are looked at (chosen: a change holds within some 2 s)."""
FILE_BYTES: Final = TEXT_BYTES // 2
"""Of a rule file; the shipped catalogue is a tenth of it."""
LINGER_US: Final = 3_600_000_000
"""How long an override that is over by time stays in the book (chosen: no record that is still to come is
older)."""
_TEXT_CHARS: Final = 300
_OVERRIDES: Final = "overrides"
"""What stands for a file's name where the overrides are too many."""


class FollowingRules:
    """Brings changed rules in while ticks go on. `file` is the path of the site's own rule file, empty for
    none.

    `refused` is why it is not used, by its name: `FILE, line N: key: problem`.
    """

    def __init__(
        self,
        engine: Engine,
        rules: LiveRules,
        notes: RuleNotes,
        file: str,
        timezone: str,
        clock_us: Callable[[], int],
        *,
        look_s: float = LOOK_S,
    ) -> None:
        """What `rules` hold now is what was used last."""
        book = read_rulebook(rules.text)
        self._engine, self._rules, self._notes = engine, rules, notes
        self._file = SiteFile(Path(file)) if file else None
        self._timezone, self._clock_us, self._look_s = timezone, clock_us, look_s
        self._own, self._name = (book.own, book.name) if file else ("", "")
        self._overrides = book.overrides
        self._asked = rules.text
        self._version = -1
        self._fails = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rules", daemon=True)
        self.refused: Mapping[str, str] = {}

    def start(self) -> None:
        """Begins to look, and says what of the rules in use is looser than shipped."""
        _tell_looser(settle(read_rulebook(self._asked)))
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and waits for it."""
        self._stop.set()
        self._thread.join()

    def look(self, *, settled: bool = False) -> None:
        """One look at both; with `settled` false a file counts that is the same at two looks.

        Raises OperationalError where the database cannot be read; then nothing has changed.
        """
        overrides, version = self._overrides, self._version
        with reading(self._engine) as connection:
            newest = registry_version(connection)
            if newest != version:
                overrides, version = stated_overrides(connection, self._clock_us()), newest
        self._look_at_file(settled=settled)
        self._overrides, self._version = overrides, version
        self._ask()

    def _look_at_file(self, *, settled: bool) -> None:
        if self._file is None or not self._file.changed(settled=settled):
            return
        path = self._file.path
        try:
            text = read_rule_file(path)
            own_catalogue(RuleFile(path.name, text))
        except CatalogueError as error:
            self._tell({path.name: str(error)})
            return
        self._own, self._name = text, path.name
        self._tell({})

    def _ask(self) -> None:
        book = Rulebook(self._own, self._name, self._timezone, self._overrides)
        text = book.text()
        if text == self._asked:
            return
        self._asked = text
        if len(text.encode()) > TEXT_BYTES:
            why = f"{_OVERRIDES}: too long with the own rules: {TEXT_BYTES} bytes are allowed"
            self._tell({**self.refused, _OVERRIDES: why})
            return
        ready = settle(book)
        for why in ready.left_out:
            log.warning("override_left_out", why=why)
        _tell_looser(ready)
        self._rules.prepare(ready)
        self._notes.turn_to(text, ready.version)
        log.info("rules_changed", version=ready.version, overrides=len(ready.overrides.all))

    def _run(self) -> None:
        notice, unread = ChangeNotice(self._engine), True
        while not self._stop.wait(self._look_s):
            try:
                unread = notice.changed() or unread
                if unread:
                    self.look()
                else:
                    self._look_at_file(settled=False)
                    self._ask()
                unread = self._fails = False
            except Exception as error:  # whatever it is: without this thread no change would be seen any more
                if not self._fails:
                    log.error("rules_wait", error=type(error).__name__)
                self._fails = True
        notice.close()

    def _tell(self, refused: Mapping[str, str]) -> None:
        told = {file: _one_line(why) for file, why in refused.items()}
        for file, why in told.items():
            if self.refused.get(file) != why:
                log.error("rules_refused", file=file, why=why, do="correct it; the rules before it hold")
        for file in self.refused.keys() - told.keys():
            log.info("rules_mended", file=file)
        self.refused = told


def read_rule_file(path: Path) -> str:
    """The text of a rule file. Raises CatalogueError where it cannot be read, or is none."""
    try:
        if path.stat().st_size > FILE_BYTES:
            raise CatalogueError(f"{path.name}: is too long: {FILE_BYTES} bytes are allowed")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CatalogueError(f"{path.name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CatalogueError(f"{path.name}: cannot be read: not UTF-8 at byte {error.start}") from None


def stated_overrides(connection: Connection, now_us: int) -> tuple[Stated, ...]:
    """The overrides that stand or are to come, with what their codes mean now; without those whose place is
    gone."""
    rows = list_overrides(connection, since_us=now_us - LINGER_US)
    rows = [row for row in rows if row.ended_us is None]
    ids = ids_of(connection, {(row.scope, row.code) for row in rows})
    return tuple(stated(row, found) for row in rows if (found := ids[row.scope, row.code]))


def stated(row: OverrideRow, ids: frozenset[int]) -> Stated:
    """An override on record with what its code means."""
    numbers = {"raise_" if key == "raise" else key: text for key, text in row.numbers.items()}
    return Stated(
        id=row.id,
        rule=row.rule,
        scope=Scope(row.scope),
        ids=tuple(sorted(ids)),
        from_us=row.from_us,
        until_us=row.until_us,
        author=row.author,
        reason=row.reason,
        off=row.off,
        **numbers,
    )


def first_book(engine: Engine, *, from_the_beginning: bool) -> Rulebook:
    """What held where the journal begins: with its first record ever the shipped rules alone, else what was
    noted last. Raises OperationalError."""
    if from_the_beginning:
        return Rulebook()
    with reading(engine) as connection:
        text = stored_rules(connection)
    try:
        book = read_rulebook(text) if text else Rulebook()
        settle(book)
    except (ValueError, CatalogueError) as error:
        log.error("rules_unreadable", error=str(error), do="the shipped rules hold")
        return Rulebook()
    return book


def _tell_looser(ready: Settled) -> None:
    for why in ready.looser:
        log.warning("rule_looser_than_shipped", why=why)


def _one_line(text: str) -> str:
    """As a process says it in its pulse, where `; ` parts one trouble from another."""
    return " ".join(text.replace(";", ",").split())[:_TEXT_CHARS]
