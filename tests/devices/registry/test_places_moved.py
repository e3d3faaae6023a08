from __future__ import annotations

import pytest
from sqlalchemy import Connection

from devices.registry.places_moved import places_moved_since
from devices.registry.rows import note_change
from tests.devices.conftest import NOW_US


@pytest.mark.parametrize(
    ("what", "moved"),
    [
        ("area move K: parent", True),
        ("building move B: area", True),
        ("import area 0 new 2 changed, building 1 new 0 changed", True),
        ("import building 3 new 10 changed", True),
        ("import area 2 new 0 changed, dwelling 0 new 9 changed", False),
        ("area set K: name", False),
        ("device move own:1", False),
        ("bind area move", False),
    ],
)
def test_the_trace_of_changes_tells_whether_places_were_moved(
    connection: Connection, what: str, moved: bool
) -> None:
    note_change(connection, "t", NOW_US, what)
    assert places_moved_since(connection, NOW_US - 1) is moved
    assert not places_moved_since(connection, NOW_US)
