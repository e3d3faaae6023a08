"""Two streets in one city, an alarm in each and one at no known place, and accounts of every role for each
street and for everywhere.

Incident INSIDE lies in the first street (三网格, building b7), OUTSIDE in the second (五网格, building b9),
UNPLACED nowhere that is known.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import insert, select

from alerts import schema
from alerts.acts import record_act
from alerts.case import Act
from devices import schema as registry
from devices.database import reading, writing
from devices.model import PlaceKind, Role
from devices.registry import set_scope
from tests.console.block import HASH, Block, _add_contact, new

INSIDE, OUTSIDE, UNPLACED = 1, 2, 3
ROLES: Final = ("operator", "supervisor", "installer", "grid_worker", "admin")
HERE, THERE, ALL = "here", "there", "all"
"""Where an account sees: the first street, the second, everywhere."""
SEEN: Final = {HERE: {INSIDE}, THERE: {OUTSIDE}, ALL: {INSIDE, OUTSIDE, UNPLACED}}
STREETS: Final = {HERE: "street", THERE: "street-2"}
OF_HERE: Final = ("槐树里", "7号楼", "b7-2-501", "meter-501")
OF_THERE: Final = ("柳树里", "9号楼", "b9-1-901", "meter-901", "worker-nine")
"""What only pages about one street say: places, devices, contacts. Long enough that no token holds them by
chance."""


def login_of(role: str, where: str) -> str:
    return f"{role}.{where}"


class Streets:
    """The second street and the accounts, added to a block whose tables are filled."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self._build_second_street()
        self._add_accounts()

    def _build_second_street(self) -> None:
        block = self.block
        with writing(block.engine) as connection:
            district = connection.scalar(select(registry.area.c.id).where(registry.area.c.code == "district"))
            above = int(district or 0)
            for level, name in (("street", "柳树街道"), ("community", "柳树里社区"), ("grid", "五网格")):
                row = {"level": level, "code": f"{level}-2", "name": name, "parent_id": above}
                above = new(connection, registry.area, row)
            row = {"area_id": above, "code": "b9", "name": "9号楼", "floors": 9}
            building = new(connection, registry.building, row)
            stair = new(
                connection, registry.stair, {"building_id": building, "code": "b9-1", "name": "1单元"}
            )
            flat = {"stair_id": stair, "floor": 9, "flat": "901", "code": "b9-1-901"}
            block.dwellings["901"] = new(connection, registry.dwelling, flat)
            block.contacts["worker-nine"] = _add_contact(
                connection, "worker-nine", Role.GRID_WORKER, PlaceKind.BUILDING, building
            )

    def _add_accounts(self) -> None:
        worker = {HERE: "W1", THERE: "worker-nine", ALL: "W1"}
        with writing(self.block.engine) as connection:
            for role in ROLES:
                for where in SEEN:
                    row = {
                        "login": login_of(role, where), "role": role, "password_hash": HASH, "created_us": 0,
                        "contact_id": self.block.contacts[worker[where]] if role == "grid_worker" else None,
                    }  # fmt: skip
                    connection.execute(insert(registry.user), row)
                    self.sees(login_of(role, where), where, connection)

    def sees(self, login: str, where: str, connection: object = None) -> None:
        """Gives an account another street, or everywhere."""
        areas = () if where == ALL else (STREETS[where],)

        def give(on: object) -> None:
            set_scope(on, login=login, areas=areas, everywhere=where == ALL, by="test", now_us=1)  # type: ignore[arg-type]

        if connection is not None:
            give(connection)
            return
        with writing(self.block.engine) as fresh:
            give(fresh)

    def burns(self) -> None:
        """Begins the three incidents."""
        self.block.overload("501")
        self.block.decide()
        self.block.overload("901")
        self.block.decide()
        self.stranger()

    def stranger(self) -> None:
        """A fire of a device that nobody has registered."""
        row = {
            "place": "device:stranger", "dwelling_id": 0, "building_id": 0, "hazard": "fire",
            "severity": "P0", "state": "reported", "epoch": 0, "tags": "stranger", "started_us": 1,
            "opened_us": 1,
        }  # fmt: skip
        with writing(self.block.engine) as connection:
            connection.execute(insert(schema.incident), row)

    def happens(self, incident_id: int, times: int = 1) -> None:
        """So many lines on the timeline of an incident."""
        row = {"incident_id": incident_id, "at_us": 0, "kind": "note", "by": "gengfu", "via": "", "text": ""}
        with writing(self.block.engine) as connection:
            connection.execute(insert(schema.incident_change), [row] * times)

    def merges(self, part: int, into: int, by: str = "night") -> None:
        """An operator who sees everything merges two."""
        with writing(self.block.engine) as connection:
            record_act(
                connection, f"merge-{part}", part, f"user:{by}", "operator", Act.MERGE, str(into), "test",
                self.block.clock(),
            )  # fmt: skip
        self.block.decide()
        assert self.block.acts()[-1][-1] == "done"

    def ids(self, name: str) -> tuple[int, int, tuple[int, ...]]:
        """Of what routes call `incident_id`, `area_id` and so on: one of the first street, one of the second,
        and others that who sees the first does not see: what is at no known place, or not there at all."""
        if name == "incident_id":
            return INSIDE, OUTSIDE, (UNPLACED, 99)
        if name == "dwelling_id":
            return self.block.dwellings["501"], self.block.dwellings["901"], (9999,)
        table, codes = {
            "area_id": (registry.area, ("grid", "grid-2")),
            "building_id": (registry.building, ("b7", "b9")),
        }[name]
        with reading(self.block.engine) as connection:
            known = {row.code: row.id for row in connection.execute(select(table.c.code, table.c.id))}
        return known[codes[0]], known[codes[1]], (9999,)

    def newest(self) -> int:
        with reading(self.block.engine) as connection:
            rows = connection.scalars(select(schema.incident_change.c.id))
            return max(rows, default=0)
