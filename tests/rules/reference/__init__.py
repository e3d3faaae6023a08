"""The rules once more, as plain as they can be written: one reading at a time, one series at a time.

Written from docs/rules.md and not from the kernels, with dicts and loops; rule files are read anew. It gives
everything of a transition but `why`.
"""

from __future__ import annotations

from tests.rules.reference.entries import Entry, entries_of, us_of
from tests.rules.reference.reading import One, Told
from tests.rules.reference.whole import KINDS, Reference

__all__ = ["KINDS", "Entry", "One", "Reference", "Told", "entries_of", "us_of"]
