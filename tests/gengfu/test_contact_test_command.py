"""`gengfu contact test` and `gengfu reachability`, with the real alerts process and providers of our own."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from sqlalchemy import Engine, select
from typer.testing import CliRunner, Result

from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.memo_schema import memo
from alerts.meter import Tally
from alerts.process import run_alerts
from alerts.pulse import beat, silence
from alerts.settings import Settings
from devices.database import open_database, reading, writing
from devices.model import Carrier
from devices.registry.bindings import bind
from devices.registry.contacts import add_channel, add_contact
from devices.registry.installed import register_device
from devices.registry.tree import add_area, add_building, add_dwelling, add_stair
from devices.vault import Vault
from gengfu.check_reach import reach_findings
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.config_file import ConfigError, parse_config
from gengfu.key import settle_key
from tests.databases import MIGRATED, sqlite_like

Run = Callable[..., Result]
BY: dict[str, Any] = {"by": "test", "now_us": 1}


class Provider:
    """Takes everything, or refuses it for good."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.took: list[Message] = []

    async def send(self, message: Message) -> Outcome:
        self.took.append(message)
        return Failed(self.refusal, permanent=True) if self.refusal else Accepted()

    async def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service of one flat with a detector, made once."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "data").mkdir()
    engine = open_database(sqlite_like(MIGRATED, folder / "data"))
    (folder / "site.toml").write_text('data = "data"\n')
    vault = settle_key(engine, folder / "data" / "secret.key", print)
    with writing(engine) as connection:
        add_area(connection, level="grid", code="g1", name="g1", parent_code=None, **BY)
        add_building(connection, area_code="g1", code="b1", name="b1", floors=6, **BY)
        add_stair(connection, building_code="b1", code="b1-1", name="1", **BY)
        add_dwelling(connection, vault, code="b1-101", stair_code="b1-1", floor=1, flat="101", **BY)
        register_device(connection, uid="own:d1", kind="smoke", profile="own", dwelling_code="b1-101", **BY)
        for code, role, carrier, address in (
            ("worker", "grid_worker", "webhook", "http://desk.example/a"),
            ("station", "micro_station", "webhook", "http://station.example/b"),
            ("family", "family", "feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/x"),
        ):
            add_contact(connection, vault, code=code, name=code, language="zh-CN", **BY)
            add_channel(
                connection, vault, contact_code=code, medium="push", carrier=carrier, address=address, **BY
            )
            kind, place = ("dwelling", "b1-101") if role == "family" else ("building", "b1")
            bind(connection, contact_code=code, role=role, place_kind=kind, place_code=place, **BY)
    engine.dispose()
    return folder


@pytest.fixture
def run(whole_app: typer.Typer, built: Path, tmp_path: Path) -> Run:
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(whole_app, ["--config", str(tmp_path / "site.toml"), *words])

    return invoke


@pytest.fixture
def engine(run: Run, tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'data' / 'gengfu.db'}")
    yield engine
    engine.dispose()


@contextmanager
def alerts(engine: Engine, folder: Path, channels: dict[Carrier, Provider]) -> Iterator[None]:
    """The process, on a thread, with a pulse."""
    ended, loops = threading.Event(), list[tuple[asyncio.AbstractEventLoop, asyncio.Event]]()
    begun = threading.Event()

    async def main() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        begun.set()
        vault = Vault.open(folder / "data" / "secret.key")
        settings = Settings(b"k", "")
        await run_alerts(engine, vault, settings, now_us, stop, Tally(), channels=channels)

    def on_thread() -> None:
        asyncio.run(main())
        ended.set()

    with writing(engine) as connection:
        beat(connection, "alerts", now_us(), "")
    thread = threading.Thread(target=on_thread)
    thread.start()
    try:
        yield
    finally:
        begun.wait(10)
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        with writing(engine) as connection:
            silence(connection, "alerts")
    assert ended.is_set()


def objects(result: Result) -> list[dict[str, Any]]:
    """What the command said; the service, which runs in this process here, may log between."""
    return [msgspec.json.decode(line) for line in result.stdout.splitlines() if line.startswith("{")]


def test_a_test_is_sent_by_the_service_and_what_became_of_it_is_said(
    run: Run, engine: Engine, tmp_path: Path
) -> None:
    desk, robot = Provider(), Provider("no such robot")
    with alerts(engine, tmp_path, {Carrier.WEBHOOK: desk, Carrier.FEISHU: robot}):
        result = run("contact", "test", "--place", "b1-101", "--wait", "20", "--json")
        assert result.exit_code == 1
        found = {one["contact"]: one for one in objects(result)}
        assert (found["worker"]["outcome"], found["worker"]["good"]) == ("accepted", True)
        assert (found["family"]["outcome"], found["family"]["detail"]) == ("refused", "no such robot")
        assert found["station"]["form"] == "left_out"
        assert "no test reaches one" in found["station"]["why"]
        result = run("contact", "test", "worker", "--wait", "20")
        assert result.exit_code == 0, result.output
        assert "webhook  accepted" in result.stdout
        assert "1 of 1 ways" in result.stdout
        result = run("contact", "test", "station")
        assert result.exit_code == 1
        assert "nothing was sent" in result.stderr
    assert [one.address for one in desk.took] == ["http://desk.example/a"] * 2
    assert all(one.text.startswith("【测试】") and not one.urgent for one in desk.took)
    assert all(one.parts["test"] == "yes" and "P" not in one.parts.get("severity", "") for one in desk.took)

    result = run("contact", "test", "worker")
    assert result.exit_code == 1
    assert "alerts process is not running" in result.stderr
    with reading(engine) as connection:
        assert len(connection.execute(select(memo)).all()) == 3
    assert run("contact", "test", "nobody").exit_code == 1
    assert run("contact", "test").exit_code == 2

    report = objects(run("reachability", "--json"))
    assert report[0]["places"] == {"unproven": 1}, "the station is staffed, and nobody may test it"
    by_code = {one["code"]: one for one in report if "code" in one}
    assert (by_code["family"]["reach"], by_code["family"]["why"]) == ("bounced", "refused")
    assert "no such robot" in by_code["family"]["text"]
    assert by_code["worker"]["reach"] == "awake_only"  # it got through, and wakes nobody
    text = run("reachability", "--place", "b1").stdout
    assert "contact family (family): bounced: channel 3 (push by feishu) was refused on" in text
    assert "dwelling b1-101 (smoke detector)" in text and "no duty_desk" in text
    assert run("reachability", "--place", "b9").exit_code == 1


def test_check_names_ways_that_fail_and_tests_that_are_off(run: Run, engine: Engine, tmp_path: Path) -> None:
    config = Config(data=str(tmp_path / "data"))

    def said(config: Config) -> dict[str, tuple[bool | None, str]]:
        with reading(engine) as connection:
            return {one.name: (one.ok, one.text) for one in reach_findings(connection, config, now_us())}

    assert said(config).keys() == {"monthly tests"}
    with alerts(engine, tmp_path, {Carrier.WEBHOOK: Provider("gone"), Carrier.FEISHU: Provider("gone")}):
        run("contact", "test", "--place", "g1", "--wait", "20")
    off = msgspec.structs.replace(config.reachability, monthly_tests=False, daily_report=False)
    found = said(msgspec.structs.replace(config, reachability=off))
    assert found["failing ways"] == (
        False,
        "every way to 2 of the contacts who are bound fails: family, worker; correct them, "
        "`gengfu reachability` says why",
    )
    assert "deserted dwellings" not in found, "the micro station is told"
    assert found["monthly tests"][0] is None
    assert found["daily report"][0] is None


def test_hours_of_tests_lie_in_one_day(tmp_path: Path) -> None:
    assert parse_config('[reachability]\ntest_hours = "09:00-12:00"', "f").reachability.test_hours
    for wrong in ("12:00-09:00", "09:00-09:00", "22:00-23:00", "03:00-09:00"):
        with pytest.raises(ConfigError, match="test_hours"):
            parse_config(f'[reachability]\ntest_hours = "{wrong}"', "f")
