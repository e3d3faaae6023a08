"""Who is at the console: the session in a signed cookie, the token against forged posts, the language.

The cookie holds the login and when it was given; role, whether the user is still enabled and when the
password was set are read from the registry at each request, so that disabling a user or another password
works at once. Logging out empties the cookie; a stolen copy of it stays good until SESSION_S has passed or
one of those.

Errors:
* NotSignedIn: no session, an ended one, or a disabled user.
* ForgedPost: a POST without this session's token.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import HTTPConnection, Request

from console.settings import SESSION_S, ConsoleSettings
from console.words import LANGUAGES
from devices import schema
from devices.database import reading

LANGUAGE_COOKIE = "gengfu_language"


class NotSignedIn(Exception):
    """No session, an ended one, or a disabled user."""


class ForgedPost(Exception):
    """A POST without this session's token: another site's, or a page from before the login."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The user of one request. `actor` is what acts are signed with."""

    login: str
    role: str
    csrf: str

    @property
    def actor(self) -> str:
        """`user:LOGIN`."""
        return f"user:{self.login}"


def begin(session: dict[str, Any], login: str, now_us: int) -> None:
    """A fresh session for `login`; nothing of an earlier one is kept."""
    session.clear()
    session.update(login=login, at_us=now_us, csrf=secrets.token_urlsafe(24))


def csrf_before_login(session: dict[str, Any]) -> str:
    """The token of the login form itself."""
    if not isinstance(session.get("csrf"), str):
        session["csrf"] = secrets.token_urlsafe(24)
    return str(session["csrf"])


def csrf_matches(session: dict[str, Any], given: str) -> bool:
    """True when `given` is this session's token."""
    expected = session.get("csrf")
    return isinstance(expected, str) and hmac.compare_digest(expected.encode(), given.encode())


def who_is(connection: Connection, session: dict[str, Any], now_us: int) -> SignedIn | None:
    """The user of `session`, or None when it ended, or the user is gone, disabled or has a new password."""
    login, at_us, csrf = session.get("login"), session.get("at_us"), session.get("csrf")
    if not isinstance(login, str) or not isinstance(at_us, int) or not isinstance(csrf, str):
        return None
    if not 0 <= now_us - at_us < SESSION_S * 1_000_000:
        return None
    user = schema.user.c
    row = connection.execute(
        select(user.login, user.role).where(
            user.login == login, user.disabled_us.is_(None), user.password_us <= at_us
        )
    ).one_or_none()
    return SignedIn(row.login, row.role, csrf) if row else None


def signed_in(request: Request) -> SignedIn:
    """The user of this request, for routes to depend on. Raises NotSignedIn."""
    settings: ConsoleSettings = request.app.state.settings
    with reading(request.app.state.engine) as connection:
        user = who_is(connection, request.session, settings.clock())
    if user is None:
        raise NotSignedIn
    return user


def language_of(connection: HTTPConnection) -> str:
    """?lang= of this request, else the reader's cookie, else the site's language."""
    settings: ConsoleSettings = connection.app.state.settings
    for wanted in (connection.query_params.get("lang"), connection.cookies.get(LANGUAGE_COOKIE)):
        if wanted in LANGUAGES:
            return str(wanted)
    return settings.language
