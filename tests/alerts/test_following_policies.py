"""A policies file is followed while the service runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import Engine, select

from alerts.following_policies import FollowingPolicies
from alerts.meter import Tally
from alerts.plans import Policies, shipped_policies
from alerts.process import run_alerts
from alerts.schema import system_fault
from alerts.settings import Settings
from alerts.turn import TurnResult
from devices.database import open_database, reading
from tests.alerts.outboxes import PlainVault
from tests.alerts.policy_texts import policies_file, shipped_policy

GOOD = policies_file(shipped_policy("P2", ("2 h", "30 min")))
OTHER = policies_file(shipped_policy("P2", ("2 h", "45 min")))
BROKEN = GOOD.replace('"30 min"', '"soon"')


def after_s(following: FollowingPolicies) -> float:
    return following.policies.find("P2", ()).policy[1].after_s


def test_without_a_file_the_shipped_policies_hold() -> None:
    following = FollowingPolicies("")
    assert following.look(settled=True) is shipped_policies()


def test_a_change_holds_when_it_is_the_same_at_two_looks(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(GOOD)
    following = FollowingPolicies(str(file))
    following.look(settled=True)
    assert after_s(following) == 1800
    file.write_text(OTHER + "\n")
    following.look()
    assert after_s(following) == 1800
    following.look()
    assert after_s(following) == 2700


def test_a_file_that_cannot_be_used_leaves_the_shipped_policies_in_force_and_a_fault_says_so(
    database: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(BROKEN)
    engine = open_database(database)
    following = FollowingPolicies(str(file))
    assert following.look(settled=True) == shipped_policies()
    following.tell(engine, 1)
    with reading(engine) as connection:
        [fault] = connection.execute(select(system_fault)).all()
    assert (fault.code, fault.ended_us) == ("policies", None)
    assert "mine.toml, line 13: key `policy[0].step[1].after`: `soon` is not a quantity" in fault.text
    file.write_text(GOOD)
    following.look()
    following.look()
    following.tell(engine, 2)
    with reading(engine) as connection:
        [fault] = connection.execute(select(system_fault)).all()
    assert (after_s(following), fault.ended_us) == (1800, 2)
    engine.dispose()


def test_a_file_that_is_gone_unreadable_or_no_text_leaves_the_shipped_policies(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    following = FollowingPolicies(str(file))
    following.look(settled=True)
    assert following.refused.startswith("mine.toml: cannot be read: No such file")
    file.write_bytes(b"\xff\xfe")
    following.look(settled=True)
    assert following.refused == "mine.toml: cannot be read: not UTF-8 at byte 0"
    assert following.policies == shipped_policies()
    file.write_text(GOOD)
    following.look(settled=True)
    assert (following.refused, after_s(following)) == ("", 1800)
    file.unlink()
    following.look()
    following.look()
    assert following.policies == shipped_policies()


def test_the_process_reads_its_file_before_the_first_turn(database: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    for text, own, faults in ((GOOD, 1, []), (BROKEN, 0, ["policies"])):
        file.write_text(text)
        engine, used = open_database(database), list[Policies]()

        async def main(engine: Engine = engine, used: list[Policies] = used) -> None:
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()

            def turn(engine: Engine, settings: Settings, now_us: int) -> TurnResult:
                used.append(settings.policies)
                loop.call_soon_threadsafe(stop.set)
                return TurnResult([], None, False)

            settings = Settings(b"", "", policies_file=str(file))
            await run_alerts(
                engine,
                PlainVault(),
                settings,
                lambda: 1,
                stop,
                Tally(),
                channels=MappingProxyType({}),
                turn=turn,
            )

        asyncio.run(main())
        with reading(engine) as connection:
            standing = select(system_fault.c.code).where(system_fault.c.code == "policies")
            assert list(connection.scalars(standing)) == faults
        engine.dispose()
        assert len(used[0].own) == own
