"""What an operator does to an incident: handed in as a row, told back with its outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Form, HTTPException, Request
from sqlalchemy import Connection, Engine

from alerts.acts import NOTE_MAX, record_act
from alerts.case import Act
from alerts.cases import load_cases
from alerts.effects import DISPOSITIONS
from alerts.in_scope import is_seen
from alerts.merging import target_of
from alerts.views import answer_page, newest_change_id
from alerts.whole import possible_on_whole
from alerts.whole_kept import with_wholes
from console.access import Forbidden, Right, has
from console.answers.outcome import WAIT_S, wait_for_outcome
from console.overtaken import NEVER_ASKED, Between, overtaken
from console.overtaken_read import names_of, since
from console.positions import POSITION_MAX
from console.session import ForgedPost, NotSignedIn, SignedIn, csrf_given, csrf_matches, who_is
from console.words import say
from devices.database import reading, writing
from devices.registry.users import GRID_WORKER

BUTTONS: Final = (
    Act.ACKNOWLEDGE, Act.CONFIRM, Act.ARRIVED, Act.NEED_HELP, Act.FALSE_ALARM, Act.HANDLED, Act.FEEDBACK,
    Act.VERIFY, Act.CLOSE, Act.REOPEN, Act.RESET, Act.CANCEL, Act.REJECT, Act.NOTE,
)  # fmt: skip
"""The order of the buttons: what a night usually needs first."""
NEEDS_NOTE: Final = frozenset({Act.FEEDBACK, Act.CANCEL, Act.REJECT, Act.NOTE})


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page says of an act: `kind` is done, noted, refused, waiting, needs_note, needs_choice,
    too_many, or overtaken by `between`; `newest_id` is the change up to which that was looked for."""

    act: str
    kind: str
    reason: str = ""
    between: Between | None = None
    newest_id: int = 0


@dataclass(frozen=True, slots=True)
class Posted:
    """The form of an act, with its token already checked. `into` is the incident that one is merged into,
    `leaving` what is split off (`alerts.splitting.leaving`); `seen` is how far the page had seen the changes
    when the form was made (`console.positions`), empty where it does not say."""

    act: Act | None
    note: str
    disposition: str
    once: str
    into: str = ""
    leaving: tuple[str, ...] = ()
    seen: str = ""


def posted(
    request: Request,
    csrf: Annotated[str, Form(max_length=100)] = "",
    act: Annotated[str, Form(max_length=16)] = "",
    note: Annotated[str, Form(max_length=300)] = "",
    disposition: Annotated[str, Form(max_length=16)] = "",
    once: Annotated[str, Form(max_length=64)] = "",
    into: Annotated[str, Form(max_length=20)] = "",
    leaving: Annotated[list[str] | None, Form(max_length=64)] = None,
    seen: Annotated[str, Form(max_length=POSITION_MAX)] = "",
) -> Posted:
    """The form, for routes to depend on. Raises ForgedPost without the session's token."""
    if not csrf_matches(request.session, csrf_given(request, csrf)):
        raise ForgedPost
    known = Act(act) if act in set(Act) else None
    chosen = disposition if disposition in DISPOSITIONS else ""
    return Posted(known, note.strip(), chosen, once, into.strip(), tuple(leaving or ()), seen)


def acts_for(
    connection: Connection, incident_id: int, user: SignedIn, language: str, now_us: int
) -> tuple[Act, ...]:
    """The buttons for this user in this state, in their order; none for an incident that is not there, or is
    part of another. An account that acts as a contact has those of the contact's one-tap page."""
    if not has(user, Right.ACT):
        return ()
    if user.role == GRID_WORKER:
        contact_id = user.contact_id
        page = answer_page(connection, incident_id, contact_id, language, now_us) if contact_id else None
        return tuple(act for act in BUTTONS if page and act in page.acts)
    cases = with_wholes(connection, load_cases(connection, ids=(incident_id,)))
    if incident_id not in cases:
        return ()
    standing = frozenset({f"user:{user.role}"})
    possible = set(possible_on_whole(cases, incident_id, user.actor, standing))
    return tuple(act for act in BUTTONS if act in possible)


def hand_in(
    engine: Engine,
    incident_id: int,
    session: Mapping[str, Any],
    form: Posted,
    now_us: int,
    language: str,
    wait_s: float = WAIT_S,
    seen_id: int | None = None,
) -> Shown:
    """Hands the act in and waits up to `wait_s` for its outcome. A form sent twice is one act.

    Where others have acted behind change `seen_id` it may not be handed in and come back as overtaken
    (`console.overtaken`); None asks about nothing.

    Who `session` is, with which role and scope, is asked in the transaction that records the act. Raises
    NotSignedIn and Forbidden, and 404 for an incident that this user does not see, as for one that is not
    there.
    """
    with reading(engine) as connection:
        _admitted(connection, incident_id, session, now_us)
    if form.act is None:
        return Shown("", "refused")
    if form.act in NEEDS_NOTE and not form.note:
        return Shown(form.act, "needs_note")
    note = note_of(form)
    if form.act in {Act.MERGE, Act.SPLIT} and not note:
        return Shown(form.act, "needs_choice")
    if form.act is Act.SPLIT and len(note) > NOTE_MAX:
        return Shown(form.act, "too_many")
    with writing(engine) as connection:
        user = _admitted(connection, incident_id, session, now_us)
        if user.role == GRID_WORKER and user.contact_id is None:
            return Shown(form.act, "refused", say(language, "act.no_contact"))
        if form.act is Act.MERGE and not is_seen(connection, target_of(note)[0], user.scope):
            return Shown(form.act, "refused", say(language, "act.unknown"))
        between = _overtaken(connection, incident_id, form.act, actor_of(user), seen_id)
        if between is not None:
            return Shown(form.act, "overtaken", between=between, newest_id=newest_change_id(connection))
        key = once_key(user.login, incident_id, form.act, form.once)
        act_id = record_act(
            connection, key, incident_id, actor_of(user), user.role, form.act, note, "console", now_us
        )
    outcome = wait_for_outcome(engine, act_id, language, wait_s)
    return Shown(form.act, outcome.outcome, outcome.reason) if outcome else Shown(form.act, "waiting")


def _overtaken(
    connection: Connection, incident_id: int, act: Act, actor: str, seen_id: int | None
) -> Between | None:
    if seen_id is None or act in NEVER_ASKED:
        return None
    return overtaken(act, names_of(connection, actor), since(connection, incident_id, seen_id))


def _admitted(connection: Connection, incident_id: int, session: Mapping[str, Any], now_us: int) -> SignedIn:
    """The user, who may act and sees this incident now."""
    user = who_is(connection, session, now_us)
    if user is None:
        raise NotSignedIn
    if not has(user, Right.ACT):
        raise Forbidden(user)
    if not is_seen(connection, incident_id, user.scope):
        raise HTTPException(404)
    return user


def actor_of(user: SignedIn) -> str:
    """In whose name the user acts. A grid worker's account is the contact itself: it has the standing of the
    contact's bindings, silences no siren of the desk, and what they say here and by a link is said by one
    person."""
    return f"contact:{user.contact_id}" if user.role == GRID_WORKER else user.actor


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
