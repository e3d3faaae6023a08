"""A texts file is followed while the service runs, and one that is wrong silences nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import Engine, select

from alerts.channels.channel import Channel
from alerts.following_texts import FollowingTexts
from alerts.meter import Tally
from alerts.process import run_alerts
from alerts.schema import system_fault
from alerts.settings import Settings
from alerts.texts import compose
from alerts.turn import TurnResult
from devices.database import open_database, reading
from devices.model import Carrier
from tests.alerts.outboxes import PlainVault
from tests.alerts.test_texts import FIRE

GOOD = """version = 1
[[text]]
name = "what.P0"
en = "FIRE, FIRE"
[[text]]
name = "todo.P0.family"
en = "Go."
"""
HALF = GOOD.replace('"Go."', '"{who}"')


def test_a_change_holds_when_it_is_the_same_at_two_looks_and_a_fault_costs_one_text(
    database: str, tmp_path: Path
) -> None:
    engine = open_database(database)
    file = tmp_path / "mine.toml"
    following = FollowingTexts(str(file))

    def said(looks: int, *, settled: bool = False) -> str:
        for _ in range(looks):
            following.look(settled=settled)
        return compose(FIRE, "en", following.texts).partition(":")[0]

    def fault() -> tuple[str, int | None]:
        following.tell(engine, 7)
        with reading(engine) as connection:
            [row] = connection.execute(select(system_fault).where(system_fault.c.code == "texts")).all()
        return row.text, row.ended_us

    assert said(1, settled=True) == "FIRE ALARM"  # no such file
    assert "mine.toml: cannot be read: No such file" in fault()[0]
    file.write_text(GOOD)
    assert (said(1), said(1)) == ("FIRE ALARM", "FIRE, FIRE")
    assert fault()[1] == 7
    file.write_text(HALF)
    assert said(2) == "FIRE, FIRE"
    assert compose(FIRE, "en", following.texts).endswith("Check at once and answer.")
    assert "mine.toml, line 7: key `text[1].en`: has the place {who}, which is unknown here" in fault()[0]
    file.write_bytes(b"\xff")
    assert said(2) == "FIRE ALARM"
    file.write_text("version = 1\n" + '[[text]]\nname = "no"\n' * 5)
    assert said(2) == "FIRE ALARM"
    assert fault()[0].endswith("and 3 more")
    engine.dispose()


def test_the_process_reads_its_file_before_the_first_turn_and_without_one_no_fault_stands(
    database: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(HALF)
    for path, head, ended_us in ((str(file), "FIRE, FIRE", None), ("", "FIRE ALARM", 1)):
        engine, said = open_database(database), list[str]()

        async def main(path: str = path, engine: Engine = engine, said: list[str] = said) -> None:
            stop, loop = asyncio.Event(), asyncio.get_running_loop()

            def turn(engine: Engine, settings: Settings, now_us: int) -> TurnResult:
                said.append(compose(FIRE, "en", settings.texts))
                loop.call_soon_threadsafe(stop.set)
                return TurnResult([], None, False)

            settings = Settings(b"", "", texts_file=path)
            channels: dict[Carrier, Channel] = {}
            await run_alerts(
                engine, PlainVault(), settings, lambda: 1, stop, Tally(), channels=channels, turn=turn
            )

        asyncio.run(main())
        with reading(engine) as connection:
            [fault] = connection.execute(select(system_fault).where(system_fault.c.code == "texts")).all()
        engine.dispose()
        assert said[0].startswith(head)
        assert fault.ended_us == ended_us
