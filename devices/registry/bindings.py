"""Who is bound to what place: written here, read with inheritance by `devices.bound`.

A binding never changes but for its end. Another rank, delay or other quiet hours end the old one and begin a
new one, so that what was bound when stays readable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Table, and_, case, insert, select, update

from devices.instants import Instant
from devices.model import PlaceKind, Role
from devices.quiet import Quiet
from devices.registry.contacts import hold_contact
from devices.registry.errors import AlreadyThere, NotAllowed, NotThere, check_rank, one_of
from devices.registry.rows import changed, need, note_change, rows_of
from devices.schema import area, binding, building, contact, dwelling, stair

PLACES: Final[dict[PlaceKind, Table]] = {
    PlaceKind.AREA: area,
    PlaceKind.BUILDING: building,
    PlaceKind.STAIR: stair,
    PlaceKind.DWELLING: dwelling,
}
DELAY_MAX_S: Final = 86_400
"""A day: later than that is no answer to an alarm any more (chosen)."""
ON_DUTY: Final = (Role.DUTY_DESK, Role.MICRO_STATION, Role.FIRE_BRIGADE)
"""Roles without quiet hours: they are on duty whenever they are bound."""


@dataclass(frozen=True, slots=True)
class BindingRow:
    """One binding; `contact` and `place` are codes, `quiet` is such as `22:00-07:00`, or empty.

    It held from `bound_us` to before `ended_us`; one that stands has no end.
    """

    id: int
    contact: str
    role: str
    place_kind: str
    place: str
    rank: int
    takes_unconfirmed: bool
    delay_s: int
    quiet: str
    bound_us: int
    ended_us: int | None


def bind(
    connection: Connection,
    *,
    contact_code: str,
    role: str,
    place_kind: str,
    place_code: str,
    rank: int = 1,
    takes_unconfirmed: bool = False,
    delay_s: int = 0,
    quiet: str = "",
    by: str,
    now_us: int,
) -> int:
    """Binds a contact to a place in a role, and gives the binding's id.

    `rank` orders the chain within the role; `delay_s` (0 to 86,400) is how long after the others of a step;
    `quiet` hours such as `22:00-07:00`, in the site's time, are those in which lesser messages wait;
    `takes_unconfirmed` says that a fire brigade agreed to alarms nobody has confirmed. Family is bound to a
    dwelling: it holds for that dwelling only. Raises AlreadyThere where that binding stands, whatever its
    values (`rebind` changes them), and NotThere for an erased contact.
    """
    chosen, kind = one_of(Role, role, "role"), one_of(PlaceKind, place_kind, "place kind")
    if chosen is Role.FAMILY and kind is not PlaceKind.DWELLING:
        raise NotAllowed(f"role family on {kind}: allowed on {PlaceKind.DWELLING} only")
    values = check_terms(chosen, rank=rank, takes_unconfirmed=takes_unconfirmed, delay_s=delay_s, quiet=quiet)
    hold_contact(connection, contact_code)
    named = _named(connection, contact_code, chosen, kind, place_code)
    if _standing(connection, named) is not None:
        raise AlreadyThere(f"{contact_code!r} is {chosen} of {kind} {place_code!r} already")
    binding_id = _insert(connection, {**named, **values}, now_us)
    note_change(connection, by, now_us, f"bind {contact_code} {chosen} {kind} {place_code}")
    return binding_id


def rebind(
    connection: Connection,
    *,
    contact_code: str,
    role: str,
    place_kind: str,
    place_code: str,
    rank: int | None = None,
    takes_unconfirmed: bool | None = None,
    delay_s: int | None = None,
    quiet: str | None = None,
    by: str,
    now_us: int,
) -> int:
    """Changes a binding that stands: ends it, begins another, and gives that one's id.

    What is None stays as it was; `quiet` empty takes quiet hours away. Where nothing would differ, nothing is
    written and the id is that of the standing one. Raises NotThere when none stands.
    """
    chosen, kind = one_of(Role, role, "role"), one_of(PlaceKind, place_kind, "place kind")
    hold_contact(connection, contact_code)
    standing = _standing(connection, _named(connection, contact_code, chosen, kind, place_code))
    if standing is None:
        raise NotThere(f"{contact_code!r} is not {chosen} of {kind} {place_code!r}")
    values = check_terms(
        chosen,
        rank=standing["rank"] if rank is None else rank,
        takes_unconfirmed=standing["takes_unconfirmed"] if takes_unconfirmed is None else takes_unconfirmed,
        delay_s=standing["delay_s"] if delay_s is None else delay_s,
        quiet=_quiet_text(standing) if quiet is None else quiet,
    )
    if not changed(standing, values):
        return int(standing["id"])
    connection.execute(update(binding).where(binding.c.id == standing["id"]).values(ended_us=now_us))
    same = {name: standing[name] for name in ("contact_id", "role", "place_kind", "place_id")}
    binding_id = _insert(connection, {**same, **values}, now_us)
    note_change(connection, by, now_us, f"rebind {contact_code} {chosen} {kind} {place_code}")
    return binding_id


def unbind(
    connection: Connection,
    *,
    contact_code: str,
    role: str,
    place_kind: str,
    place_code: str,
    by: str,
    now_us: int,
) -> None:
    """Ends a binding; the row stays as history. Raises NotThere when none stands."""
    chosen, kind = one_of(Role, role, "role"), one_of(PlaceKind, place_kind, "place kind")
    standing = _standing(connection, _named(connection, contact_code, chosen, kind, place_code))
    if standing is None:
        raise NotThere(f"{contact_code!r} is not {chosen} of {kind} {place_code!r}")
    connection.execute(update(binding).where(binding.c.id == standing["id"]).values(ended_us=now_us))
    note_change(connection, by, now_us, f"unbind {contact_code} {chosen} {kind} {place_code}")


def list_bindings(
    connection: Connection,
    *,
    contact_code: str | None = None,
    at_us: int | None = None,
    history: bool = False,
) -> list[BindingRow]:
    """Bindings by contact, role and rank; those of one contact if named (else NotThere).

    Those that stand; with `at_us` those that held at that instant; with `history` all there ever were, by
    contact, role and beginning (`at_us` is then not looked at).
    """
    query = _BINDINGS
    if contact_code is not None:
        rows_of(connection, select(contact.c.id), contact, contact_code)
        query = query.where(contact.c.code == contact_code)
    if history:
        query = query.order_by(contact.c.code, binding.c.role, binding.c.bound_us, binding.c.id)
    else:
        held = binding.c.ended_us.is_(None) if at_us is None else Instant(at_us).is_bound()
        query = query.where(held).order_by(contact.c.code, binding.c.role, binding.c.rank, binding.c.id)
    return [_binding_row(row) for row in connection.execute(query).mappings()]


def place_codes(
    connection: Connection, places: Iterable[tuple[PlaceKind, int]]
) -> dict[tuple[PlaceKind, int], str]:
    """The codes of places by kind and id, one query a kind; unknown ones are left out."""
    wanted: dict[PlaceKind, set[int]] = {}
    for kind, place_id in places:
        wanted.setdefault(kind, set()).add(place_id)
    return {
        (kind, row.id): row.code
        for kind, ids in wanted.items()
        for table in (PLACES[kind].c,)
        for row in connection.execute(select(table.id, table.code).where(table.id.in_(sorted(ids))))
    }


def check_terms(
    role: Role, *, rank: int, takes_unconfirmed: bool, delay_s: int, quiet: str
) -> dict[str, int | bool | None]:
    """The columns of a binding that its place and contact do not decide; raises NotAllowed."""
    if takes_unconfirmed and role is not Role.FIRE_BRIGADE:
        raise NotAllowed(f"takes_unconfirmed for role {role}: allowed for {Role.FIRE_BRIGADE} only")
    if not 0 <= delay_s <= DELAY_MAX_S:
        raise NotAllowed(f"delay {delay_s} s: 0 to {DELAY_MAX_S} is allowed")
    hours = _hours(quiet)
    if hours is not None and role in ON_DUTY:
        raise NotAllowed(f"quiet hours {quiet!r} for role {role}: none are allowed, it is always on duty")
    return {
        "rank": check_rank(rank),
        "takes_unconfirmed": takes_unconfirmed,
        "delay_s": delay_s,
        "quiet_from": hours.from_minute if hours else None,
        "quiet_until": hours.until_minute if hours else None,
    }


def _hours(quiet: str) -> Quiet | None:
    if not quiet.strip():
        return None
    try:
        return Quiet.parse(quiet)
    except ValueError as error:
        raise NotAllowed(str(error)) from None


def _named(
    connection: Connection, contact_code: str, role: Role, kind: PlaceKind, place_code: str
) -> dict[str, int | str]:
    return {
        "contact_id": need(connection, contact, "code", contact_code)["id"],
        "role": role,
        "place_kind": kind,
        "place_id": need(connection, PLACES[kind], "code", place_code)["id"],
    }


def _standing(connection: Connection, named: Mapping[str, int | str]) -> RowMapping | None:
    same = and_(*(binding.c[name] == value for name, value in named.items()))
    query = select(binding).where(same, binding.c.ended_us.is_(None)).order_by(binding.c.id.desc())
    return connection.execute(query).mappings().first()


def _insert(connection: Connection, values: Mapping[str, Any], now_us: int) -> int:
    query = insert(binding).values(**values, bound_us=now_us).returning(binding.c.id)
    return int(connection.execute(query).scalar_one())


def _quiet_text(row: RowMapping) -> str:
    quiet = Quiet.stored(row["quiet_from"], row["quiet_until"])
    return quiet.text if quiet else ""


def _binding_row(row: RowMapping) -> BindingRow:
    values = {name: value for name, value in row.items() if name not in {"quiet_from", "quiet_until"}}
    return BindingRow(**values, quiet=_quiet_text(row))


_PLACE_CODE: Final = case(
    *(
        (
            binding.c.place_kind == kind,
            select(table.c.code).where(table.c.id == binding.c.place_id).scalar_subquery(),
        )
        for kind, table in PLACES.items()
    )
)
_BINDINGS: Final = select(
    binding.c.id,
    contact.c.code.label("contact"),
    binding.c.role,
    binding.c.place_kind,
    _PLACE_CODE.label("place"),
    binding.c.rank,
    binding.c.takes_unconfirmed,
    binding.c.delay_s,
    binding.c.quiet_from,
    binding.c.quiet_until,
    binding.c.bound_us,
    binding.c.ended_us,
).join(contact, binding.c.contact_id == contact.c.id)
