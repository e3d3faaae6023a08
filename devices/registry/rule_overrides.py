"""Overrides on record: other numbers of a rule for a place or a device, by whom, why and until when.

Here they are texts: what the numbers mean, and whether a rule can take them, the caller has checked. A row
never changes but for its end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Table, func, insert, or_, select, update

from devices.model import AreaLevel
from devices.registry.errors import NotAllowed, NotThere, check_words
from devices.registry.rows import need, note_change
from devices.schema import area, building, device, dwelling, rule_override

STANDING_MAX: Final = 4_000
"""Overrides that stand at once: each time one changes all are journalled (chosen: 1 MB of text)."""
REASON_MAX: Final = 300
NUMBERS: Final = ("raise", "clear", "hold", "clear_hold")
"""The columns of an override's numbers, as texts with units; empty: as the rule has it."""
_TABLES: Final[Mapping[str, tuple[Table, str]]] = {
    "area": (area, "code"),
    "building": (building, "code"),
    "dwelling": (dwelling, "code"),
    "device": (device, "uid"),
}
_HOLD_BUILDINGS: Final = (AreaLevel.COMMUNITY, AreaLevel.GRID)

Named = tuple[str, str]
"""What an override is about: `area`, `building`, `dwelling` or `device`, and its code or uid."""


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """One override; `numbers` by NUMBERS, without those that are empty.

    It is in force from `from_us` to before `until_us` (None: for good), or to before `ended_us` where that
    came first.
    """

    id: int
    rule: str
    scope: str
    code: str
    numbers: Mapping[str, str]
    off: bool
    from_us: int
    until_us: int | None
    author: str
    reason: str
    made_us: int
    ended_us: int | None
    ended_by: str
    end_reason: str


def add_override(
    connection: Connection,
    *,
    rule: str,
    about: Named,
    numbers: Mapping[str, str],
    off: bool = False,
    from_us: int,
    until_us: int | None = None,
    reason: str,
    by: str,
    now_us: int,
) -> int:
    """Puts an override on record; gives its number. A beginning in the past becomes now.

    Raises NotThere for a place or device that is not registered, NotAllowed for a reason that is none, and
    where STANDING_MAX stand already.
    """
    scope, code = about
    need(connection, *_TABLES[scope], code)
    standing = connection.scalar(select(func.count()).select_from(rule_override).where(*_standing(now_us)))
    if int(standing or 0) >= STANDING_MAX:
        raise NotAllowed(f"{standing} overrides stand: {STANDING_MAX} are allowed; a wider place takes fewer")
    values = {
        "rule": rule,
        "scope": scope,
        "code": code,
        **{key: text for key, text in numbers.items() if text},
        "off": off,
        "from_us": max(from_us, now_us),
        "until_us": until_us,
        "author": by[:64],
        "reason": check_words(reason, REASON_MAX, "reason"),
        "made_us": now_us,
    }
    number: int = connection.execute(
        insert(rule_override).values(values).returning(rule_override.c.id)
    ).scalar_one()
    note_change(connection, by, now_us, f"rule override {number} add {rule} {scope} {code}")
    return number


def end_override(connection: Connection, *, number: int, reason: str, by: str, now_us: int) -> None:
    """Ends an override now, begun or not; the row stays. Raises NotThere when it is over or unknown."""
    table = rule_override.c
    values = {
        "ended_us": now_us,
        "ended_by": by[:64],
        "end_reason": check_words(reason, REASON_MAX, "reason"),
    }
    mine = (table.id == number, *_standing(now_us))
    done = connection.execute(update(rule_override).where(*mine).values(values).returning(table.id)).first()
    if done is None:
        raise NotThere(f"no override {number} that stands or is to come")
    note_change(connection, by, now_us, f"rule override {number} end")


def list_overrides(connection: Connection, *, since_us: int | None = None) -> list[OverrideRow]:
    """All there ever were, by number; with `since_us` those that were not over at that instant."""
    query = select(rule_override).order_by(rule_override.c.id)
    if since_us is not None:
        query = query.where(*_standing(since_us))
    return [_row(row) for row in connection.execute(query).mappings()]


def ids_of(connection: Connection, named: Collection[Named]) -> dict[Named, frozenset[int]]:
    """The registry ids of what is named: of an area all below it, itself too, in which buildings can lie; of
    anything else its own. None for what is not registered."""
    found: dict[Named, frozenset[int]] = {}
    for scope, (table, key) in _TABLES.items():
        codes = {code for kind, code in named if kind == scope}
        if not codes:
            continue
        if scope == "area":
            found |= {("area", code): ids for code, ids in _areas(connection, codes).items()}
            continue
        query = select(table.c[key], table.c.id).where(table.c[key].in_(codes))
        found |= {(scope, code): frozenset((number,)) for code, number in connection.execute(query)}
    return {one: found.get(one, frozenset()) for one in named}


def _areas(connection: Connection, codes: Iterable[str]) -> dict[str, frozenset[int]]:
    """By code, the ids of communities and grids in the area; ends where the tree was bent into a ring."""
    rows = connection.execute(select(area.c.id, area.c.parent_id, area.c.level, area.c.code)).all()
    below: dict[int | None, list[int]] = {}
    for number, parent, _, _ in rows:
        below.setdefault(parent, []).append(number)
    levels = {number: level for number, _, level, _ in rows}
    numbers = {code: number for number, _, _, code in rows}
    found = {}
    for code in codes:
        wait, seen = [numbers[code]] if code in numbers else [], set[int]()
        while wait:
            here = wait.pop()
            if here not in seen:
                seen.add(here)
                wait += below.get(here, [])
        found[code] = frozenset(one for one in seen if levels[one] in _HOLD_BUILDINGS)
    return found


def _standing(at_us: int) -> tuple[Any, ...]:
    table = rule_override.c
    return (
        or_(table.ended_us.is_(None), table.ended_us > at_us),
        or_(table.until_us.is_(None), table.until_us > at_us),
    )


def _row(row: RowMapping) -> OverrideRow:
    numbers = {key: row[key] for key in NUMBERS if row[key]}
    return OverrideRow(
        numbers=numbers,
        **{name: row[name] for name in OverrideRow.__dataclass_fields__ if name != "numbers"},
    )
