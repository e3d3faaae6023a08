"""`gengfu contact test`: a message to a contact, plainly marked as a test, and what becomes of it."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Connection, select

from alerts.memos import withdraw_memos
from alerts.pulse import is_silent
from alerts.schema import pulse
from alerts.tests_asked import AskedTest, NotTested, TestOutcome, ask_tests, outcomes_of
from devices.commands.contact import contact_app
from devices.commands.desk import Desk, JsonOption, changing, desk_of, looking, now_us, refuse, say
from devices.people import Way
from devices.registry.errors import NotThere
from devices.schema import contact
from gengfu.cli import CHOSEN, configuration
from gengfu.places_named import concerned
from gengfu.reach_here import reach_settings

LOOK_S: Final = 0.25
NO_TAP: Final = "a test has no one-tap page: a link belongs to an incident"


@contact_app.command("test")
def test_(
    context: typer.Context,
    code: Annotated[str | None, typer.Argument(metavar="[CONTACT]", help="the contact's code")] = None,
    *,
    place: Annotated[
        str | None,
        typer.Option("--place", help="everybody an alarm there concerns, and everybody bound in it"),
    ] = None,
    channel: Annotated[
        int, typer.Option("--channel", min=0, help="only this channel of the contact; 0: all")
    ] = 0,
    wait: Annotated[
        float, typer.Option("--wait", min=1, max=3600, help="seconds to wait for what comes back")
    ] = 120.0,
    json: JsonOption = False,
) -> None:
    """Sends a message that says it is a test, and says of each way how far it got.

    It never reaches a micro station or a fire brigade. Exit code 0: every way got as far as its provider can
    say; 1: some did not, or nobody could be tested.
    """
    if (code is None) == (place is None) or (channel and code is None):
        raise typer.BadParameter("name a contact, with --channel or without, or a --place")
    desk = desk_of(context)
    settings = reach_settings(configuration(context.meta.get(CHOSEN)))
    until_us = now_us() + round(wait * 1e6)
    with changing(desk) as connection:
        if not _is_running(connection):
            raise refuse("the alerts process is not running, nothing would be sent: `gengfu up`")
        ids = _named(connection, code) if code else concerned(connection, place or "", now_us())
        asked, left_out = ask_tests(
            connection, ids, settings, by=desk.by, now_us=now_us(), until_us=until_us, channel_id=channel
        )
    for one in left_out:
        _say_left_out(one, json=json)
    if not asked:
        raise refuse("nothing was sent")
    raise typer.Exit(0 if _watch(desk, asked, until_us, json=json) and not _harmful(left_out) else 1)


def _is_running(connection: Connection) -> bool:
    beat_us = connection.scalar(select(pulse.c.at_us).where(pulse.c.name == "alerts"))
    return beat_us is not None and not is_silent(beat_us, now_us())


def _named(connection: Connection, code: str) -> set[int]:
    known = select(contact.c.id).where(contact.c.code == code, contact.c.erased_us.is_(None))
    found = connection.scalar(known)
    if found is None:
        raise NotThere(f"contact {code!r}: no such contact")
    return {int(found)}


def _harmful(left_out: Collection[NotTested]) -> bool:
    """Whether somebody who could be tested was not, for want of a way: stations are as they should be."""
    return any(one.way is None and "no way" in one.why for one in left_out)


def _watch(desk: Desk, asked: list[AskedTest], until_us: int, *, json: bool) -> bool:
    """Says each change as it comes, and in the end how far each got; whether all got far enough."""
    shown: dict[int, str] = {}
    try:
        while True:
            with looking(desk) as connection:
                found = outcomes_of(connection, asked)
            for one in asked:
                if not json and shown.get(one.memo_id) != found[one.memo_id].word:
                    shown[one.memo_id] = found[one.memo_id].word
                    typer.echo(_line(one, found[one.memo_id]))
            if all(outcome.over for outcome in found.values()) or now_us() > until_us:
                break
            time.sleep(LOOK_S)
    finally:
        with changing(desk) as connection:
            withdraw_memos(connection, [one.memo_id for one in asked], "nobody waits for it any more")
    return _summed_up(asked, found, json=json)


def _summed_up(asked: list[AskedTest], found: dict[int, TestOutcome], *, json: bool) -> bool:
    good = [found[one.memo_id].good for one in asked]
    if json:
        for one in asked:
            say(True, "", **_facts(one, found[one.memo_id]))
    else:
        typer.echo(f"{sum(good)} of {len(good)} ways got as far as their providers can say; {NO_TAP}")
    return all(good)


def _facts(one: AskedTest, outcome: TestOutcome) -> dict[str, Any]:
    known = {"outcome": outcome.word, "good": outcome.good, "over": outcome.over, "detail": outcome.detail}
    return {"form": "test", "contact": one.code, **_way(one.way), **known}


def _way(way: Way) -> dict[str, Any]:
    return {"channel": way.channel_id, "medium": str(way.medium), "carrier": str(way.carrier)}


def _line(one: AskedTest, outcome: TestOutcome) -> str:
    way = one.way
    why = f": {outcome.detail}" if outcome.detail and not outcome.good else ""
    return f"{one.code}  channel {way.channel_id}  {way.medium} by {way.carrier}  {outcome.word}{why}"


def _say_left_out(one: NotTested, *, json: bool) -> None:
    if json:
        way = _way(one.way) if one.way else {}
        say(True, "", form="left_out", contact=one.code, why=one.why, **way)
        return
    way_text = f", channel {one.way.channel_id}" if one.way else ""
    typer.echo(f"{one.code}{way_text}: not tested: {one.why}", err=True)
