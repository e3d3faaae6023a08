"""Follows the site's own policies file while the service runs.

A file that cannot be used stops nobody from being told: the shipped policies hold then, whatever held before,
so that it is the same after a restart, and a standing fault says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Engine

from alerts.plans import Policies, PolicyError, own_policies, shipped_policies
from alerts.site_file import SiteFile, read_site_file
from alerts.standing import settle_faults

log = structlog.get_logger()

REFUSED: Final = "policies"
"""The code of the standing fault."""
_TEXT_CHARS: Final = 300


def read_policies(path: Path) -> Policies:
    """The shipped policies with those of the file in their place. Raises PolicyError."""
    return own_policies(read_site_file(path), path.name)


class FollowingPolicies:
    """The policies of a file, read again when it changes. `path` empty: the shipped ones, for good."""

    def __init__(self, path: str) -> None:
        self._file = SiteFile(Path(path)) if path else None
        self.policies = shipped_policies()
        self.refused = ""

    def look(self, *, settled: bool = False) -> Policies:
        """What holds now; with `settled` false a change counts that is the same at two looks. Never raises: a
        file that cannot be used is told in `refused`."""
        if self._file and self._file.changed(settled=settled):
            try:
                self.policies, self.refused = read_policies(self._file.path), ""
                log.info("policies_read", own=len(self.policies.own))
            except Exception as error:
                self.policies, self.refused = shipped_policies(), _one_line(error)
                log.error("policies_refused", why=self.refused, do="correct it; the shipped ones hold")
        return self.policies

    def tell(self, engine: Engine, now_us: int) -> None:
        """Makes the standing fault stand, or ends it."""
        found = {REFUSED: _fault_text(self.refused)} if self.refused else {}
        settle_faults(engine, (REFUSED,), found, now_us)


def _fault_text(why: str) -> str:
    chinese = f"通知方案文件不能使用，现按出厂方案通知：{why}"
    return f"{chinese} · the policies file cannot be used, the shipped policies hold: {why}"


def _one_line(error: Exception) -> str:
    """What is wrong with the file; of anything but a PolicyError its kind only."""
    said = str(error) if isinstance(error, PolicyError) else f"cannot be read: {type(error).__name__}"
    return " ".join(said.split())[:_TEXT_CHARS]
