"""How long the series of a retired device keep their names: as long as a store may hold points of theirs.

Whoever reads points back finds the device by the name (`gengfu replay --store`, pages), and `gengfu influx
copy` writes points under it. A name that is let go too early makes points nobody's; one that is kept too long
costs the memory of a series in service.
"""

from __future__ import annotations

from pathlib import Path

from gengfu.check_history import history_finding
from gengfu.config_store import EMBEDDED, Store
from gengfu.store_account import target_of


def names_kept_days(store: Store, data_dir: Path) -> float | None:
    """Days after which no store holds a point of a device that is silent; None: names are not let go.

    A server says nowhere for how long all that it has is kept, so that is configured. While `points.db` holds
    what is not known to be in the server, nothing is let go.
    """
    if store.kind == EMBEDDED:
        return store.keep_days
    if not store.keep_names_days or history_finding(data_dir, target_of(store)):
        return None
    return max(store.keep_names_days, store.recent_days)
