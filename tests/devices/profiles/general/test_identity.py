"""Names that stand for a device, learnt from a list of devices."""

from __future__ import annotations

from devices.profiles.described import DescribedProfile
from devices.profiles.general import identity
from devices.profiles.general.identity import Identity
from devices.profiles.memory import Memory
from devices.profiles.profile import Note, Said
from tests.devices.profiles.describing import compiled, decode, described, heard
from tests.devices.profiles.listening import Registry, readings

MESH = """
name = "mesh"
[[message]]
name = "devices"
topics = ["mesh/bridge/devices"]
[message.learns]
each = "[]"
alias = "{.name}"
device = "mesh:{.address|hex}"
renames = true
label = "{.name}"
model = "{.definition.model}"
[[message]]
name = "state"
topics = ["mesh/{name}"]
alias = "{name}"
device = ["mesh:{name:hex}"]
values = { t = "temperature" }
""".replace("{name:hex}", "{name|hex}")


def devices(**names: str) -> tuple[str, list[dict[str, object]]]:
    return "mesh/bridge/devices", [
        {"name": name, "address": address, "definition": {"model": "M"}} for name, address in names.items()
    ]


def test_a_name_stands_for_the_device_that_the_list_says() -> None:
    profile = described(MESH)
    assert heard(profile, ("mesh/Lamp", {"t": 1}))[0][0] == "mesh:lamp"
    decoded = decode(profile, devices(Lamp="0x0A"))
    assert decoded.rejected == []
    assert set(decoded.asides.said) == {Said("mesh:0a", "label", "Lamp"), Said("mesh:0a", "model", "M")}
    assert decoded.asides.notes == (Note("mesh", "alias", "Lamp", "mesh:0a"),)
    assert heard(profile, ("mesh/Lamp", {"t": 1}))[0][0] == "mesh:0a"


def test_a_name_given_to_another_device_is_not_remembered_as_the_old_one() -> None:
    profile = described(MESH)
    decode(profile, devices(Lamp="0x0a"), ("mesh/Lamp", {"t": 1}))
    assert profile.recall(["mesh/Lamp"])[0] >= 0
    found = heard(profile, ("mesh/Lamp", {"t": 1}), devices(Lamp="0x0b"), ("mesh/Lamp", {"t": 2}))
    assert [uid for uid, *_ in found] == ["mesh:0a", "mesh:0b"]
    assert profile.recall(["mesh/Lamp"])[0] < 0
    assert heard(profile, ("mesh/Lamp", {"t": 1}))[0][0] == "mesh:0b"
    assert profile.recall(["mesh/Lamp"])[0] >= 0


def test_names_survive_a_restart() -> None:
    notes = decode(described(MESH), devices(Lamp="0x0a", Hall="0x0b")).asides.notes
    again = described(MESH)
    again.remember(notes)
    assert heard(again, ("mesh/Hall", {"t": 1}))[0][0] == "mesh:0b"
    assert decode(again, devices(Lamp="0x0a", Hall="0x0b")).asides.notes == ()


def test_what_is_remembered_of_names_is_bounded() -> None:
    one = Identity(Memory("mesh"))
    kind = compiled(MESH).kinds[1]
    for n in range(identity.USES_MAX + 10):
        one.uid(kind, {"name": str(n)}, {}, f"mesh/{n}", lambda _: True)
    assert len(one.renamed()) == identity.USES_MAX
    assert one.renamed() == []


def test_a_list_that_is_no_list_teaches_nothing() -> None:
    odds: list[object] = [{}, [], [1, None, {"name": 1}], [{"name": "Lamp", "address": None}], "x"]
    for odd in odds:
        decoded = decode(described(MESH), ("mesh/bridge/devices", odd))
        assert (decoded.rejected, decoded.asides.notes) == ([], ())


def test_a_device_registered_before_its_name_was_known_stays_who_it_is() -> None:
    profile, registry = described(MESH), Registry(unknown={"mesh:0a"})
    state = ("mesh/Lamp", {"t": 1})
    decoded = decode(profile, state, devices(Lamp="0x0a"), state, registry=registry)
    assert [uid for uid, *_ in readings(decoded, registry)] == ["mesh:lamp", "mesh:lamp"]
    registry.unknown = {"mesh:lamp"}
    decoded = decode(profile, state, registry=registry)
    assert [uid for uid, *_ in readings(decoded, registry)] == ["mesh:0a"]


def test_a_list_moves_no_registered_devices_readings_to_another_device() -> None:
    profile, registry = described(MESH), Registry(unknown={"mesh:other"})
    state = ("mesh/Lamp", {"t": 1})
    for _ in range(50):
        decoded = decode(profile, state, devices(Lamp="0x0a"), state, registry=registry)
        assert {uid for uid, *_ in readings(decoded, registry)} == {"mesh:lamp"}
    registry.unknown = {"mesh:lamp"}  # somebody retires it: now its name is looked at
    decoded = decode(profile, state, registry=registry)
    assert [uid for uid, *_ in readings(decoded, registry)] == ["mesh:0a"]


OPEN = MESH.replace("renames = true\n", "")
"""The same where anybody may say names."""


def uids(profile: DescribedProfile, registry: Registry, *messages: tuple[str, object]) -> list[str]:
    decoded = decode(profile, *messages, registry=registry)
    return [uid for uid, *_ in readings(decoded, registry)]


def test_a_registered_devices_name_is_given_away_only_by_who_may_rename() -> None:
    state, registry = ("mesh/Lamp", {"t": 1}), Registry(unknown={"mesh:lamp"})
    for text, then in ((OPEN, "mesh:0a"), (MESH, "mesh:0b")):
        profile = described(text)
        assert uids(profile, registry, devices(Lamp="0x0a"), state) == ["mesh:0a"]
        assert uids(profile, registry, devices(Lamp="0x0b"), state) == [then]
        assert uids(profile, registry, state) == [then]


def test_a_name_of_a_device_that_nobody_has_registered_is_given_on() -> None:
    profile, registry = described(OPEN), Registry(unknown={"mesh:lamp", "mesh:0a"})
    state = ("mesh/Lamp", {"t": 1})
    assert uids(profile, registry, devices(Lamp="0x0a"), devices(Lamp="0x0b"), state) == ["mesh:0b"]


def test_invented_names_leave_room_for_those_of_registered_devices() -> None:
    memory = Memory("mesh")
    one = Identity(memory)
    known = {"mesh:real", "mesh:late"}.__contains__
    assert one.knows("real", "mesh:real", known, renames=False)
    assert one.knows("late", "mesh:new", known, renames=False)
    for n in range(2 * identity.WAITING_MAX):
        assert one.knows(f"x{n}", f"mesh:{n}", known, renames=False)
    assert len(memory) == identity.WAITING_MAX + 1
    assert memory.get("alias", "real") == "mesh:real"
    assert memory.get("alias", "late") == ""
    assert memory.get("alias", f"x{2 * identity.WAITING_MAX - 1}")
    assert one.knows("late", "mesh:late", known, renames=False)
    assert memory.refused == 0


def test_names_known_before_a_restart_count_among_those_that_wait() -> None:
    memory = Memory("mesh")
    memory.restore(Note("mesh", "alias", f"x{n}", f"mesh:{n}") for n in range(identity.WAITING_MAX + 5))
    one = Identity(memory)
    assert one.knows("new", "mesh:new", {"mesh:0"}.__contains__, renames=False)
    assert len(memory) == identity.WAITING_MAX + 1
    assert memory.get("alias", "x0") == "mesh:0"
    assert memory.get("alias", "x1") == ""
