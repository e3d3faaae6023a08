"""What `gengfu influx copy` says: of each day, of what is wrong with it, and in the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.store.influx.copying import DayCopied
from ingest.store.influx.copying_comparing import Wrong
from ingest.store.influx.copying_progress import Progress
from ingest.store.influx.putting import RefusedLine
from ingest.store.layout import DAY_NS


def as_object(day: DayCopied) -> dict[str, Any]:
    """For programs."""
    found = asdict(day) | {"day": date(day.day)}
    found["wrong"] = [_wrong_object(one) for one in day.wrong]
    found["refusals"] = [{"line": _shown(one), "why": one.why} for one in day.refusals]
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
    """The first of what was refused, and of what is not there as it should be."""
    for refusal in day.refusals:
        yield f"  refused    {_shown(refusal)}  {refusal.why}"
    for one in day.wrong:
        where = " ".join(
            filter(None, (one.series.device, one.series.channel, one.series.metric.name_on_wire))
        )
        at = f"{datetime.fromtimestamp(one.ts_ns // 10**9, UTC):%Y-%m-%dT%H:%M:%S}.{one.ts_ns % 10**9:09}Z"
        wanted = "{} (quality {})".format(*one.wanted)
        found = "there {} (quality {})".format(*one.found) if one.found else "not there"
        what = "different" if one.found else "missing"
        yield (f"  {what:<9}  {where} {at}: here {wanted}, {found}")


def last_line(progress: Progress, series: int, path: Path) -> str:
    """What was proved, what stays behind, and what may be deleted now."""
    stays = ", ".join(
        f"{count:,} {what}"
        for count, what in (
            (progress.refused, "refused by the server (gengfu deadletter list)"),
            (progress.expired, "older than it keeps"),
            (progress.unnamed, "of series that no table knows"),
        )
        if count
    )
    lines = [
        f"{progress.in_server:,} points of {series:,} series on {len(progress.days)} days are in the server"
        " and were read back there"
    ]
    if progress.joined:
        lines.append(f"{progress.joined:,} more share their place there with another one of their series")
    if stays:
        lines.append(f"stay behind in {path}: {stays}")
    if progress.damaged:
        blocks = ", ".join(map(str, progress.damaged[:10]))
        lines.append(f"{len(progress.damaged)} blocks cannot be read and were left out: {blocks}")
    if not progress.done:
        lines.append(
            "not all is there: run it again, which writes the days anew that are not whole. What is older"
            " than the server keeps it never has"
        )
    elif not progress.damaged:
        but = "except for what stays behind, " if stays else ""
        lines.append(f"{but}these may be deleted now: {path}, {path}-wal, {path}-shm")
    return "\n".join(lines)


def _shown(refusal: RefusedLine) -> str:
    return ascii(refusal.line.decode(errors="replace").rstrip("\n"))[1:-1]


def date(day: int) -> str:
    """Of a day counted from 1970, as YYYY-MM-DD."""
    return f"{datetime.fromtimestamp(day * DAY_NS // 10**9, UTC):%Y-%m-%d}"
