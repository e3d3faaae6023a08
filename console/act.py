"""What an operator does to an incident: handed in as a row, told back with its outcome."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Form, Request
from sqlalchemy import Connection, Engine

from alerts.acts import NOTE_MAX, record_act
from alerts.case import Act
from alerts.cases import load_cases
from alerts.effects import DISPOSITIONS
from alerts.whole import possible_on_whole
from alerts.whole_kept import with_wholes
from console.answers.outcome import WAIT_S, wait_for_outcome
from console.session import ForgedPost, SignedIn, csrf_matches
from devices.database import writing

BUTTONS: Final = (
    Act.ACKNOWLEDGE, Act.CONFIRM, Act.ARRIVED, Act.NEED_HELP, Act.FALSE_ALARM, Act.HANDLED, Act.FEEDBACK,
    Act.VERIFY, Act.CLOSE, Act.REOPEN, Act.RESET, Act.CANCEL, Act.REJECT, Act.NOTE,
)  # fmt: skip
"""The order of the buttons: what a night usually needs first."""
NEEDS_NOTE: Final = frozenset({Act.FEEDBACK, Act.CANCEL, Act.REJECT, Act.NOTE})


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page says of an act: `kind` is done, noted, refused, waiting, needs_note, needs_choice or
    too_many."""

    act: str
    kind: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """The form of an act, with its token already checked. `into` is the incident that one is merged into,
    `leaving` what is split off (`alerts.splitting.leaving`)."""

    act: Act | None
    note: str
    disposition: str
    once: str
    into: str = ""
    leaving: tuple[str, ...] = ()


def posted(
    request: Request,
    csrf: Annotated[str, Form(max_length=100)] = "",
    act: Annotated[str, Form(max_length=16)] = "",
    note: Annotated[str, Form(max_length=300)] = "",
    disposition: Annotated[str, Form(max_length=16)] = "",
    once: Annotated[str, Form(max_length=64)] = "",
    into: Annotated[str, Form(max_length=20)] = "",
    leaving: Annotated[list[str] | None, Form(max_length=64)] = None,
) -> Posted:
    """The form, for routes to depend on. Raises ForgedPost without the session's token."""
    if not csrf_matches(request.session, csrf):
        raise ForgedPost
    known = Act(act) if act in set(Act) else None
    chosen = disposition if disposition in DISPOSITIONS else ""
    return Posted(known, note.strip(), chosen, once, into.strip(), tuple(leaving or ()))


def acts_for(connection: Connection, incident_id: int, user: SignedIn) -> tuple[Act, ...]:
    """The buttons for this user in this state, in their order; none for an incident that is not there, or is
    part of another."""
    cases = with_wholes(connection, load_cases(connection, ids=(incident_id,)))
    if incident_id not in cases:
        return ()
    standing = frozenset({f"user:{user.role}"})
    possible = set(possible_on_whole(cases, incident_id, user.actor, standing))
    return tuple(act for act in BUTTONS if act in possible)


def hand_in(
    engine: Engine,
    incident_id: int,
    user: SignedIn,
    form: Posted,
    now_us: int,
    language: str,
    wait_s: float = WAIT_S,
) -> Shown:
    """Hands the act in and waits up to `wait_s` for its outcome. A form sent twice is one act."""
    if form.act is None:
        return Shown("", "refused")
    if form.act in NEEDS_NOTE and not form.note:
        return Shown(form.act, "needs_note")
    note = note_of(form)
    if form.act in {Act.MERGE, Act.SPLIT} and not note:
        return Shown(form.act, "needs_choice")
    if form.act is Act.SPLIT and len(note) > NOTE_MAX:
        return Shown(form.act, "too_many")
    key = once_key(user.login, incident_id, form.act, form.once)
    with writing(engine) as connection:
        act_id = record_act(
            connection, key, incident_id, user.actor, user.role, form.act, note, "console", now_us
        )
    outcome = wait_for_outcome(engine, act_id, language, wait_s)
    return Shown(form.act, outcome.outcome, outcome.reason) if outcome else Shown(form.act, "waiting")


def note_of(form: Posted) -> str:
    """What the act takes along: the note, behind what was chosen for it."""
    if form.act is Act.CLOSE and form.disposition:
        return f"{form.disposition}: {form.note}"
    if form.act is Act.MERGE:
        return f"{form.into} {form.note}".strip() if form.into else ""
    return "\n".join(form.leaving) if form.act is Act.SPLIT else form.note


def once_key(login: str, incident_id: int, act: Act, once: str) -> str:
    """The same form, button and user give the same key, so that a double click is one act."""
    text = f"console\0{login}\0{incident_id}\0{act}\0{once}"
    return hashlib.blake2b(text.encode(), digest_size=24).hexdigest()
