"""A stranger that is registered during its fire, from the wire to the ledger: with the next record, and the
same after the process died anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from devices.database import reading, writing
from devices.schema import area, building, device, dwelling, registry_change, stair
from ingest.registered import read_changes
from tests.gengfu.test_rules_recovered import Home
from tests.ingest.fuse import Fuse, Killed

SMOKE = b'{"smoke": 1}'


class Estate(Home):
    """A house with two flats, where people are registered while it runs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.flats: list[int] = []
        with writing(self.engine) as connection:

            def add(table: Any, **values: object) -> int:
                done = connection.execute(insert(table).values(**values).returning(table.c.id))
                return int(done.scalar_one())

            grid = add(area, level="grid", code="g", name="g")
            house = add(building, area_id=grid, code="b", name="b", floors=2)
            steps = add(stair, building_id=house, code="b-1", name="1")
            self.flats += [
                add(dwelling, stair_id=steps, floor=floor, flat=f"{floor}01", code=f"b-{floor}01")
                for floor in (1, 2)
            ]

    def register_in(self, uid: str, flat: int) -> None:
        with writing(self.engine) as connection:
            change = connection.execute(
                insert(registry_change).values(at_us=1, by="t", what="device").returning(registry_change.c.id)
            ).scalar_one()
            row = {"uid": uid, "kind": "smoke", "profile": "plain", "registered_us": 1, "registered_by": "t"}
            connection.execute(insert(device).values(**row, dwelling_id=self.flats[flat], change_id=change))
        self.follow()

    def follow(self) -> None:
        with reading(self.engine) as connection:
            for part in list(read_changes(connection, self.index.registry_version)):
                self.index.apply(part)

    def smoke(self) -> list[tuple[bool, bool, str]]:
        """Of each transition of smoke in the ledger: whether it is a raise, whether of a place, and where."""
        found = [text for text in self.alarms() if "rule='S" in text]
        return sorted(
            ("RAISED" in text, "rule='S2'" in text, text.partition("dwelling=")[2].partition(",")[0])
            for text in found
        )


def told_by(house: Estate, fuse: Fuse, steps: Sequence[str]) -> list[tuple[bool, bool, str]]:
    tick = house.start(fuse, batch=2)
    for step in steps:
        what, _, of = step.partition(" ")
        try:
            if what == "smoke":
                house.broker.publish(f"t/{of}", SMOKE)
            elif what == "register":
                house.register_in(of, 0)
            house.run(tick)
        except Killed:
            at = house.line.now_us
            house.stop()
            tick = house.start(batch=2)
            house.line.now_us = at
            house.follow()
            house.run(tick)
    told = house.smoke()
    house.stop()
    house.engine.dispose()
    return told


STORY = ("smoke s1", "register s1", "nothing", "register s2", "smoke s2")
TOLD = [(False, False, "0"), (True, False, "0"), (True, False, "1"), (True, False, "1"), (True, True, "1")]


def test_its_fire_is_told_where_it_is_registered_before_it_says_anything_more(tmp_path: Path) -> None:
    told = told_by(Estate(tmp_path), Fuse(), STORY[:3])
    assert told == [(False, False, "0"), (True, False, "0"), (True, False, "1")]


@pytest.mark.parametrize(
    "step", ["journal.before", "journal.after", "evaluate", "ledger.before", "ledger.after"]
)
@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_death_anywhere_tells_the_same_and_the_second_detector_confirms_it(
    tmp_path: Path, step: str, after: int
) -> None:
    for name in ("calm", "dying"):
        (tmp_path / name).mkdir()
    assert told_by(Estate(tmp_path / "calm"), Fuse(), STORY) == TOLD
    assert told_by(Estate(tmp_path / "dying"), Fuse(step, after), STORY) == TOLD
