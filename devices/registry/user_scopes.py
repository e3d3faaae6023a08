"""Where users see and act: everywhere, or areas with all below them.

No account is without bounds by oversight: who is no administrator has them said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, insert, select, update

from devices.registry.errors import NotAllowed
from devices.registry.rows import need, note_change
from devices.schema import area, user, user_area


def check_scope(areas: Sequence[str], everywhere: bool) -> bool:
    """`everywhere` if either it or areas are said, and not both; else raises NotAllowed."""
    if everywhere and areas:
        raise NotAllowed("area: an account sees areas or everywhere; allowed is one of them")
    if not everywhere and not areas:
        raise NotAllowed("area: none is named; allowed are --area CODE, more than once, or --everywhere")
    return everywhere


def set_scope(
    connection: Connection,
    *,
    login: str,
    areas: Sequence[str] = (),
    everywhere: bool = False,
    by: str,
    now_us: int,
) -> bool:
    """Other areas (codes) for a user, in the place of those before, and whether that differs. It holds for
    sessions that stand, too. Raises NotAllowed, and NotThere for an unknown user or area."""
    check_scope(areas, everywhere)
    known = need(connection, user, "login", login)
    wanted = tuple(sorted(set(areas)))
    if (
        known["everywhere"] == everywhere
        and areas_of(connection, [known["id"]]).get(known["id"], ()) == wanted
    ):
        return False
    connection.execute(update(user).where(user.c.id == known["id"]).values(everywhere=everywhere))
    connection.execute(delete(user_area).where(user_area.c.user_id == known["id"]))
    write_areas(connection, known["id"], wanted)
    where = "everywhere" if everywhere else ", ".join(wanted)
    note_change(connection, by, now_us, f"user {login} scope {where}")
    return True


def write_areas(connection: Connection, user_id: int, areas: Sequence[str]) -> None:
    """The areas of a user who has none; raises NotThere naming the one that is not there."""
    ids = {int(need(connection, area, "code", code)["id"]) for code in areas}
    if ids:
        rows = [{"user_id": user_id, "area_id": area_id} for area_id in sorted(ids)]
        connection.execute(insert(user_area), rows)


def areas_of(connection: Connection, users: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The codes of the areas of these users (ids), in their order."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = (
        select(user_area.c.user_id, area.c.code)
        .join(area, user_area.c.area_id == area.c.id)
        .where(user_area.c.user_id.in_(users))
    )
    for user_id, code in connection.execute(rows) if users else ():
        found[user_id].append(code)
    return {user_id: tuple(sorted(codes)) for user_id, codes in found.items()}
