"""How long InfluxDB 1.x keeps what: readings as they came, and mean, least and most of each minute and hour.
Pure: what there is gives the statements that are missing.

A database has three retention policies: `raw`, where points are written, `minutes` and `hours`. Continuous
queries of the server fill the last two, and come back over the last hour, for what came late.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

RAW: Final = "raw"
FOREVER: Final = "0s"
"""What InfluxDB calls a retention without an end."""
_LENGTH: Final = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
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
    """What a server has: its databases, and of ours the policies with their durations and the queries."""

    databases: Sequence[str] = ()
    policies: Mapping[str, str] | None = None
    queries: Mapping[str, str] | None = None


def seconds(length: str) -> int:
    """Of `400d`, `9600h0m0s` or `INF`; 0 is for ever. Raises ValueError for anything else."""
    if length.upper() == "INF":
        return 0
    found = _LENGTH.fullmatch(length)
    if not found or not length:
        raise ValueError(f"{length!r}: a time such as 400d, 52w or INF is wanted")
    return sum(int(n or 0) * unit for n, unit in zip(found.groups(), _SECONDS, strict=True))


def missing(database: str, wanted: Kept, found: Found, *, change: bool) -> tuple[list[Step], list[str]]:
    """The statements that bring the server there, and what differs and is left, in words.

    Without `change` a policy that keeps for another time stays: shortening one deletes history. Raises
    ValueError where a time is none.
    """
    for length in (wanted.raw, wanted.minutes, wanted.hours):
        seconds(length)
    name = _quoted(database)
    steps: list[Step] = []
    left: list[str] = []
    if database not in found.databases:
        steps.append(Step(f"database {database}", f"CREATE DATABASE {name}"))
    for policy, length in ((RAW, wanted.raw), ("minutes", wanted.minutes), ("hours", wanted.hours)):
        has = (found.policies or {}).get(policy)
        default = " DEFAULT" if policy == RAW else ""
        what = f"retention policy {policy}: {length}"
        if has is None:
            made = f"CREATE RETENTION POLICY {_quoted(policy)} ON {name} DURATION {length} REPLICATION 1"
            steps.append(Step(what, made + default))
        elif seconds(has) != seconds(length):
            told = f"retention policy {policy} keeps {has}, not {length}"
            altered = f"ALTER RETENTION POLICY {_quoted(policy)} ON {name} DURATION {length}{default}"
            if change:
                steps.append(Step(what, altered))
            else:
                left.append(f"{told}; --change sets it, and what is older is deleted")
    for query, statement in _queries(database).items():
        if query not in (found.queries or {}):
            steps.append(Step(f"continuous query {query}", statement))
    return steps, left


def _queries(database: str) -> dict[str, str]:
    name = _quoted(database)
    return {
        f"gengfu_{policy}": " ".join(
            (
                f'CREATE CONTINUOUS QUERY "gengfu_{policy}" ON {name} RESAMPLE EVERY {every} FOR {back}',
                f'BEGIN SELECT mean(*), min(*), max(*) INTO {name}."{policy}".:MEASUREMENT',
                f'FROM {name}."{RAW}"./.*/ GROUP BY time({every}), * END',
            )
        )
        for policy, every, back in (("minutes", "1m", "1h"), ("hours", "1h", "25h"))
    }


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
