"""The main job, whole: real mosquitto, real processes, thousands of messages, people told by the table."""

from __future__ import annotations

import time
from pathlib import Path

from devices.model import Role
from tests.e2e.site import Publish, Site, eventually, site, uid_of

ROUNDS = 60
POINTS = 4
"""Of one current report."""


def ordinary_reports(here: Site, now_ms: int) -> list[Publish]:
    """Each monitor and detector reports again and again; monitors with their own time and sequence."""
    quiet = [d.code for d in here.block.dwellings if d.code != here.block.scene]
    return [
        message
        for turn in range(ROUNDS)
        for home in quiet
        for message in (
            here.current(home, now_ms - 60_000 + turn * 100, 1_000 + turn, 2.0),
            here.smoke(home, smoke=False, qos=turn % 2),
        )
    ]


def overload(here: Site, now_ms: int) -> list[Publish]:
    """The scene's circuit carries 1.6 times its rating for 70 s, reported each second."""
    limit = here.monitor(here.block.scene).reference_a
    return [
        here.current(here.block.scene, now_ms - 70_000 + s * 1000, 5_000 + s, 1.6 * limit) for s in range(71)
    ]


def malformed(here: Site) -> list[Publish]:
    topic = here.current(here.block.scene, 0, 0, 0.0)[0]
    bodies = [
        b"{",
        b'{"values": {"\xff": 1}}',
        b"[]",
        b'{"at": NaN}',
        b'{"values": {"current": 1e999}}',
        b'"text"',
        b"null",
    ]
    return [(topic, body, 1, False) for body in bodies * 15] + [("gengfu", b"?", 1, False)]


def refusals(here: Site) -> dict[str, int]:
    """Refused messages by reason."""
    return dict(here.service.rows("SELECT reason, count FROM dead_letter_count"))


def elsewhere(here: Site) -> str:
    """A dwelling on another stair than the scene's: two fires on one stair would confirm each other."""
    stair = next(d.stair for d in here.block.dwellings if d.code == here.block.scene)
    return next(d.code for d in here.block.dwellings if d.stair != stair)


def test_every_point_once_every_alarm_once_every_person_as_the_table_says(tmp_path: Path) -> None:
    with site(tmp_path, devices=48) as here:
        now_ms = int(time.time() * 1000)
        quiet = [d.code for d in here.block.dwellings if d.code != here.block.scene]
        other = elsewhere(here)
        ordinary = ordinary_reports(here, now_ms)
        sent_again = [m for m in ordinary if m[0].startswith("gengfu/")][:300]
        late = [here.current(home, now_ms - 600_000, 999_000, 2.0) for home in quiet]
        burning = [here.smoke(here.block.scene), here.smoke(other, retain=True)]
        rest = overload(here, now_ms) + sent_again + late + malformed(here) + burning * 3
        total = here.publish(ordinary) + here.publish(rest)

        eventually(lambda: here.ingested() >= total, f"{total} messages are ingested")
        points = POINTS * (len(quiet) * ROUNDS + 71 + len(late))
        slots = [slot for (slot,) in here.service.rows("SELECT slot FROM series WHERE uid LIKE 'own:%'")]
        eventually(lambda: here.service.count_points(slots) >= points, "all points are stored")
        assert here.service.count_points(slots) == points, "each point once"
        nudges = {int(at) % 1000 for slot in slots for at in here.service.points(slot).ts_ns}
        assert len(nudges) == 1, "none nudged"

        scene, second = uid_of(here.detector(here.block.scene)), uid_of(here.detector(other))
        overloaded = uid_of(here.monitor(here.block.scene))
        assert sorted(here.transitions()) == sorted(
            [
                ("S1", "raised", scene),
                ("S1", "raised", second),
                ("O3", "raised", overloaded),
                ("X1", "raised", scene),
            ]
        )
        assert {
            str(m) for (m,) in here.service.rows("SELECT marks FROM transition WHERE uid = ?", second)
        } == {""}
        _people_were_told(here, here.block.scene, brigade=True)
        _people_were_told(here, other, brigade=False)
        refused = len(malformed(here))
        eventually(lambda: sum(refusals(here).values()) >= refused, f"{refused} refusals are counted")
        assert refusals(here) == {"not_json": 30, "not_utf8": 15, "wrong_type": 60, "unknown_topic": 1}


def _people_were_told(here: Site, dwelling: str, *, brigade: bool) -> None:
    """Everybody of the table, nobody else at once, nobody twice."""
    eventually(lambda: here.incident_of(dwelling) is not None, f"{dwelling} has its incident")
    incident = here.incident_of(dwelling) or 0
    expected = here.expected_at_once(dwelling)
    if brigade:
        expected |= {b.contact for b in here.block.bindings if b.role is Role.FIRE_BRIGADE}
    eventually(lambda: expected <= here.told(incident).keys(), f"{expected} are told of {dwelling}")
    at_once = {
        phone: counts for phone, counts in here.told(incident).items() if any("at_once" in k for k in counts)
    }
    assert at_once.keys() == expected
    assert {n for counts in at_once.values() for n in counts.values()} == {1}
