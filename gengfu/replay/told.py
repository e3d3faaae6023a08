"""What a replay prints: a line for each transition, and the summary for a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from gengfu.replay.recorded import Book
from gengfu.told_times import site_text, utc_text
from rules.transition import Subject, Transition

LATE = "observed before one of the same series above it, or flagged late: life flags alone heed them"


def line_of(transition: Transition, book: Book) -> dict[str, str]:
    """A transition as it is printed."""
    device = book.device(transition.slot)
    return {
        "device": device,
        "rule": transition.rule,
        "severity": str(transition.severity),
        "subject": _subject(transition, device, book),
        "at": utc_text(transition.at_us),
        "to": str(transition.to),
        "why": transition.why.en,
    }


def readable(figures: dict[str, Any], timezone: str) -> Iterator[str]:
    """The summary in lines for a person, in the site's time."""
    yield (
        f"{figures['readings']} readings ({figures['late']} late) of {figures['series']} series on "
        f"{figures['devices']} devices, {figures['device_days']:g} device-days"
    )
    yield f"from {_local(figures['from'], timezone)} to {_local(figures['until'], timezone)}"
    if figures["late"]:
        said = "1 reading was" if figures["late"] == 1 else f"{figures['late']} readings were"
        yield f"{said} not judged, being late ({LATE}); sort the lines by observed_at"
    for rule, of in figures["by_rule"].items():
        yield f"{rule:6} {of['severity']:3} raised {of['raised']:6}  {_rate(of)}"
    yield f"all        raised {figures['alarms']:6}  {_rate(figures)}"
    for event in figures.get("events", ()):
        said = f"{event['first']} {_lead(event['lead_s'])}" if event["first"] else "no alarm near it"
        yield f"event on {event['device']} at {_local(event['at'], timezone)}: {said}"
    yield from (f"note: {note}" for note in figures["notes"])


def _local(at: str, timezone: str) -> str:
    return site_text(round(datetime.fromisoformat(at).timestamp()) * 1_000_000, timezone)


def _lead(seconds: float) -> str:
    return f"{seconds:g} s before" if seconds >= 0 else f"{-seconds:g} s after"


def _rate(of: dict[str, Any]) -> str:
    if of["per_device_month"] is None:
        return "no time observed"
    most = _number(of["per_device_month_at_most"])
    return f"{_number(of['per_device_month'])} a device-month (95 %: at most {most})"


def _number(value: float) -> str:
    """Without an exponent, as far as a person reads it."""
    return f"{value:.0f}" if value >= 1000 else f"{value:g}"


def _subject(transition: Transition, device: str, book: Book) -> str:
    match transition.subject:
        case Subject.SERIES:
            return f"{device}/{book.channel(transition.slot)}"
        case Subject.DEVICE:
            return f"{device}/"
        case place:
            return f"{place}:{book.code(str(place), transition.place)}"
