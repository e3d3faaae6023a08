"""What `gengfu check` says of the limits of a series server: whom it would refuse, and what it holds in
memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ingest.probes.finding import Finding
from ingest.store.history import SeriesUnread
from ingest.store.influx.asking import Asking
from ingest.store.influx.expiry import retention_of
from ingest.store.influx.statements import series_told

NAME: Final = "series store"
BOUNDS: Final = ("max-values-per-tag", "max-series-per-database")
LARGE: Final = 100_000
"""Series above which an index in memory is worth a word (chosen: where InfluxDB 1.x begins to refuse)."""
_IN_MEMORY: Final = "inmem"
_WANTED: Final = " = 0, ".join(BOUNDS) + ' = 0 and index-version = "tsi1" in [data] of its configuration'
_TO_TSI1: Final = (
    'set index-version = "tsi1" in [data] of its configuration, and rebuild with influx_inspect buildtsi'
    " while it is stopped"
)


@dataclass(frozen=True, slots=True)
class Limits1:
    """What InfluxDB 1.x says of itself: `bounds` of its configuration, how many pieces of the database
    (shards) have which `index`, and how many `series` it has. Before 1.8 it does not say the index."""

    bounds: Mapping[str, Any]
    index: Mapping[str, int] = field(default_factory=dict)
    series: int = 0


def limits_of(asking: Asking, database: str) -> Limits1 | None:
    """Asked of a server of 1.x; None where it does not say, which it does to administrators only."""
    try:
        data = _first(series_told(asking, "SHOW DIAGNOSTICS"), "config-data")
        shards = series_told(asking, "SHOW STATS FOR 'shard'")
        databases = series_told(asking, "SHOW STATS FOR 'database'")
        ours = [one for one in shards if one["tags"]["database"] == database]
        index = Counter(one["tags"]["indexType"] for one in ours if "indexType" in one["tags"])
        counts = [_row(one) for one in databases if one["tags"]["database"] == database]
        return Limits1(data, index, sum(int(one.get("numSeries", 0)) for one in counts))
    except (SeriesUnread, LookupError, TypeError, ValueError):
        return None


def _first(series: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next((_row(one) for one in series if one["name"] == name), {})


def _row(series: Mapping[str, Any]) -> dict[str, Any]:
    return dict(zip(series["columns"], series["values"][0], strict=True))


def limits_told(limits: Limits1 | None, database: str) -> Finding:
    """What InfluxDB 1.x refuses beyond: new devices, without a word to anybody else. None: not to be read.

    The limits hold for the index in memory alone: with tsi1 the server takes more than they say.
    """
    name = f"{NAME} limits"
    if limits is None or not set(BOUNDS) <= limits.bounds.keys():
        text = f"this user may not read them; InfluxDB 1.x refuses devices beyond 100000 unless {_WANTED}"
        return Finding(name, None, text)
    bounded = [f"{key} is {limits.bounds[key]}" for key in BOUNDS if limits.bounds[key]]
    if limits.index and _IN_MEMORY not in limits.index:
        beside = f", for which it does not count that {' and '.join(bounded)}" if bounded else ""
        return Finding(name, True, f"{database} may grow: {_index(limits)}{beside}")
    if bounded:
        text = f"{', '.join(bounded)}: points of devices beyond are refused; set {_WANTED}"
        return Finding(name, False, f"{text}; {_index(limits)}" if limits.index else text)
    if _IN_MEMORY in limits.index and limits.series >= LARGE:
        text = f"{_index(limits)}, and so all names of {limits.series} series are in its memory"
        return Finding(name, None, f"{text}; {_TO_TSI1}")
    index = (
        _index(limits) if limits.index else "it does not say its index-version: tsi1 keeps its memory small"
    )
    return Finding(name, True, f"{database} may grow; {index}")


def _index(limits: Limits1) -> str:
    if len(limits.index) == 1:
        return f"its index is {next(iter(limits.index))}"
    each = " and ".join(f"{kind} in {count}" for kind, count in sorted(limits.index.items()))
    return f"its index is {each} shards"


def dedup_told(flags: str) -> Finding:
    """VictoriaMetrics keeps a point that is written again twice, unless it is told not to."""
    name = f"{NAME} repeats"
    given = [
        line.split("=", 1)[1].strip('" ') for line in flags.splitlines() if "dedup.minScrapeInterval=" in line
    ]
    if given and given[0] not in ("", "0", "0s"):
        return Finding(name, True, f"points of one series within {given[0]} are one")
    return Finding(
        name, False, "start it with -dedup.minScrapeInterval=1ms: points written again count twice"
    )


def retention_told(flags: str) -> Finding:
    """For how long VictoriaMetrics keeps points, of its flags: what is older it drops without a word."""
    name = f"{NAME} retention"
    kept = retention_of(flags)
    if kept is None:
        text = "it does not say for how long it keeps points: see -retentionPeriod; what is older it drops"
        return Finding(name, None, text)
    if not kept.given:
        text = f"it keeps {kept}, and drops what is older: start it with -retentionPeriod=400d"
        return Finding(name, None, text)
    return Finding(name, True, f"it keeps {kept}")
