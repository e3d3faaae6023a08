"""Where users see: said when they are added, changed at once, and never wider by an oversight."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from devices import registry
from devices.overseen import Unseen, unseen
from devices.registry import NotAllowed, NotThere, Written
from devices.registry.sessions import begin_session, end_session
from devices.registry.users import HashedPassword
from devices.schema import area, contact, registry_change, user_session
from tests.devices.conftest import NOW_US

WHO = Written(by="chief", now_us=NOW_US)
NO_PASSWORD = HashedPassword("nobody logs in with it")


@pytest.fixture
def city(connection: Connection) -> Connection:
    """A city with two streets, each with a community of one building."""
    registry.add_area(connection, level="city", code="city", name="City", **WHO)
    for n in ("1", "2"):
        above = "city"
        for level in ("street", "community"):
            code = f"{level}-{n}"
            registry.add_area(connection, level=level, code=code, name=code, parent_code=above, **WHO)
            above = code
        registry.add_building(connection, code=f"b{n}", name="B", area_code=above, floors=6, **WHO)
    row = {"code": "gw-1", "name_sealed": b"x", "created_us": 0, "erased_us": None}
    connection.execute(insert(contact), [row, row | {"code": "gone", "erased_us": 1}])
    return connection


def add(connection: Connection, login: str, role: str = "operator", **more: Any) -> None:
    registry.add_user(connection, login=login, password=NO_PASSWORD, role=role, **more, **WHO)


def sees(connection: Connection, login: str) -> tuple[bool, tuple[str, ...]]:
    row = registry.list_users(connection, only=login)[0]
    return row.everywhere, row.areas


@pytest.mark.parametrize("role", ["operator", "supervisor", "installer", "grid_worker"])
def test_who_is_no_admin_is_not_added_without_areas_or_everywhere(city: Connection, role: str) -> None:
    with pytest.raises(NotAllowed, match="--area CODE, more than once, or --everywhere"):
        add(city, "night", role)
    assert registry.list_users(city) == []
    with pytest.raises(NotAllowed, match="one of them"):
        add(city, "night", role, areas=["street-1"], everywhere=True)


def test_an_admin_sees_everywhere_unless_areas_are_said(city: Connection) -> None:
    add(city, "root", "admin")
    add(city, "part", "admin", areas=["street-1"])
    assert sees(city, "root") == (True, ())
    assert sees(city, "part") == (False, ("street-1",))


def test_areas_are_named_once_in_order_and_must_exist(city: Connection) -> None:
    add(city, "night", areas=["street-2", "community-1", "street-2"])
    assert sees(city, "night") == (False, ("community-1", "street-2"))
    with pytest.raises(NotThere, match="no area with code 'street-9'"):
        add(city, "day", areas=["street-9"])


def test_another_scope_takes_the_place_of_the_one_before(city: Connection) -> None:
    add(city, "night", areas=["street-1"])
    assert registry.set_scope(city, login="night", areas=["street-2"], **WHO)
    assert sees(city, "night") == (False, ("street-2",))
    assert not registry.set_scope(city, login="night", areas=["street-2", "street-2"], **WHO)
    assert registry.set_scope(city, login="night", everywhere=True, **WHO)
    assert sees(city, "night") == (True, ())
    assert not registry.set_scope(city, login="night", everywhere=True, **WHO)
    with pytest.raises(NotAllowed):
        registry.set_scope(city, login="night", **WHO)
    with pytest.raises(NotThere, match="no user"):
        registry.set_scope(city, login="day", everywhere=True, **WHO)
    said = list(city.scalars(select(registry_change.c.what).order_by(registry_change.c.id)))
    assert said[-2:] == ["user night scope street-2", "user night scope everywhere"]


def test_an_area_that_somebody_sees_is_not_removed(city: Connection) -> None:
    registry.add_area(city, level="street", code="street-3", name="Empty", parent_code="city", **WHO)
    add(city, "night", areas=["street-3"])
    with pytest.raises(NotAllowed, match="1 user who sees it"):
        registry.remove_area(city, code="street-3", **WHO)
    registry.set_scope(city, login="night", areas=["street-1"], **WHO)
    registry.remove_area(city, code="street-3", **WHO)
    assert sees(city, "night") == (False, ("street-1",))


def test_a_role_leaves_the_scope_as_it_is(city: Connection) -> None:
    add(city, "root", "admin")
    add(city, "night", areas=["street-1"])
    registry.set_role(city, login="night", role="admin", **WHO)
    assert sees(city, "night") == (False, ("street-1",))


def test_only_a_grid_workers_account_acts_as_a_contact_who_is_there(city: Connection) -> None:
    add(city, "worker", "grid_worker", areas=["street-1"], contact_code="gw-1")
    assert registry.list_users(city, only="worker")[0].contact == "gw-1"
    for role, code, why in (
        ("operator", "gw-1", "only an account with the role grid_worker"),
        ("grid_worker", "gone", "erased"),
    ):
        with pytest.raises(NotAllowed, match=why):
            add(city, "other", role, everywhere=True, contact_code=code)
    with pytest.raises(NotThere, match="no contact"):
        add(city, "other", "grid_worker", everywhere=True, contact_code="nobody")
    assert not registry.set_role(city, login="worker", role="grid_worker", **WHO)
    assert registry.set_role(city, login="worker", role="operator", **WHO)
    assert registry.list_users(city, only="worker")[0].contact == ""
    assert registry.set_role(city, login="worker", role="grid_worker", contact_code="gw-1", **WHO)
    assert registry.list_users(city, only="worker")[0].contact == "gw-1"


def sessions(connection: Connection) -> set[str]:
    return set(connection.scalars(select(user_session.c.id)))


def test_sessions_end_one_by_one_with_all_of_their_user_and_by_age(city: Connection) -> None:
    add(city, "night", everywhere=True)
    add(city, "day", everywhere=True)
    first, second, other = (begin_session(city, login, NOW_US, 60) for login in ("night", "night", "day"))
    assert len({first, second, other}) == 3
    end_session(city, first)
    end_session(city, "nobody's")
    assert sessions(city) == {second, other}
    third = begin_session(city, "night", NOW_US, 60)
    assert registry.log_out_user(city, login="night", **WHO) == 2
    assert third not in sessions(city) and sessions(city) == {other}
    later = begin_session(city, "night", NOW_US + 60_000_000, 60)
    assert sessions(city) == {later}


@pytest.mark.parametrize("change", ["password", "disable"])
def test_another_password_and_disabling_end_the_sessions_of_a_user(city: Connection, change: str) -> None:
    add(city, "night", everywhere=True)
    add(city, "day", everywhere=True)
    begin_session(city, "night", NOW_US, 60)
    other = begin_session(city, "day", NOW_US, 60)
    if change == "password":
        registry.set_password(city, login="night", password=NO_PASSWORD, **WHO)
    else:
        registry.disable_user(city, login="night", **WHO)
    assert sessions(city) == {other}


def test_what_nobody_at_a_desk_sees_is_found(city: Connection) -> None:
    assert unseen(city) == Unseen(True, ("community-1", "community-2"))
    for role in ("admin", "installer", "grid_worker"):
        add(city, role, role, everywhere=True)
    assert unseen(city) == Unseen(True, ("community-1", "community-2"))
    add(city, "night", areas=["street-1"])
    assert unseen(city) == Unseen(True, ("community-2",))
    add(city, "day", "supervisor", areas=["city"])
    assert unseen(city) == Unseen(True, ())
    registry.disable_user(city, login="day", **WHO)
    assert unseen(city) == Unseen(True, ("community-2",))
    add(city, "chief", "supervisor", everywhere=True)
    assert unseen(city) == Unseen()


def test_an_area_without_buildings_is_missed_by_nobody(city: Connection) -> None:
    registry.add_area(city, level="street", code="street-3", name="Empty", parent_code="city", **WHO)
    add(city, "night", areas=["street-1", "street-2"])
    assert unseen(city) == Unseen(True, ())
    assert city.scalar(select(area.c.id).where(area.c.code == "street-3"))
