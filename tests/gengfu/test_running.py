"""No key changes behind the back of a process that could not follow."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from alerts.pulse import beat
from devices import registry
from devices.database import reading, writing
from devices.keyring import ENVIRONMENT, read_keyring, replace_keys
from devices.registry import Written
from devices.vault import Vault
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.folder import lock
from gengfu.running import FRESH_US, KeysNotShared

WHO = Written(by="t", now_us=1)


@pytest.fixture
def service(engine: Engine, vault: Vault, on_engine: Config, tmp_path: Path) -> Path:
    """The configuration of a service with one contact."""
    with writing(engine) as connection:
        registry.add_contact(connection, vault, code="p1", name="示例甲", **WHO)
    path = tmp_path / "gengfu.toml"
    path.write_text(f'data = "{on_engine.data}"\ndatabase = "{on_engine.database}"\n')
    return path


Key = Callable[..., Result]


@pytest.fixture
def key(service: Path, whole_app: typer.Typer) -> Key:
    """`gengfu key WORDS` in this process, with $GENGFU_KEY as `environment`."""

    def run(*words: str, environment: str = "") -> Result:
        return CliRunner().invoke(
            whole_app, ["key", *words, "--config", str(service)], env={ENVIRONMENT: environment}
        )

    return run


def two_keys(config: Config) -> str:
    """The text of the file with another key in front; the file is gone."""
    text = read_keyring(config.key_path, {}).with_new(1).text()
    config.key_path.unlink()
    return text


def refusal(done: Result) -> str:
    assert isinstance(done.exception, KeysNotShared), done.output
    return str(done.exception)


def opens(engine: Engine, vault: Vault) -> bool:
    with reading(engine) as connection:
        return registry.list_contacts(connection, vault)[0].unopened == ()


@pytest.mark.parametrize("name", ["service", "alerts", "ingest"])
def test_with_keys_from_the_environment_nothing_rotates_while_a_process_runs(
    key: Key, config: Config, engine: Engine, vault: Vault, name: str
) -> None:
    text = two_keys(config)
    held = lock(config.data_dir, name)
    for words in (["rotate"], ["prune", "--now"]):
        said = refusal(key(*words, environment=text))
        assert f"{name} runs" in said
        assert "Stop the service" in said
        assert "--running-service-has-it" in said
    assert opens(engine, vault)  # what runs has the old key alone
    assert key("rotate", "--running-service-has-it", environment=text).exit_code == 0
    held.close()
    assert key("rotate", environment=text).exit_code == 0
    assert not opens(engine, vault)


def test_a_service_with_keys_from_the_environment_keeps_the_file_from_changing(
    key: Key, config: Config
) -> None:
    """The service was started with $GENGFU_KEY, and the operator's shell has none."""
    before = config.key_path.read_text()
    program = (
        "import sys, time; from pathlib import Path; from gengfu.folder import lock; "
        "held = lock(Path(sys.argv[1]), 'service'); print('held', flush=True); time.sleep(60)"
    )
    service = subprocess.Popen(
        [sys.executable, "-c", program, str(config.data_dir)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, ENVIRONMENT: before},
    )
    assert service.stdout
    with service.stdout:
        assert service.stdout.readline() == "held\n"
        said = refusal(key("rotate"))
        service.kill()
        service.wait()
    assert "keys from $GENGFU_KEY, and you use the key file" in said
    assert config.key_path.read_text() == before
    assert key("rotate").exit_code == 0
    assert config.key_path.read_text() != before


def test_a_service_that_reads_the_file_does_not(key: Key, config: Config) -> None:
    held = [lock(config.data_dir, name) for name in ("service", "alerts", "console")]
    assert key("rotate").exit_code == 0
    for one in held:
        one.close()


@pytest.mark.parametrize("from_environment", [True, False])
def test_a_fresh_pulse_from_elsewhere_is_a_process_that_may_not_follow(
    key: Key, config: Config, engine: Engine, from_environment: bool
) -> None:
    text = two_keys(config) if from_environment else ""
    with writing(engine) as connection:
        beat(connection, "alerts", now_us(), "")
    assert "alerts runs elsewhere" in refusal(key("rotate", environment=text))
    with writing(engine) as connection:
        beat(connection, "alerts", now_us() - FRESH_US - 1, "")
    assert key("rotate", environment=text).exit_code == 0


def test_a_rotation_that_only_finishes_another_says_that_no_new_key_was_made(
    key: Key, config: Config, engine: Engine
) -> None:
    replace_keys(config.key_path, read_keyring(config.key_path, {}).with_new(1))
    finished = key("rotate")
    assert "no new key was made: run it again to change the key" in finished.stderr
    assert "no new key was made" not in key("rotate").stderr
    assert read_keyring(config.key_path, {}).numbers == (3, 2, 1)
