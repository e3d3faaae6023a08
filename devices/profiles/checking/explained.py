"""An explanation as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from devices.profiles.checking.explain import Explanation, Origin


def explained(one: Explanation) -> Iterator[str]:
    """The lines of one message: which profile and kind, each reading, what was not read, who else was asked.

    The first is the topic; the others are indented.
    """
    yield f"{one.topic}"
    if len(one.fitting) > 1:
        yield f"  the topic fits the profiles {', '.join(one.fitting)}: the first is asked"
    by = f"  profile {one.profile} {one.version}"
    if one.message:
        by += f", message `{one.message}`" + (f", topic `{one.pattern}`" if one.pattern else "")
    yield by
    for name, text in one.captures.items():
        yield f"    {name} = {text}"
    for condition in one.where:
        yield f"    where {condition.path} is {condition.allowed}: {condition.found}"
    if one.refused:
        yield f"  {one.refused}"
    for origin in one.readings:
        yield f"  {_reading(origin)}"
        yield f"    from {origin.path or '$'} = {origin.raw}" + "".join(f"; {step}" for step in origin.done)
        yield f"    by {origin.profile}: {origin.key}"
    for drop in one.dropped:
        yield f"  no reading of {drop.path} = {drop.raw}: {drop.why}"
        if drop.key:
            yield f"    by {one.profile}: {drop.key}"
    if one.unread:
        yield f"  not read, for the profile names no such path: {', '.join(one.unread)}"
    yield from _passed(one)


def _reading(origin: Origin) -> str:
    if isinstance(origin.value, bool) or origin.value is None:
        value = {True: "true", False: "false", None: "nothing"}[origin.value]
    else:
        value = f"{origin.value:.12g}"
    flags = f"({', '.join(origin.quality)})" if origin.quality else ""
    unit = "" if origin.value is None else origin.unit
    parts = (origin.device, origin.metric, origin.role, origin.channel, "=", value, unit, flags)
    return " ".join(part for part in parts if part)


def _passed(one: Explanation) -> Iterator[str]:
    """Those that did not get the message; profiles of other topics on one line."""
    elsewhere = "none of its topics fits: "
    for passed in one.passed:
        if not passed.why.startswith(elsewhere):
            who = f"message `{passed.message}`" if passed.message else f"profile {passed.profile}"
            yield f"  not {who}: {passed.why}"
    others = [passed for passed in one.passed if passed.why.startswith(elsewhere)]
    if others:
        yield "  not these profiles, for none of their topics fits:"
        for passed in others:
            yield f"    {passed.profile}: {passed.why.removeprefix(elsewhere)}"
