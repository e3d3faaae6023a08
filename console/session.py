"""Who is at the console: the session in a signed cookie, the token against forged posts, the language.

The cookie holds the number of the session, when it was begun and when its holder was last heard of. Its
row (`devices.registry.sessions`), role, scope, whether the user is still enabled and when the password was
set are read at each request: logging out, disabling a user, another password, role or area work at once, for
copies of the cookie too.

A session ends SESSION_S after the log-in, and when nothing was asked with it for IDLE_S. A page that is open
asks every ten seconds, so a board that is looked at all of a quiet night is not idle; a browser that was shut
is.

Errors:
* NotSignedIn: no session, an ended one, or a disabled user.
* ForgedPost: a POST without this session's token.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select
from starlette.requests import HTTPConnection, Request

from console.settings import IDLE_S, SESSION_S, ConsoleSettings
from console.words import LANGUAGES
from devices import schema
from devices.database import reading
from devices.registry.sessions import begin_session
from devices.scope import EVERYWHERE, NOWHERE, Scope

LANGUAGE_COOKIE = "gengfu_language"
CSRF_HEADER: Final = "X-CSRF-Token"
"""Where a script puts the token that a form has in its field `csrf`."""
HEARD_EVERY_US: Final = 60_000_000
"""How exactly the cookie knows when its holder was last heard of: not at every request is it set anew."""


class NotSignedIn(Exception):
    """No session, an ended one, or a disabled user."""


class ForgedPost(Exception):
    """A POST without this session's token: another site's, or a page from before the login."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The user of one request. `scope` is where they see and act, `areas` what those areas are called;
    `contact_id` is whom a grid worker's account acts as, None where nobody said."""

    login: str
    role: str
    csrf: str
    scope: Scope = NOWHERE
    areas: tuple[str, ...] = ()
    contact_id: int | None = None

    @property
    def actor(self) -> str:
        """`user:LOGIN`."""
        return f"user:{self.login}"


def begin(connection: Connection, session: dict[str, Any], login: str, now_us: int) -> None:
    """A fresh session for `login`; nothing of an earlier one is kept."""
    session_id = begin_session(connection, login, now_us, SESSION_S)
    session.clear()
    session.update(id=session_id, at_us=now_us, heard_us=now_us, csrf=secrets.token_urlsafe(24))


def csrf_before_login(session: dict[str, Any]) -> str:
    """The token of the login form itself."""
    if not isinstance(session.get("csrf"), str):
        session["csrf"] = secrets.token_urlsafe(24)
    return str(session["csrf"])


def csrf_matches(session: dict[str, Any], given: str) -> bool:
    """True when `given` is this session's token."""
    expected = session.get("csrf")
    return isinstance(expected, str) and hmac.compare_digest(expected.encode(), given.encode())


def csrf_given(request: Request, field: str) -> str:
    """The token of a request: the field of its form, else the header that a script sets."""
    return field or request.headers.get(CSRF_HEADER, "")


def who_is(connection: Connection, session: Mapping[str, Any], now_us: int) -> SignedIn | None:
    """The user of `session`, or None when it ended, or the user is gone, disabled or has a new password. For
    how long nothing was heard is not asked here: whoever holds a stream open says nothing by it."""
    session_id, csrf = session.get("id"), session.get("csrf")
    if not isinstance(session_id, str) or not isinstance(csrf, str):
        return None
    user, begun = schema.user.c, schema.user_session.c
    stands = (
        select(
            user.id, user.login, user.role, user.everywhere, schema.contact.c.id.label("contact_id"),
            begun.began_us,
        )
        .join(schema.user_session, begun.user_id == user.id)
        .outerjoin(
            schema.contact,
            (schema.contact.c.id == user.contact_id) & schema.contact.c.erased_us.is_(None),
        )
        .where(begun.id == session_id, user.disabled_us.is_(None), user.password_us <= begun.began_us)
    )  # fmt: skip
    row = connection.execute(stands).one_or_none()
    if row is None or not 0 <= now_us - row.began_us < SESSION_S * 1_000_000:
        return None
    scope, areas = (EVERYWHERE, ()) if row.everywhere else _areas_of(connection, row.id)
    return SignedIn(row.login, row.role, csrf, scope, areas, row.contact_id)


def _areas_of(connection: Connection, user_id: int) -> tuple[Scope, tuple[str, ...]]:
    area, mine = schema.area.c, schema.user_area.c
    rows = connection.execute(
        select(area.id, area.name)
        .join(schema.user_area, mine.area_id == area.id)
        .where(mine.user_id == user_id)
        .order_by(area.code)
    ).all()
    return Scope(areas=frozenset(one.id for one in rows)), tuple(one.name for one in rows)


def signed_in(request: Request) -> SignedIn:
    """The user of this request, who is heard of by it. Raises NotSignedIn. Routes depend on it by
    `console.access.needs`."""
    settings: ConsoleSettings = request.app.state.settings
    now_us = settings.clock()
    if _is_idle(request.session, now_us):
        raise NotSignedIn
    with reading(request.app.state.engine) as connection:
        user = who_is(connection, request.session, now_us)
    if user is None:
        raise NotSignedIn
    if abs(now_us - request.session["heard_us"]) >= HEARD_EVERY_US:
        request.session["heard_us"] = now_us
    return user


def _is_idle(session: Mapping[str, Any], now_us: int) -> bool:
    heard_us = session.get("heard_us")
    return not isinstance(heard_us, int) or now_us - heard_us >= IDLE_S * 1_000_000


def language_of(connection: HTTPConnection) -> str:
    """?lang= of this request, else the reader's cookie, else the site's language."""
    settings: ConsoleSettings = connection.app.state.settings
    for wanted in (connection.query_params.get("lang"), connection.cookies.get(LANGUAGE_COOKIE)):
        if wanted in LANGUAGES:
            return str(wanted)
    return settings.language
