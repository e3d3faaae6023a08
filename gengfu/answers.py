"""Where ingest may publish: the topics on which the site's chosen profiles answer their devices."""

from __future__ import annotations

from gengfu.config import Config
from gengfu.profiles import shelf_of


class Answers:
    """The filters of `ingest.replies_for`, made anew when a profile file changes.

    `unwritten`: they have changed since whoever writes them down set it to false. Without a name in
    `ingest.replies_for` there are none, and no profile is ever read.
    """

    def __init__(self, config: Config) -> None:
        self._shelf = shelf_of(config) if config.ingest.replies_for else None
        self._seen: dict[str, tuple[int, int]] = {}
        self._used: dict[str, tuple[int, int]] | None = None
        self.filters: tuple[str, ...] = ()
        self.unwritten = False

    def changed(self) -> bool:
        """Looks at the files; whether the filters are others than before. Files count when they are the same
        at two looks, but for the first."""
        if self._shelf is None:
            return False
        stamps = self._shelf.stamps()
        settled, self._seen = stamps == self._seen, stamps
        if stamps == self._used or not (settled or self._used is None):
            return False
        self._used = stamps
        filters = self._shelf.line_up().answers
        changed, self.filters = filters != self.filters, filters
        self.unwritten |= changed
        return changed
