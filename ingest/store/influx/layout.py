"""How long InfluxDB 1.x keeps what: readings as they came, and mean, least and most of each minute and hour.
Pure: what there is gives the statements that are missing.

A database has three retention policies: one where points are written, `minutes` and `hours`. Continuous
queries of the server fill the last two, and come back over the last hour, for what came late.

Points are written to the default policy, and read there, unless the configuration names one. That is a new
`raw`; but where another default has points of ours already, it stays the default: they would be read no more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

RAW: Final = "raw"
MINUTES: Final = "minutes"
HOURS: Final = "hours"
FOREVER: Final = "0s"
"""What InfluxDB calls a retention without an end."""
_LENGTH: Final = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_NAME: Final = r'(?:"(?:[^"\\]|\\.)*"|[^."\s]+)'
_SOURCE: Final = re.compile(rf"FROM {_NAME}\.({_NAME})\./")
"""In a query as the server says it."""
_EVERY: Final = {MINUTES: ("1m", "1h"), HOURS: ("1h", "25h")}
"""How often an average is made, and how far it comes back."""
_DAY_S: Final = 86_400
_SECONDS: Final = (604_800, 86_400, 3_600, 60, 1)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, and what it is for."""

    what: str
    statement: str


@dataclass(frozen=True, slots=True)
class Kept:
    """How long each is kept, as InfluxQL writes it: `400d`, `INF`."""

    raw: str = "400d"
    minutes: str = "260w"
    hours: str = "INF"


@dataclass(frozen=True, slots=True)
class Found:
    """What a server has: its databases, and of ours the policies with their durations, the default one, those
    with points of ours in them, and the queries."""

    databases: Sequence[str] = ()
    policies: Mapping[str, str] | None = None
    queries: Mapping[str, str] | None = None
    default: str = ""
    filled: Collection[str] = ()


def seconds(length: str) -> int:
    """Of `400d`, `9600h0m0s` or `INF`; 0 is for ever. Raises ValueError for anything else."""
    if length.upper() == "INF":
        return 0
    found = _LENGTH.fullmatch(length)
    if not found or not length:
        raise ValueError(f"{length!r}: a time such as 400d, 52w or INF is wanted")
    return sum(int(n or 0) * unit for n, unit in zip(found.groups(), _SECONDS, strict=True))


def policy_of_points(found: Found, configured: str = "") -> str:
    """Where points are written and read once all is laid out. `configured`: store.retention_policy."""
    if configured:
        return configured
    return found.default if found.default in found.filled else RAW


def missing(
    database: str, wanted: Kept, found: Found, *, change: bool, configured: str = ""
) -> tuple[list[Step], list[str]]:
    """The statements that bring the server there, and what differs and is left, in words.

    Without `change` a policy that keeps for another time stays: shortening one deletes history. No other
    policy becomes the default where the one that is has points of ours. Raises ValueError where a time is
    none.
    """
    lengths = {policy_of_points(found, configured): wanted.raw, MINUTES: wanted.minutes, HOURS: wanted.hours}
    for length in lengths.values():
        seconds(length)
    points, *_ = lengths
    steps: list[Step] = []
    if database not in found.databases:
        steps.append(Step(f"database {database}", f"CREATE DATABASE {_quoted(database)}"))
    left: list[str] = []
    parts = [
        _policy(database, one, length, found, change=change, default=one == points and not configured)
        for one, length in lengths.items()
    ]
    parts += [_query(database, points, to, found, change=change) for to in (MINUTES, HOURS)]
    for part in parts:
        for one in part:
            if isinstance(one, Step):
                steps.append(one)
            else:
                left.append(one)
    return steps, [*left, *_unread(database, points, found)]


def _policy(
    database: str, policy: str, length: str, found: Found, *, change: bool, default: bool
) -> Iterator[Step | str]:
    """`default`: it has to be the default one."""
    has, wanted_s = (found.policies or {}).get(policy), seconds(length)
    name, on = f"retention policy {policy}", f"{_quoted(policy)} ON {_quoted(database)}"
    if has is None:
        made = f"CREATE RETENTION POLICY {on} DURATION {length} REPLICATION 1"
        yield Step(f"{name}: {length}", made + (" DEFAULT" if default else ""))
        return
    if default and policy != RAW:
        name += ", where points of ours are and more are written,"
    if default and found.default != policy:
        yield Step(f"{name}: the default, where points go", f"ALTER RETENTION POLICY {on} DEFAULT")
    has_s = seconds(has)
    if has_s == wanted_s:
        return
    if change:
        altered = f"ALTER RETENTION POLICY {on} DURATION {length} SHARD DURATION {_piece(wanted_s)}"
        yield Step(f"{name}: {length}", altered)
        return
    deletes = wanted_s and (not has_s or wanted_s < has_s)
    sets = f"--change sets it{', and what is older is deleted' if deletes else ''}"
    yield f"{name} keeps {_told(has)}, not {length}; {sets}"


def _unread(database: str, points: str, found: Found) -> Iterator[str]:
    """Policies with points of ours that nobody reads: of another default in the past."""
    for other in found.filled:
        if other not in (points, MINUTES, HOURS):
            source, to = (f"{_quoted(database)}.{_quoted(one)}" for one in (other, points))
            copied = f"SELECT * INTO {to}.:MEASUREMENT FROM {source}./.*/"  # noqa: S608, names are quoted
            yield (
                f"retention policy {other} has points of ours, which nothing reads there. At the server, a"
                f" day at a time: {copied} WHERE time >= '2026-01-01' AND time < '2026-01-02' GROUP BY *"
            )


def _piece(keeps_s: int) -> str:
    """In what pieces the server keeps and deletes it, as it chooses itself for a new policy: it takes no
    retention that is shorter than a piece."""
    if not keeps_s or keeps_s > 180 * _DAY_S:
        return "7d"
    return "1d" if keeps_s >= 2 * _DAY_S else "1h"


def _told(has: str) -> str:
    """`0s`, `9600h0m0s`, as a person says it."""
    keeps_s = seconds(has)
    if not keeps_s:
        return "for ever"
    return f"{keeps_s // _DAY_S}d" if keeps_s % _DAY_S == 0 else has


def _query(database: str, points: str, to: str, found: Found, *, change: bool) -> Iterator[Step | str]:
    query, name = f"gengfu_{to}", _quoted(database)
    every, back = _EVERY[to]
    averages = f"SELECT mean(*), min(*), max(*) INTO {name}.{_quoted(to)}.:MEASUREMENT"
    body = f"{averages} FROM {name}.{_quoted(points)}./.*/ GROUP BY time({every}), *"
    head = f"CREATE CONTINUOUS QUERY {_quoted(query)} ON {name} RESAMPLE EVERY {every} FOR {back}"
    made = Step(f"continuous query {query}", f"{head} BEGIN {body} END")
    has = (found.queries or {}).get(query)
    source = _SOURCE.search(has) if has else None
    if has is None:
        yield made
    elif source and source[1].strip('"') != points:
        if change:
            gone = f"DROP CONTINUOUS QUERY {_quoted(query)} ON {name}"
            yield Step(f"continuous query {query}: the old one", gone)
            yield made
        else:
            yield f"continuous query {query} reads {source[1]}, points are in {points}; --change mends it"


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
