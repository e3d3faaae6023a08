"""Who may publish what: made, rotated, revoked; no two hold the same topics; no password is kept."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from devices.registry import (
    AlreadyThere,
    Credential,
    NotAllowed,
    NotThere,
    Written,
    add_publisher,
    issue_publishers,
    list_publishers,
    list_refusals,
    register_device,
    retire_device,
    revoke_publisher,
    rotate_publisher,
    valid_publishers,
)
from devices.registry.credentials import Prefixes, broker_hash, is_broker_hash, new_password, own_prefix
from devices.registry.refusals import LETTER_CASE
from devices.schema import publisher, refusal, registry_change
from tests.devices.conftest import NOW_US

Add = Callable[..., Credential]
WRITTEN: Written = {"by": "installer", "now_us": NOW_US}


def device(connection: Connection, uid: str, profile: str = "own") -> str:
    register_device(
        connection, uid=uid, kind="smoke", profile=profile, dwelling_code="101", by="installer", now_us=NOW_US
    )
    return uid


@pytest.fixture
def add(connection: Connection, block: dict[str, int]) -> Add:
    def added(name: str = "", *prefixes: str, uid: str | None = None) -> Credential:
        kind = "device" if uid else "gateway"
        return add_publisher(
            connection, name=name, kind=kind, device_uid=uid, prefixes=prefixes, by="installer", now_us=NOW_US
        )

    return added


def holds(password: str, stored: str) -> bool:
    """As mosquitto verifies: PBKDF2-HMAC-SHA512 of `$7$iterations$salt$hash`."""
    _, seven, iterations, salt, hashed = stored.split("$")
    assert seven == "7"
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), base64.b64decode(salt), int(iterations))
    return made == base64.b64decode(hashed)


def test_a_device_of_our_own_format_publishes_under_its_id(connection: Connection, add: Add) -> None:
    assert add(uid=device(connection, "own:dev-1")).name == "dev-1"
    [row] = list_publishers(connection)
    assert (row.kind, row.device, row.prefixes, row.valid) == ("device", "own:dev-1", ("gengfu/dev-1",), True)


@pytest.mark.parametrize("words", [("", "gengfu/Det-9"), ("Det-9",)])
def test_firmware_that_spells_its_id_otherwise_gets_name_and_topics_in_its_own_case(
    connection: Connection, add: Add, words: tuple[str, ...]
) -> None:
    assert add(*words, uid=device(connection, "own:det-9")).name == "Det-9"
    [row] = list_publishers(connection)
    assert row.prefixes == ("gengfu/Det-9",)
    with pytest.raises(NotAllowed, match="'Det-9'"):
        add("det-9", "elsewhere")


def test_a_publish_refused_for_its_letter_case_alone_is_said_as_such(
    connection: Connection, add: Add
) -> None:
    add(uid=device(connection, "own:det-9"))
    for topic, who in (("gengfu/Det-9/readings", "det-9"), ("gengfu/det-8/readings", "hub")):
        row = {"kind": "topic", "who": who, "topic": topic, "count": 1, "first_us": NOW_US, "last_us": NOW_US}
        connection.execute(refusal.insert().values(row))
    assert {row.who: row.why for row in list_refusals(connection)} == {"det-9": LETTER_CASE, "hub": ""}


def test_the_password_is_stored_as_the_brokers_hash_alone(connection: Connection, add: Add) -> None:
    made = add("hub", "zigbee2mqtt")
    stored = connection.scalar(select(publisher.c.password_hash)) or ""
    assert is_broker_hash(stored)
    assert holds(made.password, stored)
    assert made.password not in repr(connection.execute(select(publisher)).all())
    assert made.password not in repr(connection.execute(select(registry_change)).all())


def test_a_rotated_password_replaces_the_old_one(connection: Connection, add: Add) -> None:
    old = add("hub", "zigbee2mqtt")
    new = rotate_publisher(connection, name="hub", **WRITTEN)
    [one] = valid_publishers(connection)
    assert holds(new.password, one.password_hash)
    assert not holds(old.password, one.password_hash)


def test_a_revoked_one_counts_no_longer_and_may_be_made_anew_with_other_topics(
    connection: Connection, add: Add
) -> None:
    add("hub", "zigbee2mqtt")
    revoke_publisher(connection, name="hub", **WRITTEN)
    assert valid_publishers(connection) == []
    assert [row.valid for row in list_publishers(connection, revoked=True)] == [False]
    for change in (revoke_publisher, rotate_publisher):
        with pytest.raises(NotThere, match="revoked"):
            change(connection, name="hub", **WRITTEN)
    add("hub", "home")
    assert [one.prefixes for one in valid_publishers(connection)] == [("home",)]


def test_the_publisher_of_a_retired_device_counts_no_longer(connection: Connection, add: Add) -> None:
    add(uid=device(connection, "own:dev-1"))
    retire_device(connection, uid="own:dev-1", by="installer", now_us=NOW_US)
    assert valid_publishers(connection) == []
    assert list_publishers(connection) == []


def test_the_credential_of_a_device_that_comes_back_does_not_come_back(
    connection: Connection, add: Add
) -> None:
    add(uid=device(connection, "own:dev-1"))
    retire_device(connection, uid="own:dev-1", by="installer", now_us=NOW_US)
    device(connection, "own:dev-1")
    assert valid_publishers(connection) == []


@pytest.mark.parametrize("taken", ["zigbee2mqtt", "zigbee2mqtt/a", "Zigbee2MQTT/A/b"])
def test_topics_of_another_are_refused_naming_the_holder(add: Add, taken: str) -> None:
    add("hub", "zigbee2mqtt/a")
    with pytest.raises(NotAllowed, match="'hub'"):
        add("other", "elsewhere", taken)
    add("other", "zigbee2mqtt/ab")


def test_nobody_gets_the_topics_of_a_device_by_the_way_of_a_name(connection: Connection, add: Add) -> None:
    add("hub", "gengfu/dev-1")
    with pytest.raises(NotAllowed, match="'hub'"):
        add("dev-1", "elsewhere")
    add("dev-2", "elsewhere")
    with pytest.raises(AlreadyThere):
        add(uid=device(connection, "own:dev-2"))
    with pytest.raises(NotAllowed, match="'dev-2'"):
        add("other-name", "gengfu/dev-2", uid="own:dev-2")


@pytest.mark.parametrize(
    "name", ["a:b", "a b", "a/b", "a#", "a+", "", "é", "a\n", "-a", "gengfu-x", "a" * 101]
)
def test_a_name_the_brokers_files_cannot_hold_is_refused(add: Add, name: str) -> None:
    with pytest.raises(NotAllowed):
        add(name, "some/topic")


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "a/#",
        "+/a",
        "$SYS/a",
        "gengfu-check/a",
        "Gengfu-Check",
        "a//b",
        "/a",
        "a/",
        "a\n",
        " a",
        "a/ b",
        "x" * 301,
    ],
)
def test_a_prefix_that_is_no_literal_topic_is_refused(add: Add, prefix: str) -> None:
    with pytest.raises(NotAllowed):
        add("hub", prefix)


def test_a_device_has_one_publisher_and_a_gateway_no_device(connection: Connection, add: Add) -> None:
    uid = device(connection, "zigbee:00124b0000000001", "zigbee2mqtt")
    with pytest.raises(NotAllowed, match="--prefix"):
        add("z", uid=uid)
    add("z", "zigbee2mqtt/x", uid=uid)
    with pytest.raises(AlreadyThere, match="'z'"):
        add("y", "zigbee2mqtt/y", uid=uid)
    with pytest.raises(NotAllowed, match="gateway"):
        add_publisher(
            connection, name="g", kind="gateway", device_uid=uid, prefixes=["g"], by="i", now_us=NOW_US
        )


def test_credentials_are_issued_once_for_all_devices_of_our_own_format(
    connection: Connection, add: Add
) -> None:
    for n in range(3):
        device(connection, f"own:dev-{n}")
    device(connection, "own:küche")
    device(connection, "zigbee:00124b0000000001", "zigbee2mqtt")
    add(uid="own:dev-1")
    made, left = issue_publishers(connection, **WRITTEN)
    assert [(one.name, prefix) for one, prefix in made] == [
        ("dev-0", "gengfu/dev-0"),
        ("dev-2", "gengfu/dev-2"),
    ]
    assert left == ["own:küche"]
    stored = {one.name: one.password_hash for one in valid_publishers(connection)}
    assert all(holds(one.password, stored[one.name]) for one, _ in made)
    assert issue_publishers(connection, **WRITTEN) == ([], ["own:küche"])


def test_passwords_are_long_plain_and_never_the_same() -> None:
    made = {new_password() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(one) == 32 and one.isalnum() and not set(one) & set("iloué") for one in made)
    assert broker_hash("a") != broker_hash("a")


TOPICS = st.lists(st.sampled_from(["a", "b", "A", "ab"]), min_size=1, max_size=3).map("/".join)


def meet(one: str, other: str) -> bool:
    """The plain reference."""
    one, other = one.lower() + "/", other.lower() + "/"
    return one.startswith(other) or other.startswith(one)


@given(st.lists(TOPICS, max_size=5), TOPICS)
def test_two_prefixes_meet_where_one_lies_above_the_other(held: list[str], asked: str) -> None:
    prefixes = Prefixes()
    for n, one in enumerate(held):
        prefixes.add(f"p{n}", [one])
    holder = prefixes.holder(asked)
    if holder:
        assert meet(held[int(holder[1:])], asked)
    else:
        assert not any(meet(one, asked) for one in held)


def test_every_name_stands_for_topics_of_its_own() -> None:
    prefixes = Prefixes()
    prefixes.add("hub", ["zigbee2mqtt"])
    assert prefixes.holder(own_prefix("HUB")) == "hub"
    assert prefixes.holder("gengfu") == "hub"
