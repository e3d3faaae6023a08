"""Users of the console and their roles. Passwords as argon2id hashes.

A hash takes some 50 ms: `hash_password` comes before the transaction, so that no other writer waits for it.
Of the administrators one at least stays enabled: nobody can lock the site out of its own console. Where a
user sees is in `devices.registry.user_scopes`, what ends a session in `devices.registry.sessions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, RowMapping, select, update

from devices.registry.errors import NotAllowed, among, check_code
from devices.registry.rows import Page, Written, add, changed, find, need, note_change, rows_of
from devices.registry.sessions import end_sessions
from devices.registry.user_scopes import areas_of, check_scope, write_areas
from devices.schema import contact, user

ADMIN: Final = "admin"
GRID_WORKER: Final = "grid_worker"
ROLES: Final = ("operator", "supervisor", "installer", GRID_WORKER, ADMIN)
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
    """One user; `disabled_us` is None while they may log in. `areas` are the codes of the areas that they see
    where not `everywhere`, `contact` is the code of the contact whom a grid worker's account acts as."""

    login: str
    role: str
    created_us: int
    disabled_us: int | None
    everywhere: bool = False
    areas: tuple[str, ...] = ()
    contact: str = ""


@dataclass(frozen=True, slots=True)
class HashedPassword:
    """What is stored of a password."""

    text: str


def hash_password(password: str) -> HashedPassword:
    """The argon2id hash of an allowed password; takes some 50 ms. Raises NotAllowed, which quotes nothing."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise NotAllowed(f"password: {PASSWORD_MIN} to {PASSWORD_MAX} characters are allowed")
    return HashedPassword(_HASHER.hash(password))


def add_user(
    connection: Connection,
    *,
    login: str,
    password: HashedPassword,
    role: str,
    areas: Sequence[str] = (),
    everywhere: bool = False,
    contact_code: str | None = None,
    by: str,
    now_us: int,
) -> int:
    """A new user and its id. Sees the `areas` (codes) or `everywhere`; only an administrator for whom neither
    is said sees everywhere by itself. Raises NotAllowed, and NotThere for an unknown area or contact."""
    values = {
        "login": check_code(login, "login"),
        "role": among(role, ROLES, "role"),
        "password_hash": password.text,
        "created_us": now_us,
        "everywhere": check_scope(areas, everywhere or (role == ADMIN and not areas)),
        "contact_id": _acting_as(connection, role, contact_code),
    }
    user_id = add(connection, user, "login", values, by=by, now_us=now_us)
    write_areas(connection, user_id, areas)
    return user_id


def set_password(
    connection: Connection, *, login: str, password: HashedPassword, by: str, now_us: int
) -> None:
    """Another password; it ends the sessions that began before it."""
    known = need(connection, user, "login", login)
    values = {"password_hash": password.text, "password_us": now_us}
    end_sessions(connection, known["id"])
    _write(connection, known, values, "password", Written(by=by, now_us=now_us))


def set_role(
    connection: Connection, *, login: str, role: str, contact_code: str | None = None, by: str, now_us: int
) -> bool:
    """Another role, and whether it differs; raises NotAllowed for the last enabled administrator.

    What the user sees stays as it is. A grid worker's contact stays where none is named; with another role it
    goes.
    """
    if among(role, ROLES, "role") != ADMIN:
        _check_not_last_admin(connection, login, f"given the role {role}")
    known = need(connection, user, "login", login)
    acts_as = _acting_as(connection, role, contact_code)
    if contact_code is None and role == GRID_WORKER:
        acts_as = known["contact_id"]
    values = changed(known, {"role": role, "contact_id": acts_as})
    if not values:
        return False
    _write(connection, known, values, f"role {role}", Written(by=by, now_us=now_us))
    return True


def disable_user(connection: Connection, *, login: str, by: str, now_us: int) -> None:
    """Lets a user in no longer and ends their sessions; raises NotAllowed for the last enabled administrator
    or one disabled."""
    _check_not_last_admin(connection, login, "disabled")
    known = need(connection, user, "login", login)
    if known["disabled_us"] is not None:
        raise NotAllowed(f"user {login!r} is disabled already")
    end_sessions(connection, known["id"])
    _write(connection, known, {"disabled_us": now_us}, "disable", Written(by=by, now_us=now_us))


def enable_user(connection: Connection, *, login: str, by: str, now_us: int) -> None:
    """Lets a disabled user in again, with the password, role and areas they had."""
    known = need(connection, user, "login", login)
    if known["disabled_us"] is None:
        raise NotAllowed(f"user {login!r} is enabled already")
    _write(connection, known, {"disabled_us": None}, "enable", Written(by=by, now_us=now_us))


def log_out_user(connection: Connection, *, login: str, by: str, now_us: int) -> int:
    """Ends every session of a user, who may log in again; gives how many there were."""
    known = need(connection, user, "login", login)
    ended = end_sessions(connection, known["id"])
    note_change(connection, by, now_us, f"user {login} logout")
    return ended


def _acting_as(connection: Connection, role: str, contact_code: str | None) -> int | None:
    """The id of the contact; raises NotAllowed for another role than grid_worker, and an erased contact."""
    if contact_code is None:
        return None
    if role != GRID_WORKER:
        raise NotAllowed(f"contact {contact_code!r}: only an account with the role {GRID_WORKER} acts as one")
    known = need(connection, contact, "code", contact_code)
    if known["erased_us"] is not None:
        raise NotAllowed(f"contact {contact_code!r} is erased: another is allowed")
    return int(known["id"])


def _check_not_last_admin(connection: Connection, login: str, what: str) -> None:
    enabled = user.c.role == ADMIN, user.c.disabled_us.is_(None)
    if list(connection.execute(select(user.c.login).where(*enabled)).scalars()) == [login]:
        raise NotAllowed(
            f"user {login!r} is the last enabled admin and cannot be {what}: add or enable another first"
        )


def _write(
    connection: Connection, known: RowMapping, values: dict[str, object], what: str, trace: Written
) -> None:
    connection.execute(update(user).where(user.c.id == known["id"]).values(values))
    note_change(connection, trace["by"], trace["now_us"], f"user {known['login']} {what}")


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


def list_users(connection: Connection, *, only: str | None = None, page: Page | None = None) -> list[UserRow]:
    """All users by login, or the one with login `only` (else NotThere). Never a hash."""
    query = select(
        user.c.id, user.c.login, user.c.role, user.c.created_us, user.c.disabled_us, user.c.everywhere,
        contact.c.code,
    ).outerjoin(contact, user.c.contact_id == contact.c.id)  # fmt: skip
    rows = rows_of(connection, query, user, only, key="login", page=page)
    areas = areas_of(connection, [row["id"] for row in rows])
    return [
        UserRow(
            row["login"], row["role"], row["created_us"], row["disabled_us"], row["everywhere"],
            areas.get(row["id"], ()), row["code"] or "",
        )
        for row in rows
    ]  # fmt: skip
