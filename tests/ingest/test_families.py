"""A site's profile that extends a shipped one goes on with what that has learnt, and the other way round."""

from __future__ import annotations

from pathlib import Path

from devices.profiles.described import DescribedProfile
from devices.profiles.profile import Note
from devices.profiles.shipped import choose
from ingest.crafting import ProfileCraft
from ingest.lineup import Lineup, Shelf
from ingest.live_profiles import bring_back, memory_refused
from tests.devices.profiles.listening import Registry, readings

MESH = """
name = "our-mesh"
version = 1
extends = "zigbee2mqtt"
[[message]]
name = "more"
topics = ["zigbee2mqtt/special"]
device = ["topic:special"]
values = { foo = "current" }
"""
NODES = """
name = "our-nodes"
version = 1
extends = "sparkplug"
[[message]]
name = "more"
topics = ["nodes/special"]
device = ["topic:special"]
values = { foo = "current" }
"""
ELSEWHERE = """
name = "block-7"
version = 1
extends = "zigbee2mqtt"
parameters = { base = "block7/zigbee" }
"""
LIST = b'[{"friendly_name":"kitchen","ieee_address":"0x00124b00aabbcc21"}]'
NAMED = ("zigbee2mqtt/kitchen", b'{"smoke":true}')
BIRTH = b'{"timestamp":1790000000000,"metrics":[{"name":"Smoke","alias":3,"value":false}]}'
VALUE = b'{"timestamp":1790000000000,"metrics":[{"alias":3,"value":true}]}'


class Site:
    """Profiles of a folder, with the notes that they have made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shelf = Shelf(folder, ProfileCraft("Asia/Shanghai"))
        self._notes: dict[tuple[str, str, str], Note] = {}
        self.lineup: Lineup = self._shelf.line_up()

    def has(self, **files: str) -> None:
        """These files from now on."""
        for path in self._folder.glob("*.toml"):
            path.unlink()
        for name, text in files.items():
            (self._folder / f"{name.replace('_', '-')}.toml").write_text(text)
        self.lineup = self._shelf.line_up()
        assert self.lineup.refused == {}
        bring_back(self.lineup, list(self._notes.values()))

    def hears(self, topic: str, payload: bytes) -> list[tuple[str, str, str]]:
        """Profile, device and metric of each reading."""
        profile, registry = choose(topic, self.lineup.profiles), Registry()
        assert profile is not None
        decoded = profile.decode([topic], [payload], registry, received_us=1_790_000_000_000_000)
        self._notes.update({one[:3]: one for one in decoded.asides.notes})
        return [(profile.name, uid, metric) for uid, _, metric, *_ in readings(decoded, registry)]


def test_names_go_on_when_a_profile_is_extended_and_when_it_is_so_no_more(tmp_path: Path) -> None:
    site, uid = Site(tmp_path), "zigbee:00124b00aabbcc21"
    site.hears("zigbee2mqtt/bridge/devices", LIST)
    assert site.hears(*NAMED) == [("zigbee2mqtt", uid, "smoke.alarm")]
    site.has(our_mesh=MESH)
    assert site.hears(*NAMED) == [("our-mesh", uid, "smoke.alarm")]
    site.hears("zigbee2mqtt/bridge/devices", LIST.replace(b"kitchen", b"hall"))
    site.has()
    for name in ("kitchen", "hall"):
        found = site.hears(f"zigbee2mqtt/{name}", b'{"smoke":true}')
        assert found == [("zigbee2mqtt", uid, "smoke.alarm")]


def test_births_go_on_as_well(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.hears("spBv1.0/g/DBIRTH/n/d", BIRTH)
    site.has(our_nodes=NODES)
    assert site.hears("spBv1.0/g/DDATA/n/d", VALUE) == [("our-nodes", "sparkplug:g/n/d", "smoke.alarm")]
    site.has()
    assert site.hears("spBv1.0/g/DDATA/n/d", VALUE) == [("sparkplug", "sparkplug:g/n/d", "smoke.alarm")]


def test_profiles_of_one_family_share_one_memory_and_its_refusals_count_once(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.has(our_mesh=MESH, our_nodes=NODES)
    known = {one.name: one.memory for one in site.lineup.profiles if isinstance(one, DescribedProfile)}
    assert known["our-mesh"] is known["zigbee2mqtt"]
    assert known["our-mesh"] is not known["our-nodes"]
    known["our-mesh"].set("alias", "x" * 1_000, "mesh:0a")
    assert memory_refused(site.lineup.profiles) == 1


def test_the_same_name_below_another_prefix_is_another_device(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.has(block_7=ELSEWHERE)
    site.hears("zigbee2mqtt/bridge/devices", LIST)
    site.hears("block7/zigbee/bridge/devices", LIST.replace(b"cc21", b"cc22"))
    assert site.hears(*NAMED) == [("zigbee2mqtt", "zigbee:00124b00aabbcc21", "smoke.alarm")]
    elsewhere = site.hears("block7/zigbee/kitchen", b'{"smoke":true}')
    assert elsewhere == [("block-7", "zigbee:00124b00aabbcc22", "smoke.alarm")]
