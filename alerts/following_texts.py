"""Follows the site's own texts file while the service runs.

A text that cannot be used costs nobody a message: the shipped one is said in its place, and a standing fault
says which line is wrong. What else the file says holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Engine

from alerts.site_file import SiteFile, read_site_file
from alerts.standing import settle_faults
from alerts.text_file import ReadTexts, Texts, read_texts, shipped_texts
from alerts.toml_table import PolicyError

log = structlog.get_logger()

BROKEN: Final = "texts"
"""The code of the standing fault."""
_TEXT_CHARS: Final = 300
_NAMED: Final = 2
"""Faults that are named, of the rest how many there are (chosen: one line of the board)."""


def read_texts_file(path: Path) -> ReadTexts:
    """What a file says, and what is wrong with it. Raises PolicyError where it cannot be read at all."""
    return read_texts(read_site_file(path), path.name)


def own_texts(path: Path) -> tuple[Texts, tuple[str, ...]]:
    """The texts that hold with this file, and what is wrong with it. Never raises."""
    shipped = shipped_texts().shipped
    try:
        read = read_texts_file(path)
    except PolicyError as error:
        return Texts(shipped), (str(error),)
    except Exception as error:  # whatever is in the file: people are told
        return Texts(shipped), (f"{path.name}: cannot be read: {type(error).__name__}",)
    return Texts(shipped, read.texts, path.name), read.faults


class FollowingTexts:
    """The texts with those of a file in their place, read again when it changes."""

    def __init__(self, path: str) -> None:
        self._file = SiteFile(Path(path))
        self.texts = shipped_texts()
        self.faults: tuple[str, ...] = ()

    def look(self, *, settled: bool = False) -> Texts:
        """What holds now; with `settled` false a change counts that is the same at two looks."""
        if self._file.changed(settled=settled):
            self.texts, self.faults = own_texts(self._file.path)
            log.info("texts_read", own=len(self.texts.own))
            for why in self.faults[:20]:
                log.error("text_refused", why=why, do="correct it; the shipped text is said in its place")
        return self.texts

    def tell(self, engine: Engine, now_us: int) -> None:
        """Makes the standing fault stand, or ends it."""
        settle_faults(engine, (BROKEN,), {BROKEN: _fault_text(self.faults)} if self.faults else {}, now_us)


def _fault_text(faults: tuple[str, ...]) -> str:
    named = " ".join("; ".join(faults[:_NAMED]).split())[:_TEXT_CHARS]
    rest = len(faults) - _NAMED
    chinese = f"通知文本文件有误，有误处按出厂文本：{named}" + (f"，另有{rest}处" if rest > 0 else "")
    english = f"the texts file is wrong, the shipped texts stand in: {named}"
    return f"{chinese} · {english}" + (f" and {rest} more" if rest > 0 else "")
