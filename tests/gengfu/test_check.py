"""`gengfu check` says of each thing whether it is well, and else what to do."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, text

from devices.database import writing
from devices.model import AreaLevel, PlaceKind, Role
from devices.registry.bindings import bind
from devices.registry.contacts import add_channel, add_contact
from devices.registry.installed import register_device
from devices.registry.tree import add_area, add_building, add_dwelling, add_stair
from devices.registry.users import HashedPassword, add_user
from devices.vault import Vault, create_key
from gengfu.check import database_server, findings
from gengfu.config import AnswersListener, Broker, Config
from gengfu.ports import free_port
from ingest.probes.finding import Finding
from tests.databases import POSTGRESQL, SQLITE
from tests.gengfu.program import broken_mosquitto, gengfu, objects
from tests.ingest.mosquitto import Mosquitto

REACHED = AnswersListener(public_url="https://gengfu.example")


def found(config: Config) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings(config)}


@pytest.fixture
def engine_name() -> str:
    """What is said of a service does not depend on the engine; what does names it."""
    return SQLITE


@pytest.fixture
def unreached(config: Config) -> Config:
    """With a broker that answers nobody, so that the rest is looked at quickly."""
    broker = Broker(host="127.0.0.1", port=free_port())
    return msgspec.structs.replace(config, broker=broker, answers=REACHED)


def add_desk(engine: Engine, vault: Vault) -> None:
    with writing(engine) as connection:
        add_area(
            connection,
            level=AreaLevel.COMMUNITY,
            code="c1",
            name="示范社区",
            parent_code=None,
            by="t",
            now_us=1,
        )
        unused = HashedPassword("nobody logs in with it")
        add_user(
            connection, login="night", password=unused, role="operator", everywhere=True, by="t", now_us=1
        )
        add_contact(connection, vault, code="duty-1", name="值班室", by="t", now_us=1)
        add_channel(
            connection,
            vault,
            contact_code="duty-1",
            medium="push",
            carrier="webhook",
            address="https://desk.example/hook",
            rank=1,
            by="t",
            now_us=1,
        )
        bind(
            connection,
            contact_code="duty-1",
            role=Role.DUTY_DESK,
            place_kind=PlaceKind.AREA,
            place_code="c1",
            rank=1,
            by="t",
            now_us=1,
        )


def add_bare_dwelling(engine: Engine, vault: Vault) -> None:
    """A device in another community, where nobody is bound to anything."""
    with writing(engine) as connection:
        add_area(connection, level="community", code="c2", name="别处", parent_code=None, by="t", now_us=1)
        add_building(connection, code="b", name="1号楼", area_code="c2", floors=6, by="t", now_us=1)
        add_stair(connection, code="s", name="1单元", building_code="b", by="t", now_us=1)
        add_dwelling(
            connection, vault, code="d", stair_code="s", floor=1, flat="101", attention="", by="t", now_us=1
        )
        register_device(
            connection, uid="own:x", kind="smoke", profile="own", dwelling_code="d", by="t", now_us=1
        )


def test_an_empty_folder_lacks_key_and_tables_and_is_told_what_makes_them(unreached: Config) -> None:
    shown = found(unreached)
    assert {name for name, finding in shown.items() if finding.ok is False} == {"key", "database", "broker"}
    assert "gengfu up" in shown["key"].text
    assert "gengfu up" in shown["database"].text
    assert not unreached.key_path.exists()


def test_a_service_with_a_duty_desk_and_our_broker_is_well(
    engine: Engine, vault: Vault, config: Config, tmp_path: Path
) -> None:
    add_desk(engine, vault)
    with Mosquitto(tmp_path) as broker:
        reached = msgspec.structs.replace(
            config, broker=Broker(host="127.0.0.1", port=broker.port, anonymous=True), answers=REACHED
        )
        shown = found(reached)
    assert {name: finding.text for name, finding in shown.items() if finding.ok is False} == {}
    assert {"key", "duty desk", "reachability", "clock", "broker qos 0", "one-tap links"} <= shown.keys()


def test_without_a_broker_configured_a_private_one_is_tried_and_ended(engine: Engine, config: Config) -> None:
    shown = found(config)
    assert all(finding.ok for name, finding in shown.items() if name.startswith("broker"))
    assert {"broker queue", "broker credentials", "broker ingest user", "broker persistence"} <= shown.keys()
    assert all(finding.ok is not None for finding in shown.values())


def test_devices_that_nobody_may_publish_for_are_said(
    engine: Engine, vault: Vault, unreached: Config, tmp_path: Path
) -> None:
    broker = msgspec.structs.replace(unreached.broker, access_dir=str(tmp_path))
    ours = msgspec.structs.replace(unreached, broker=broker)
    add_desk(engine, vault)
    assert found(ours)["publishers"].ok
    add_bare_dwelling(engine, vault)
    assert not found(ours)["publishers"].ok
    assert "publishers" not in found(unreached)  # there the site lets in whom it wants


def test_no_duty_desk_and_a_dwelling_with_nobody_are_said_before_the_fire(
    engine: Engine, vault: Vault, unreached: Config
) -> None:
    shown = found(unreached)
    assert not shown["duty desk"].ok
    assert "contact bind" in shown["duty desk"].text
    assert shown["reachability"].ok
    add_desk(engine, vault)
    add_bare_dwelling(engine, vault)
    shown = found(unreached)
    assert shown["duty desk"].ok
    assert not shown["reachability"].ok
    assert shown["reachability"].text.startswith("1 place with a device has nobody to tell at once: d;")


def test_links_that_no_phone_can_open_are_said(unreached: Config) -> None:
    shown = found(msgspec.structs.replace(unreached, answers=AnswersListener()))
    assert not shown["one-tap links"].ok
    assert "answers.public_url" in shown["one-tap links"].text


def test_a_key_of_another_service_is_said(engine: Engine, vault: Vault, unreached: Config) -> None:
    add_desk(engine, vault)
    unreached.key_path.unlink()
    create_key(unreached.key_path)
    assert "does not open" in found(unreached)["key"].text


def test_a_folder_that_cannot_be_made_is_said(unreached: Config, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    shown = found(msgspec.structs.replace(unreached, data=str(tmp_path / "file" / "data")))
    assert not shown["data folder"].ok
    assert "cannot be written: Not a directory" in shown["data folder"].text
    assert not shown["database"].ok


def test_a_database_of_a_later_release_and_one_that_is_none_are_said(
    engine: Engine, unreached: Config
) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "9999" in found(unreached)["database"].text
    engine.dispose()
    other = unreached.data_dir / "other.db"
    other.write_bytes(b"this is no database at all" * 100)
    shown = found(msgspec.structs.replace(unreached, database=f"sqlite:///{other}"))
    assert "not a database" in shown["database"].text


def test_a_password_file_that_is_missing_is_said(unreached: Config, tmp_path: Path) -> None:
    broker = msgspec.structs.replace(unreached.broker, password_file=str(tmp_path / "none"))
    shown = found(msgspec.structs.replace(unreached, broker=broker))
    assert "none cannot be read" in shown["broker"].text


def test_the_command_prints_json_lines_and_ends_with_1_when_something_is_not_well(tmp_path: Path) -> None:
    (tmp_path / "gengfu.toml").write_text(f'[broker]\nhost = "127.0.0.1"\nport = {free_port()}\n')
    done = gengfu("check", "--json", cwd=tmp_path)
    assert done.returncode == 1
    shown = objects(done.stdout)
    assert [line["name"] for line in shown][:2] == ["configuration", "data folder"]
    assert all(set(line) == {"name", "ok", "text", "broker"} for line in shown)
    plain = gengfu("check", cwd=tmp_path)
    assert plain.stdout.count("PROBLEM") == sum(line["ok"] is False for line in shown)
    assert plain.stdout.count("note   ") == sum(line["ok"] is None for line in shown) > 0


def test_the_command_ends_with_0_when_all_is_well(
    engine: Engine, vault: Vault, config: Config, tmp_path: Path
) -> None:
    add_desk(engine, vault)
    (tmp_path / "gengfu.toml").write_text('[answers]\npublic_url = "https://gengfu.example"\n')
    done = gengfu("check", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "PROBLEM" not in done.stdout


def test_a_mosquitto_that_does_not_start_is_said(tmp_path: Path) -> None:
    done = gengfu("check", "--json", cwd=tmp_path, PATH=broken_mosquitto(tmp_path))
    [broker] = [line for line in objects(done.stdout) if line["name"] == "broker"]
    assert not broker["ok"]
    assert broker["text"].endswith("does not start with our configuration: Error: out of candles")


SOUND = {
    "server_version_num": "150004",
    "server_encoding": "UTF8",
    "fsync": "on",
    "synchronous_commit": "on",
}


def test_a_sound_database_server_is_well_and_shows_its_version() -> None:
    assert database_server(SOUND) == Finding("database server", True, "PostgreSQL 15.4, UTF8")
    assert database_server(SOUND | {"synchronous_commit": "remote_apply"}).ok


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"server_version_num": "140011"}, "PostgreSQL 14.11, UTF8; at least 15 is needed"),
        ({"server_encoding": "SQL_ASCII"}, "encoding SQL_ASCII: make the database anew"),
        ({"fsync": "off"}, "fsync off: a power cut would lose acknowledged alarms"),
        ({"synchronous_commit": "off", "fsync": "off"}, "fsync and synchronous_commit off"),
    ],
)
def test_a_database_server_that_could_lose_an_alarm_is_refused(changed: dict[str, str], said: str) -> None:
    finding = database_server(SOUND | changed)
    assert not finding.ok
    assert said in finding.text


@pytest.mark.parametrize("engine_name", [POSTGRESQL])
def test_a_real_database_server_is_asked_and_its_password_is_not_shown(
    engine: Engine, on_engine: Config, unreached: Config
) -> None:
    with_password = on_engine.database.replace("gengfu@", "gengfu:hidden@")
    shown = found(msgspec.structs.replace(unreached, database=with_password))
    assert re.match(r"PostgreSQL \d+\.\d+, UTF8; fsync off", shown["database server"].text)
    assert shown["database"].ok
    assert "gengfu:***@" in shown["database"].text
    assert not any("hidden" in finding.text for finding in shown.values())


def test_a_database_server_that_is_away_is_said_without_its_password(unreached: Config) -> None:
    away = f"postgresql+psycopg://gengfu:hidden@127.0.0.1:{free_port()}/gengfu"
    finding = found(msgspec.structs.replace(unreached, database=away))["database"]
    assert not finding.ok
    assert "refused" in finding.text
    assert "hidden" not in finding.text
