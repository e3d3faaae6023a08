"""What `gengfu influx copy` says: of each day, of what is wrong with it, and in the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.store.influx.copying import DayCopied
from ingest.store.influx.copying_comparing import Wrong
from ingest.store.influx.copying_progress import Noted, Progress
from ingest.store.layout import DAY_NS


def as_object(day: DayCopied) -> dict[str, Any]:
    """For programs."""
    found = asdict(day) | {"day": date(day.day)}
    found["wrong"] = [_wrong_object(one) for one in day.wrong]
    found["refusals"] = [{"line": shown(o.line), "why": o.why, "count": o.count} for o in day.refusals]
    return found


def _wrong_object(one: Wrong) -> dict[str, Any]:
    named = {"device": one.series.device, "channel": one.series.channel}
    wanted, found = ({"value": v, "quality": q} for v, q in (one.wanted, one.found or (None, None)))
    return named | {
        "metric": one.series.metric.name_on_wire,
        "ts_ns": one.ts_ns,
        "wanted": wanted,
        "found": found if one.found else None,
    }


def line(day: DayCopied) -> str:
    """For a person."""
    rate = day.points / max(day.write_s + day.compare_s, 0.001)
    beside = ", ".join(
        f"{count:,} {what}"
        for count, what in (
            (day.joined, "joined"),
            (day.refused, "refused"),
            (day.expired, "older than the server keeps"),
            (day.unnamed, "of series that no table knows"),
            (day.missing, "MISSING"),
            (day.different, "DIFFERENT"),
        )
        if count
    )
    text = f"{date(day.day)}  {day.points:,} points of {day.series:,} series, {rate:,.0f} a second"
    return f"{text}; {beside}" if beside else text


def what_is_wrong(day: DayCopied) -> Iterator[str]:
    """What was refused why, and the first of what is not there as it should be."""
    for refusal in day.refusals:
        yield f"  refused    {refusal.count:,}: {words(refusal.why)}; the first: {shown(refusal.line)}"
    for one in day.wrong:
        where = " ".join(
            filter(None, (one.series.device, one.series.channel, one.series.metric.name_on_wire))
        )
        at = f"{datetime.fromtimestamp(one.ts_ns // 10**9, UTC):%Y-%m-%dT%H:%M:%S}.{one.ts_ns % 10**9:09}Z"
        wanted = "{} (quality {})".format(*one.wanted)
        found = "there {} (quality {})".format(*one.found) if one.found else "not there"
        what = "different" if one.found else "missing"
        yield (f"  {what:<9}  {where} {at}: here {wanted}, {found}")


def words(why: str) -> str:
    """Of an answer of JSON what it says in words."""
    status, found, body = why.partition(": ")
    try:
        said = json.loads(body) if found else None
    except ValueError:
        return why
    if not isinstance(said, dict):
        return why
    text = said.get("error") or said.get("message")
    return f"{status}: {text}" if isinstance(text, str) else why


def last_line(progress: Progress, series: int, path: Path, longer: str, looked_at: int) -> str:
    """What was proved, what stays behind, and what may be deleted now. `longer`: how the server is made to
    keep older points; `looked_at`: so many days were copied before, and looked at again now."""
    total = progress.total
    lines = [
        f"{progress.in_server:,} points of {series:,} series on {len(progress.days)} days are in the server"
        " and were read back there"
    ]
    if looked_at:
        lines.append(
            f"{looked_at:,} of these days by an earlier run: of each the points of some series of every kind"
            " of device were read again now, not all"
        )
    if total.joined:
        lines.append(f"{total.joined:,} more share their place there with another one of their series")
    if total.behind:
        lines.append(f"stay behind in {path}: {_behind(total)}")
    if progress.damaged:
        blocks = ", ".join(map(str, progress.damaged[:10]))
        lines.append(f"{len(progress.damaged)} blocks cannot be read and were left out: {blocks}")
    return "\n".join((*lines, *_what_now(progress, path, longer)))


def _behind(total: Noted) -> str:
    """How many why."""
    return ", ".join(
        f"{count:,} {what}"
        for count, what in (
            (total.refused, "refused by the server (gengfu deadletter list shows the last of them)"),
            (total.expired, "older than it keeps"),
            (total.unnamed, "of series that no table knows"),
        )
        if count
    )


def _what_now(progress: Progress, path: Path, longer: str) -> Iterator[str]:
    total = progress.total
    if not progress.done:
        if total.expired:
            yield f"for what is older: {longer}, and run it again"
        if total.refused:
            yield "for what is refused: set right at the server what its words say, and run it again"
        if total.behind:
            yield "--accept leaves behind for good what stays behind: deleted with these files, it is gone"
        yield "not all is there: each run tries the days again that are not whole. Delete nothing"
    elif not progress.damaged:
        but = "except for what stays behind, which was accepted, " if total.behind else ""
        yield f"{but}these may be deleted now: {path}, {path}-wal, {path}-shm"


def shown(refused: bytes) -> str:
    """A line, with all that is no letter or sign escaped."""
    return ascii(refused.decode(errors="replace").rstrip("\n"))[1:-1]


def date(day: int) -> str:
    """Of a day counted from 1970, as YYYY-MM-DD."""
    return f"{datetime.fromtimestamp(day * DAY_NS // 10**9, UTC):%Y-%m-%d}"
