"""Users of the console: operators, supervisors, administrators. Passwords as argon2id hashes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, select

from devices.registry.errors import NotAllowed, among, check_code
from devices.registry.rows import add, find, rows_of
from devices.schema import user

ROLES: Final = ("operator", "supervisor", "admin")
PASSWORD_MIN: Final = 8
"""Characters, at least (NIST SP 800-63B, 5.1.1.2)."""
PASSWORD_MAX: Final = 256
"""Longer is refused before hashing, so that nobody keeps the processor busy (chosen)."""

_HASHER: Final = PasswordHasher()
"""argon2-cffi's defaults, the low-memory profile of RFC 9106."""


@cache
def _nobody() -> str:
    """Checked for unknown logins, so that the time taken does not tell which logins exist."""
    return _HASHER.hash("nobody has this password")


@dataclass(frozen=True, slots=True)
class UserRow:
    """One user; `disabled_us` is None while they may log in."""

    login: str
    role: str
    created_us: int
    disabled_us: int | None


def add_user(connection: Connection, *, login: str, password: str, role: str, by: str, now_us: int) -> int:
    """A new user and its id. Takes about 50 ms for the hash."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise NotAllowed(f"password: {PASSWORD_MIN} to {PASSWORD_MAX} characters are allowed")
    values = {
        "login": check_code(login, "login"),
        "role": among(role, ROLES, "role"),
        "password_hash": _HASHER.hash(password),
        "created_us": now_us,
    }
    return add(connection, user, "login", values, by=by, now_us=now_us)


def verify_password(connection: Connection, *, login: str, password: str) -> UserRow | None:
    """The user, or None: unknown login, wrong password or disabled, without saying which."""
    row = find(connection, user, "login", login)
    usable = row is not None and row["disabled_us"] is None
    stored = row["password_hash"] if row is not None else _nobody()
    try:
        _HASHER.verify(stored, password[: PASSWORD_MAX + 1])
    except (VerificationError, InvalidHashError):
        return None
    if row is None or not usable:
        return None
    return UserRow(row["login"], row["role"], row["created_us"], row["disabled_us"])


def list_users(connection: Connection, *, only: str | None = None) -> list[UserRow]:
    """All users by login, or the one with login `only` (else NotThere). Never a hash."""
    query = select(user.c.login, user.c.role, user.c.created_us, user.c.disabled_us)
    return [UserRow(**row) for row in rows_of(connection, query, user, only, key="login")]
