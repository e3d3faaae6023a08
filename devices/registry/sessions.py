"""Sessions of the console that stand: begun at the log-in, ended by taking their row away."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, delete, insert, select

from devices.schema import user, user_session


def begin_session(connection: Connection, login: str, now_us: int, longest_s: int) -> str:
    """A session of this user, and its id, which nobody can guess. Rows of all users that are older than
    `longest_s` go: their sessions are over."""
    old = user_session.c.began_us <= now_us - longest_s * 1_000_000
    connection.execute(delete(user_session).where(old))
    user_id = connection.execute(select(user.c.id).where(user.c.login == login)).scalar_one()
    session_id = secrets.token_urlsafe(24)
    row = {"id": session_id, "user_id": user_id, "began_us": now_us}
    connection.execute(insert(user_session), row)
    return session_id


def end_session(connection: Connection, session_id: str) -> None:
    """Ends one; nothing happens where there is none."""
    connection.execute(delete(user_session).where(user_session.c.id == session_id))


def end_sessions(connection: Connection, user_id: int) -> int:
    """Ends all of a user, and gives how many there were."""
    return connection.execute(delete(user_session).where(user_session.c.user_id == user_id)).rowcount
