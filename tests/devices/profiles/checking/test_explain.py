from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.checking.explain import Explanation, explain, where_read
from devices.profiles.checking.explained import explained
from devices.profiles.compiling.whole_file import compile_profile
from devices.profiles.described import DescribedProfile
from devices.profiles.language.load import load_profile
from devices.profiles.own.own_profile import OwnProfile
from tests.devices.profiles.shipping import shipped

PROFILE = """\
name = "acme"
device = ["acme:{id}"]

[[message]]
name = "hello"
topics = ["acme/{id}"]
where = { kind = ["hello"] }
values.v = "voltage"

[[message]]
name = "state"
topics = ["acme/{id}"]
where = { kind = ["state", 7], old = false }
values.smoke = { metric = "smoke.alarm", true = ["fire"] }
values.list = { metric = "current", list_channel = "ch{n}", null = "skip" }
values.load = { metric = "power.active", scale = 0.1, offset = 2, unit_path = "unit", low = 0 }

[[message.group]]
each = "rooms.{room}[]"
values."t.v" = { metric = "temperature", channel = "{room}" }
values."$.all" = "humidity"
device = ["room:{room}"]

[[message]]
name = "rest"
topics = ["acme/{id}"]
where = { carried = true }
object = "carried"

[[object]]
name = "thing"
where = { thing = true }
values.thing = { metric = "battery.v", sentinels = [9] }
"""
STATE = b"""{"kind": "state", "smoke": "fire", "list": [1, null, 2], "load": 50, "unit": "kW", "fw": {"a": 1},
"rooms": {"hall": [{"t": {"v": 20, "w": 1}}, {"t": {}}]}, "all": 40}"""


def profile() -> DescribedProfile:
    compiled = compile_profile(load_profile(PROFILE, file="acme.toml", known={}), site_tz="Asia/Shanghai")
    return DescribedProfile(compiled, compiled.objects)


def of(payload: bytes, topic: str = "acme/1") -> Explanation:
    mine = profile()
    return explain(topic, payload, mine, [OwnProfile(), mine])


def test_it_says_which_topic_and_kind_took_the_message_and_what_stood_where_it_looked() -> None:
    found = of(STATE)
    assert (found.profile, found.message, found.pattern, found.captures) == (
        "acme", "state", "acme/{id}", {"id": "1"},
    )  # fmt: skip
    assert [(one.path, one.allowed, one.found, one.held) for one in found.where] == [
        ("kind", "7.0 or state", '"state"', True),
        ("old", "missing", "missing", True),
    ]
    assert [(one.profile, one.message, one.why) for one in found.passed] == [
        ("own", "", "none of its topics fits: it listens to gengfu/#"),
        ("acme", "hello", 'kind is "state", not hello'),
    ]


def test_every_reading_has_its_path_its_key_and_what_was_done_to_it() -> None:
    found = {one.path: one for one in of(STATE).readings}
    assert list(found) == ["smoke", "list.0", "list.2", "load", "rooms.hall.0.t.v", "all"]
    assert found["smoke"].done == ('"fire" means true',)
    assert found["smoke"].key == "message[1].values.smoke"
    assert (found["list.2"].channel, found["list.2"].value) == ("ch3", 2.0)
    assert (found["load"].raw, found["load"].value, found["load"].unit) == ("50", 7000.0, "W")
    assert found["load"].done == ("x 0.1", "+2", 'unit = "kW": x 1000')
    assert found["rooms.hall.0.t.v"].device == "room:hall"


def test_what_nothing_looks_at_is_listed_at_its_topmost_key() -> None:
    assert of(STATE).unread == ("fw", "rooms.hall.0.t.w")


def test_a_carried_object_is_explained_by_the_profile_that_reads_it() -> None:
    found = of(b'{"carried": {"thing": 9, "other": 1}}')
    [reading] = found.readings
    assert (reading.path, reading.key) == ("carried.thing", "object[0].values.thing")
    assert (reading.value, reading.quality, reading.done) == (
        None, ("sentinel",), ("a sentinel: nothing measured",),
    )  # fmt: skip
    assert found.unread == ("carried.other",)


def test_a_message_that_is_refused_says_why_and_which_kinds_were_tried() -> None:
    found = of(b'{"kind": "else"}')
    assert found.message == ""
    assert found.refused.startswith("nothing_known: no kind of message with keys kind")
    assert [one.message for one in found.passed] == ["", "hello", "state", "rest"]
    assert of(b"{").refused.startswith("not_json: ")
    assert of(b"", topic="acme/1").refused == "an empty payload ends a retained message"
    assert of(b"{}", topic="else/1").refused == "none of the topics of acme fits"


def test_a_profile_without_a_file_says_so() -> None:
    ours = OwnProfile()
    found = explain("gengfu/a/readings", b"{}", ours, [ours, profile()])
    assert found.refused == "read by a program of its own, not by a profile file"


def test_a_kind_that_does_not_look_at_its_messages_is_said_to_discard_them() -> None:
    mine = shipped("esphome")
    found = explain("hall/binary_sensor/heat_pump/state", b"ON", mine, [mine])
    assert found.message == "flags of what burns or heats"
    assert found.refused == (
        "taken by message `flags of what burns or heats` and discarded: what it says does not matter"
    )
    assert (found.readings, found.unread) == ((), ())
    assert not any("not read" in line for line in explained(found))


def test_keys_that_the_format_added_are_not_listed_as_not_read() -> None:
    mine = shipped("sparkplug")
    payload = b'{"timestamp": 1735689601000, "seq": 2, "metrics": [{"alias": 8, "value": 3, "more": 1}]}'
    found = explain("spBv1.0/plant/DDATA/edge/panel", payload, mine, [mine])
    assert found.message
    assert not [path for path in found.unread if path.endswith((".incomplete", ".stale"))], found.unread


def test_explaining_leaves_the_profile_as_it_was() -> None:
    mine = profile()
    explain("acme/1", STATE, mine, [mine])
    assert len(mine.memory) == 0
    assert mine.memory.taken() == ()


def test_the_keys_that_a_message_reads_are_those_of_the_profiles_own_file() -> None:
    assert where_read(profile(), "acme/1", b'{"kind": "hello", "v": 1}') == {"message[0].values.v"}


def test_it_reads_as_lines() -> None:
    lines = list(explained(of(STATE)))
    assert lines[0] == "acme/1"
    assert "  power.active = 7000 W" in lines
    assert '    from load = 50; x 0.1; +2; unit = "kW": x 1000' in lines
    assert "  not read, for the profile names no such path: fw, rooms.hall.0.t.w" in lines
    assert '  not message `hello`: kind is "state", not hello' in lines
    assert lines[-2:] == [
        "  not these profiles, for none of their topics fits:",
        "    own: it listens to gengfu/#",
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "kind",
                    "smoke",
                    "list",
                    "load",
                    "unit",
                    "rooms",
                    "hall",
                    "t",
                    "v",
                    "all",
                    "carried",
                    "thing",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    st.binary(max_size=40) | VALUES.map(lambda value: repr(value).replace("'", '"').encode(errors="replace"))
)
def test_any_payload_can_be_explained(payload: bytes) -> None:
    list(explained(of(payload)))
