"""One file, checked whole: whatever is wrong is said with file, key and what is allowed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from gengfu.config import Config, Listener
from gengfu.config_file import ConfigError, load_config, parse_config


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "site.toml")
    said = str(caught.value)
    assert said.startswith("site.toml: ")
    return said


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("colour = 1", "`colour`", "data, database, key_file, site, broker"),
        ("[site]\ncolour = 1", "`site.colour`", "name, timezone, language"),
        ("[console]\ncolour = 1", "`console.colour`", "host, port, public_url"),
        ('[broker]\nport = "1883"', "`broker.port`", "`int`"),
        ("[broker]\nport = 65536", "`broker.port`", "<= 65535"),
        ("[broker]\nport = -1", "`broker.port`", ">= 0"),
        ("[broker]\nsession_expiry_h = 1", "`broker.session_expiry_h`", ">= 24"),
        ("[ingest]\ntick_ms = 2.5", "`ingest.tick_ms`", "`int`"),
        ("[alerts]\nclock_ratio = 0.5", "`alerts.clock_ratio`", ">= 1"),
        ("[store]\nkeep_days = 0", "`store.keep_days`", "> 0"),
        ("[store]\nkeep_days = nan", "`store.keep_days`", "> 0"),
        ("[store]\nkeep_days = inf", "`store.keep_days`", "<= 36500"),
        ('[site]\nlanguage = "fr"', "`site.language`", "zh-CN|en"),
        ('[store]\nkind = "influx"', "`store.kind`", "embedded"),
        ('[answers]\npublic_url = "our.example"', "`answers.public_url`", "https?://"),
        ("site = 5", "`site`", "a table"),
        ('data = ""', "`data`", "length >= 1"),
        ('[console]\nhost = ""', "`console.host`", "length >= 1"),
        ('database = "postgresql://x"', "`database`", "write postgresql+psycopg:// in place of"),
        ('database = "postgres://x"', "`database`", "write postgresql+psycopg:// in place of"),
        ('database = "mysql://x"', "`database`", "postgresql+psycopg://USER[:PASSWORD]@HOST[:PORT]/NAME"),
        ('database = "postgresql+psycopg://u@h"', "`database`", "user, host or name is missing"),
        ('database = "postgresql+psycopg://h/n"', "`database`", "user, host or name is missing"),
        ('database = "postgresql+psycopg://u@/n"', "`database`", "user, host or name is missing"),
        ('database = "postgresql+psycopg://u@h:port/n"', "`database`", "[:PORT]"),
        ('database = "postgresql+psycopg://u@h/n?options=x"', "`database`", "sslmode"),
        ('database = "sqlite:///"', "`database`", "sqlite:///PATH"),
        ('database = "sqlite:///:memory:"', "`database`", "sqlite:///PATH"),
        ('database = "sqlite:///x?mode=memory"', "`database`", "sqlite:///PATH"),
    ],
)
def test_a_wrong_key_is_named_with_what_is_allowed(text: str, key: str, allowed: str) -> None:
    said = refusal(text)
    assert key in said
    assert allowed in said


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Asia", "../../etc/passwd", "/etc/localtime"])
def test_a_time_zone_nobody_knows_is_named_with_an_example(zone: str) -> None:
    said = refusal(f'[site]\ntimezone = "{zone}"')
    assert "`site.timezone`" in said
    assert repr(zone) in said
    assert "Asia/Shanghai" in said


def test_what_is_not_toml_is_said_with_its_line() -> None:
    assert "not TOML" in refusal("data =")
    assert "line 2" in refusal("[site]\nname name")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigError, match=str(path)):
            load_config(path)


def test_a_file_that_is_not_utf_8_is_named_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "gengfu.toml"
    path.write_bytes('[site]\nname = "社区"'.encode("gb18030"))
    with pytest.raises(ConfigError, match=r"gengfu\.toml: cannot be read: not UTF-8 at byte 15"):
        load_config(path)


def test_paths_are_taken_from_the_folder_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "gengfu.toml"
    path.write_text(
        'data = "night"\ndatabase = "sqlite:///registry/g.db"\nkey_file = "../keys/site.key"\n'
        '[broker]\nhost = "broker.example"\npassword_file = "broker.pass"\n'
    )
    config = load_config(path)
    assert config.data_dir == tmp_path / "night"
    assert config.database_url == f"sqlite:///{tmp_path}/registry/g.db"
    assert config.key_path == tmp_path.parent / "keys" / "site.key"
    assert config.broker.password_file == str(tmp_path / "broker.pass")


def test_absolute_paths_stay(tmp_path: Path) -> None:
    path = tmp_path / "gengfu.toml"
    path.write_text('data = "/srv/gengfu"\ndatabase = "sqlite:////srv/db/g.db"\n')
    config = load_config(path)
    assert config.data_dir == Path("/srv/gengfu")
    assert config.database_url == "sqlite:////srv/db/g.db"


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    path = tmp_path / "gengfu.toml"
    path.write_text("")
    config = load_config(path)
    there = msgspec.structs.replace(config.ingest, profiles_dir="profiles")
    assert config.ingest.profiles_dir == str(tmp_path / "profiles")
    assert msgspec.structs.replace(config, data="data", ingest=there) == Config()
    assert config.database_url == f"sqlite:///{tmp_path}/data/gengfu.db"
    assert config.key_path == tmp_path / "data" / "secret.key"


def test_a_page_of_which_only_the_address_is_set_keeps_its_port() -> None:
    config = parse_config(
        '[console]\nhost = "::1"\n[answers]\npublic_url = "https://our.example"', "site.toml"
    )
    assert (config.console.port, config.answers.port) == (8300, 8310)


def test_a_settled_configuration_comes_back_as_it_was(tmp_path: Path) -> None:
    settled = tmp_path / "settled.json"
    source = tmp_path / "gengfu.toml"
    source.write_text('data = "d"\n[site]\nname = "一号"\n[alerts]\nclock_ratio = 6\n[console]\nport = 1')
    config = load_config(source)
    settled.write_bytes(msgspec.json.encode(config))
    assert load_config(settled) == config
    assert isinstance(load_config(settled).console, Listener)


def test_a_settled_configuration_that_is_damaged_is_named(tmp_path: Path) -> None:
    settled = tmp_path / "settled.json"
    settled.write_text('{"data": "d"')
    with pytest.raises(ConfigError, match=r"settled\.json"):
        load_config(settled)


def used_configuration(cwd: Path, **environment: str) -> str:
    program = "from gengfu.config_file import load_config; print(load_config(None).site.name)"
    clean = {key: value for key, value in os.environ.items() if key != "GENGFU_CONFIG"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=cwd,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_the_environment_goes_before_the_file_here_and_that_before_defaults(tmp_path: Path) -> None:
    assert used_configuration(tmp_path) == "Gengfu"
    (tmp_path / "gengfu.toml").write_text('[site]\nname = "here"')
    assert used_configuration(tmp_path) == "here"
    (tmp_path / "other.toml").write_text('[site]\nname = "other"')
    assert used_configuration(tmp_path, GENGFU_CONFIG=str(tmp_path / "other.toml")) == "other"
    assert used_configuration(tmp_path, GENGFU_CONFIG="") == "here"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://gengfu@db.example/gengfu",
        "postgresql+psycopg://gengfu:p%40ss@db.example:5433/gengfu?sslmode=verify-full",
        "postgresql+psycopg://gengfu@/gengfu?host=/var/run/postgresql",
    ],
)
def test_a_postgresql_url_is_taken_as_it_is(tmp_path: Path, url: str) -> None:
    path = tmp_path / "gengfu.toml"
    path.write_text(f'database = "{url}"\n')
    assert load_config(path).database_url == url


@pytest.mark.parametrize(
    "url", ["postgresql://u:hidden@h/n", "postgresql+psycopg://u:hidden@h", "x://u:hidden@h/n"]
)
def test_a_refused_url_is_not_quoted_for_it_may_hold_a_password(url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(f'database = "{url}"', "gengfu.toml")
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize(
    ("broker", "reason"),
    [
        ('anonymous = true\nlisten = "0.0.0.0"', "only with broker.listen on loopback"),
        ('tls = "files"', "needs broker.certificate"),
        ('tls = "perhaps"', "`broker.tls`"),
        ('host = "b.example"\ntls = "private"', "of the private broker only"),
        ('access_dir = "x"', "of your own broker only"),
        ('username = "hub"', "of your own broker only"),
        ('password_file = "pass"', "of your own broker only"),
        ('host = "b.example"\nreload_command = ["x"]', "needs broker.access_dir"),
        ('client_id = "a:b"', "`broker.client_id`"),
    ],
)
def test_settings_of_the_broker_that_do_not_go_together_are_refused(broker: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        parse_config(f"[broker]\n{broker}\n", "x")


def test_nobody_publishes_without_a_credential_unless_it_is_said() -> None:
    assert not parse_config("", "x").broker.anonymous
    assert parse_config("[broker]\nanonymous = true", "x").broker.anonymous


@pytest.mark.parametrize("program", ["", "mosquitto-2.1", "/opt/bin/mosquitto"])
def test_the_broker_program_is_a_name_or_an_absolute_path(program: str) -> None:
    assert parse_config(f'[broker]\nprogram = "{program}"\n', "x").broker.program == program


def test_a_relative_path_of_the_broker_program_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"broker\.program"):
        parse_config('[broker]\nprogram = "bin/mosquitto"\n', "x")


@pytest.mark.parametrize("size", [1, 8, 15])
def test_a_reserve_whose_slots_are_shorter_than_a_tick_is_refused(size: int) -> None:
    with pytest.raises(ConfigError, match=r"ingest\.reserve_mb.*0 for none, or 16 and more"):
        parse_config(f"[ingest]\nreserve_mb = {size}\n", "gengfu.toml")


@pytest.mark.parametrize("size", [0, 16])
def test_no_reserve_and_the_least_are_allowed(size: int) -> None:
    assert parse_config(f"[ingest]\nreserve_mb = {size}\n", "gengfu.toml").ingest.reserve_mb == size
