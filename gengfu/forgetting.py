"""Forgetting people: one who is named, and those whom nobody has needed for long.

`devices.registry.errors.StillNeeded` is raised where an open incident may need the person's answer, or
somebody would be left with nobody to tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Connection, Engine, select

from alerts.schema import incident, notification
from devices.bound import Bound, duty_desks
from devices.database import reading, writing
from devices.masking import Traces
from devices.registry.erasure import (
    Erasure,
    count_removed_addresses,
    erase_contact,
    erase_removed_addresses,
    erasure_of,
    removed_addresses,
    unused_contacts,
    words_of,
)
from devices.registry.errors import StillNeeded
from devices.registry.looks import count_looks, delete_looks
from devices.registry.losses import keeping_a_desk, some_of
from devices.registry.pressed import beyond_kept, count_pressed, delete_beyond, delete_pressed
from devices.schema import contact
from devices.vault import Vault
from gengfu.config import People
from gengfu.traces import empty_log, hide_traces, overwrite

DAY_US: Final = 86_400_000_000
REST_S: Final = 0.01
"""Between two transactions, for whoever waits for the write lock (chosen)."""
BY: Final = "retention"
"""Who erases what nobody asked to erase, in the history."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What went: the erasure, texts in which name or numbers were hidden, and whether the old bytes have left
    SQLite's write-ahead log already."""

    erasure: Erasure
    texts: int
    overwritten: bool


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Contacts erased because nobody has needed them, by code; those kept because an incident with them is
    open; addresses erased that were taken from their contacts; looks and tests of detectors deleted; texts in
    which names or numbers were hidden."""

    contacts: tuple[str, ...]
    kept: tuple[str, ...]
    addresses: int
    looks: int
    tests: int
    texts: int


def hindrances(connection: Connection, erasure: Erasure, now_us: int) -> list[str]:
    """Why not to erase this contact now, in words; empty when nothing speaks against it."""
    found = []
    open_ones = open_incidents_of(connection, erasure.contact_id)
    if open_ones:
        numbers = ", ".join(f"#{number}" for number in open_ones)
        found.append(f"told of an incident that is still open ({numbers}) and may have to answer")
    if erasure.left_alone:
        found.append(f"nobody else can be told for {some_of(erasure.left_alone)}")
    desks = [desk for desk in duty_desks(connection, now_us, live=True) if desk.ways]
    if desks and all(_goes_with(desk, erasure) for desk in desks):
        found.append("the only duty desk that can be reached")
    return found


def _goes_with(desk: Bound, erasure: Erasure) -> bool:
    """Whether the desk is this contact, or stands in for them alone."""
    return desk.contact_id == erasure.contact_id or desk.stands_for == (erasure.code,)


def open_incidents_of(connection: Connection, contact_id: int) -> tuple[int, ...]:
    """Incidents still open whose running escalation has told this contact."""
    return tuple(
        connection.execute(
            select(incident.c.id)
            .join(notification, notification.c.incident_id == incident.c.id)
            .where(incident.c.closed_us.is_(None), notification.c.contact_id == contact_id)
            .distinct()
            .order_by(incident.c.id)
        ).scalars()
    )


def erase(
    engine: Engine,
    vault: Vault,
    code: str,
    *,
    by: str,
    now_us: int,
    force: bool = False,
    rest: Callable[[], None] = lambda: time.sleep(REST_S),
) -> Erased:
    """Erases a contact everywhere. Raises StillNeeded unless `force`, NotThere.

    First the traces in texts, then the contact in one transaction: cut off in between, it can be run again.
    """
    with reading(engine) as connection:
        erasure = erasure_of(connection, code, now_us)
        against = [] if force else hindrances(connection, erasure, now_us)
        names, addresses = words_of(connection, vault, code)
    if against:
        raise StillNeeded(
            f"contact {code!r} is still needed: {'; '.join(against)}; --force erases all the same"
        )
    texts = hide_traces(engine, Traces.of(names, addresses), rest)
    with writing(engine) as connection:
        overwrite(connection)
        with keeping_a_desk(connection, now_us, force=force):
            erase_contact(connection, code, by=by, now_us=now_us)
    return Erased(erasure, texts, empty_log(engine))


def forget_due(
    engine: Engine,
    people: People,
    now_us: int,
    vault: Vault | None = None,
    *,
    rest: Callable[[], None] = lambda: time.sleep(REST_S),
) -> Forgotten:
    """Erases contacts and removed addresses and deletes looks and tests of detectors that are due; may be cut
    off at any time.

    Without `vault` names and numbers in notes stay: only the vault knows what to look for. Whoever is told of
    an incident that is still open is kept until the next run. Short transactions, rests between.
    """
    due = due_to_forget(engine, people, now_us)
    unbound_us = _before(people.keep_unbound_days, now_us)
    texts = 0
    if vault is not None:
        texts = hide_traces(engine, _traces(engine, vault, due.contacts, unbound_us), rest)
    gone = tuple(code for code in due.contacts if _erase_if_due(engine, code, unbound_us, now_us, rest))
    addresses = _erase_removed(engine, unbound_us) if due.addresses else 0
    looks, tests_us = 0, _before(people.keep_device_tests_days, now_us)
    if due.looks:
        looks_us = _before(people.keep_looks_days, now_us)
        looks = _in_slices(engine, partial(delete_looks, before_us=looks_us), rest)
    tests = _delete_tests(engine, tests_us, rest) if due.tests else 0
    if gone or texts or addresses:
        empty_log(engine)
    return Forgotten(gone, due.kept, addresses, looks, tests, texts)


def due_to_forget(engine: Engine, people: People, now_us: int) -> Forgotten:
    """What `forget_due` would do now; texts are not looked through and count 0."""
    unbound_us = _before(people.keep_unbound_days, now_us)
    with reading(engine) as connection:
        unused = unused_contacts(connection, unbound_us)
        told = _told_of_open(connection)
        return Forgotten(
            tuple(code for code in unused if code not in told),
            tuple(code for code in unused if code in told),
            count_removed_addresses(connection, unbound_us),
            count_looks(connection, _before(people.keep_looks_days, now_us)),
            count_pressed(connection, _before(people.keep_device_tests_days, now_us)),
            0,
        )


def _before(days: int, now_us: int) -> int:
    """What is older is due. 0 days: nothing is that old."""
    return now_us - days * DAY_US if days else -1


def _told_of_open(connection: Connection, only: str | None = None) -> set[str]:
    """Codes of everybody (or of `only`) told of an incident that is still open."""
    query = (
        select(contact.c.code)
        .join(notification, notification.c.contact_id == contact.c.id)
        .join(incident, incident.c.id == notification.c.incident_id)
        .where(incident.c.closed_us.is_(None))
    )
    if only is not None:
        query = query.where(contact.c.code == only)
    return set(connection.execute(query).scalars())


def _traces(engine: Engine, vault: Vault, codes: tuple[str, ...], before_us: int) -> Traces:
    """Of the contacts with these codes, and of addresses that were taken away before `before_us`."""
    names: list[str] = []
    with reading(engine) as connection:
        addresses = removed_addresses(connection, vault, before_us)
        for code in codes:
            found = words_of(connection, vault, code)
            names += found[0]
            addresses += found[1]
    return Traces.of(names, addresses)


def _erase_if_due(engine: Engine, code: str, unbound_us: int, now_us: int, rest: Callable[[], None]) -> bool:
    """Asks again under the lock: somebody may have bound the contact since, or told them of an incident."""
    with writing(engine) as connection:
        overwrite(connection)
        due = unused_contacts(connection, unbound_us, only=code) and not _told_of_open(connection, code)
        if due:
            erase_contact(connection, code, by=BY, now_us=now_us)
    rest()
    return bool(due)


def _erase_removed(engine: Engine, before_us: int) -> int:
    with writing(engine) as connection:
        overwrite(connection)
        return erase_removed_addresses(connection, before_us)


def _delete_tests(engine: Engine, before_us: int, rest: Callable[[], None]) -> int:
    """Of tests of detectors the old ones, and what is too much of one device."""
    deleted = _in_slices(engine, partial(delete_pressed, before_us=before_us), rest)
    with reading(engine) as connection:
        too_many = beyond_kept(connection, before_us)
    return deleted + sum(_in_slices(engine, partial(delete_beyond, uid=uid), rest) for uid in too_many)


def _in_slices(engine: Engine, delete: Callable[[Connection], int], rest: Callable[[], None]) -> int:
    """How many rows `delete` takes away until none is left, each slice in a transaction of its own."""
    deleted = 0
    while True:
        with writing(engine) as connection:
            slice_ = delete(connection)
        if not slice_:
            return deleted
        deleted += slice_
        rest()
