"""Whether the tree of places was bent since an instant.

The tree keeps no history: where an area or building lay is only known from the trace of changes, which says
that it was moved, not from where.
"""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import Connection, or_, select

from devices.schema import registry_change

_IMPORTED: Final = re.compile(r"\b(?:area|building) \d+ new [1-9]\d* changed")


def places_moved_since(connection: Connection, at_us: int) -> bool:
    """Whether an area or building was moved after `at_us`, or an import changed some: its trace does not say
    whether it moved them. Traces that were deleted are not found."""
    what = registry_change.c.what
    traces = or_(what.startswith("area move "), what.startswith("building move "), what.startswith("import "))
    found = connection.execute(select(what).where(registry_change.c.at_us > at_us, traces)).scalars()
    return any(not text.startswith("import ") or _IMPORTED.search(text) for text in found)
