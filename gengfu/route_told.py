"""How a route reads: lines for people, objects for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.case import Incident
from alerts.route import Hop, Route, Untold, Whynot, step_label
from alerts.windows import Window

_WHY_NOT: Final[Mapping[Whynot, str]] = {
    Whynot.NO_WAY: "no way to reach them is registered",
    Whynot.AWAY: "away: somebody stands in for them",
    Whynot.QUIET: "in their quiet hours",
    Whynot.EXERCISE: "no drill, test or commissioning reaches a station",
    Whynot.UNCONFIRMED: "the fire is not confirmed, and it did not agree to unconfirmed alarms",
    Whynot.NOT_ASKED: "nobody in this role is told at this severity",
    Whynot.BEFORE: "others of this role come first, and this severity goes no further",
    Whynot.OTHER_ROLE: "told in another role",
    Whynot.COMMISSIONING: "the device is being commissioned: the duty desk alone is told",
    Whynot.SILENCED: "silenced: told when the silence ends, if it still stands",
}


@dataclass(frozen=True, slots=True)
class Routed:
    """What was asked and what was found. `place` are words, `at` local time; a stranger is a device that
    nobody registered. `window` is the silence, drill or commissioning in force, `until` local time."""

    uid: str
    stranger: bool
    place: str
    incident: Incident
    at: str
    route: Route
    window: Window | None = None
    until: str = ""


def json_lines(routed: Routed) -> Iterator[Mapping[str, Any]]:
    """An object for the window in force, if there is one, one for each page, in the order of time, then one
    for each who gets none."""
    if window := routed.window:
        said = {"window": str(window.kind), "id": window.id, "until": routed.until}
        yield {**said, "author": window.author, "reason": window.reason}
    yield from map(_told, routed.route.hops)
    yield from map(_untold, routed.route.untold)


def text_lines(routed: Routed) -> Iterator[str]:
    """The same for people."""
    found, incident = routed.route, routed.incident
    yield f"{routed.uid}: {routed.place}{'; nobody registered this device' if routed.stranger else ''}"
    exercise = f" ({', '.join(sorted(incident.tags))})" if incident.tags else ""
    if window := routed.window:
        about = f"{window.kind} {window.id} of {window.scope} {window.code} until {routed.until}"
        yield f"in force: {about}, by {window.author}: {window.reason}"
    yield f"{incident.severity} {incident.hazard}{exercise} at {routed.at}, if nobody answers:"
    yield from (_hop_text(_told(hop)) for hop in found.hops)
    if not found.hops:
        yield "  nobody is told"
    if found.cut:
        yield "  and so on; --minutes shows more"
    if found.untold:
        yield "not told:"
    for one in found.untold:
        yield f"  {one.one.role:<18} {one.one.code:<16} {_WHY_NOT[one.why]}"


def _told(hop: Hop) -> dict[str, Any]:
    page = hop.page
    return {
        "after_s": round(hop.after_us / 1e6, 3),
        "step": step_label(page),
        "role": str(page.to.role),
        "contact": page.to.code,
        "rank": page.to.rank,
        "medium": str(page.way.medium),
        "carrier": str(page.way.carrier),
        "else": [f"{way.medium} by {way.carrier}" for way in hop.instead],
        "stands_for": list(page.to.stands_for),
    }


def _untold(untold: Untold) -> dict[str, Any]:
    return {
        "role": str(untold.one.role),
        "contact": untold.one.code,
        "rank": untold.one.rank,
        "not_told": str(untold.why),
        "because": _WHY_NOT[untold.why],
    }


def _hop_text(said: Mapping[str, Any]) -> str:
    whose = said["contact"] + (f" (for {', '.join(said['stands_for'])})" if said["stands_for"] else "")
    ways = _or_else([f"{said['medium']} by {said['carrier']}", *said["else"]])
    return f"  {_after(said['after_s']):>11}  {said['step']:<12} {said['role']:<18} {whose:<16} {ways}"


def _after(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60:02d} s"


def _or_else(ways: Sequence[str]) -> str:
    return ways[0] + (f"; if that fails {', then '.join(ways[1:])}" if len(ways) > 1 else "")
