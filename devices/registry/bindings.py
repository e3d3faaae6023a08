"""Who is bound to what place: written here, read with inheritance by `devices.bound`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Table, and_, case, insert, select, update

from devices.model import PlaceKind, Role
from devices.registry.errors import AlreadyThere, NotAllowed, NotThere, check_rank, one_of
from devices.registry.rows import need, note_change, rows_of
from devices.schema import area, binding, building, contact, dwelling, stair

PLACES: Final[dict[PlaceKind, Table]] = {
    PlaceKind.AREA: area,
    PlaceKind.BUILDING: building,
    PlaceKind.STAIR: stair,
    PlaceKind.DWELLING: dwelling,
}


@dataclass(frozen=True, slots=True)
class BindingRow:
    """One standing binding; `contact` and `place` are codes."""

    id: int
    contact: str
    role: str
    place_kind: str
    place: str
    rank: int
    takes_unconfirmed: bool


def bind(
    connection: Connection,
    *,
    contact_code: str,
    role: str,
    place_kind: str,
    place_code: str,
    rank: int = 1,
    takes_unconfirmed: bool = False,
    by: str,
    now_us: int,
) -> int:
    """Binds a contact to a place in a role, and gives the binding's id.

    `rank` orders the chain within the role; `takes_unconfirmed` says that a fire brigade agreed to alarms
    nobody has confirmed. Family is bound to a dwelling: it holds for that dwelling only.
    """
    chosen, kind = one_of(Role, role, "role"), one_of(PlaceKind, place_kind, "place kind")
    if chosen is Role.FAMILY and kind is not PlaceKind.DWELLING:
        raise NotAllowed(f"role family on {kind}: allowed on {PlaceKind.DWELLING} only")
    if takes_unconfirmed and chosen is not Role.FIRE_BRIGADE:
        raise NotAllowed(f"takes_unconfirmed for role {chosen}: allowed for {Role.FIRE_BRIGADE} only")
    values = _named(connection, contact_code, chosen, kind, place_code)
    if _standing(connection, values) is not None:
        raise AlreadyThere(f"{contact_code!r} is {chosen} of {kind} {place_code!r} already")
    binding_id: int = connection.execute(
        insert(binding)
        .values(**values, rank=check_rank(rank), takes_unconfirmed=takes_unconfirmed, bound_us=now_us)
        .returning(binding.c.id)
    ).scalar_one()
    note_change(connection, by, now_us, f"bind {contact_code} {chosen} {kind} {place_code}")
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
    connection.execute(update(binding).where(binding.c.id == standing).values(ended_us=now_us))
    note_change(connection, by, now_us, f"unbind {contact_code} {chosen} {kind} {place_code}")


def list_bindings(connection: Connection, *, contact_code: str | None = None) -> list[BindingRow]:
    """Standing bindings by contact, role and rank; those of one contact if named (else NotThere)."""
    if contact_code is not None:
        rows_of(connection, select(contact.c.id), contact, contact_code)
    query = _BINDINGS if contact_code is None else _BINDINGS.where(contact.c.code == contact_code)
    return [BindingRow(**row) for row in connection.execute(query).mappings()]


def _named(
    connection: Connection, contact_code: str, role: Role, kind: PlaceKind, place_code: str
) -> dict[str, int | str]:
    return {
        "contact_id": need(connection, contact, "code", contact_code)["id"],
        "role": role,
        "place_kind": kind,
        "place_id": need(connection, PLACES[kind], "code", place_code)["id"],
    }


def _standing(connection: Connection, values: dict[str, int | str]) -> int | None:
    same = and_(*(binding.c[name] == value for name, value in values.items()))
    return connection.execute(select(binding.c.id).where(same, binding.c.ended_us.is_(None))).scalar()


_PLACE_CODE: Final = case(
    *(
        (
            binding.c.place_kind == kind,
            select(table.c.code).where(table.c.id == binding.c.place_id).scalar_subquery(),
        )
        for kind, table in PLACES.items()
    )
)
_BINDINGS: Final = (
    select(
        binding.c.id,
        contact.c.code.label("contact"),
        binding.c.role,
        binding.c.place_kind,
        _PLACE_CODE.label("place"),
        binding.c.rank,
        binding.c.takes_unconfirmed,
    )
    .join(contact, binding.c.contact_id == contact.c.id)
    .where(binding.c.ended_us.is_(None))
    .order_by(contact.c.code, binding.c.role, binding.c.rank, binding.c.id)
)
