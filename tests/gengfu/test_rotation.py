"""Keys change while the service runs; nothing is lost at any moment, and an old key goes only when it may."""

from __future__ import annotations

import base64
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import Engine, insert, select, update
from typer.testing import CliRunner, Result

from alerts.addresses import AddressBook, Destination
from devices import registry
from devices.database import open_database, reading, writing
from devices.keyring import ENVIRONMENT, KEY_BYTES, create_key, new_keyring, read_keyring, replace_keys
from devices.model import Carrier
from devices.registry import Written
from devices.resealing import rows_by_key
from devices.schema import contact, contact_channel, registry_change
from devices.secrets import secret_of
from devices.vault import CONTACT_NAME, Vault
from gengfu.config import Config
from gengfu.folder import FolderTaken, lock
from gengfu.key import KeyLost
from gengfu.rotation import YOUNG_US, KeyInUse, KeysDiffer, prune, rotate
from tests.devices.test_resealing import address, people_of
from tests.gengfu.program import PATIENCE_S, gengfu, objects

NOW_US = 1_763_755_200_000_000
WHO = Written(by="t", now_us=NOW_US)
PEOPLE = 700
"""More than two transactions of a rotation."""


def no_rest() -> None:
    """In a test nobody waits for the lock."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_key(tmp_path / "secret.key", NOW_US)
    return tmp_path / "secret.key"


@pytest.fixture
def both(database: str) -> Iterator[Engine]:
    """A database on each engine."""
    engine = open_database(database)
    yield engine
    engine.dispose()


def fill(engine: Engine, vault: Vault, people: int) -> None:
    contacts, ways = people_of(vault, people)
    with writing(engine) as connection:
        connection.execute(insert(contact), contacts)
        connection.execute(insert(contact_channel), ways)


def assert_all_opens(engine: Engine, vault: Vault, people: int) -> None:
    with writing(engine) as connection:
        rows = registry.reveal_contacts(connection, vault, **WHO)
        assert {row.code: (row.name, row.channels[0].address) for row in rows} == {
            f"p{n}": (f"示例{n}", address(n)) for n in range(people)
        }
        for n in (0, people // 2, people - 1):
            assert registry.find_by_address(connection, vault, address(n)) == (f"p{n}",)


def test_a_rotation_seals_everything_anew_and_keeps_the_old_key_until_it_is_pruned(
    both: Engine, path: Path
) -> None:
    fill(both, Vault.open(path, {}), 5)
    done = rotate(both, path, by="t", now_us=NOW_US, rest=no_rest)
    assert (done.key, done.added) == (2, True)
    assert done.resealed.rows["contact.name_sealed"] == 5
    assert read_keyring(path, {}).numbers == (2, 1)
    assert rows_by_key(both) == {2: 10}
    later = NOW_US + YOUNG_US
    assert prune(both, path, by="t", now_us=later, rest=no_rest).removed == (1,)
    assert read_keyring(path, {}).numbers == (2,)
    assert_all_opens(both, Vault.open(path, {}), 5)
    with reading(both) as connection:
        said = connection.execute(select(registry_change.c.what)).scalars().all()
    assert {"key rotate 2", "key prune, 2 stays"} <= set(said)


def test_running_senders_and_look_ups_go_on_through_rotation_and_pruning(both: Engine, path: Path) -> None:
    running, sender = Vault.open(path, {}), Vault.open(path, {})
    book = AddressBook(sender)
    fill(both, running, 3)
    links = secret_of(both, running, "answers.link", NOW_US)
    for _ in range(3):
        rotate(both, path, by="t", now_us=NOW_US, rest=no_rest)
        prune(both, path, by="t", now_us=NOW_US, rest=no_rest, at_once=True)
        with reading(both) as connection:
            ids = (
                connection.execute(select(contact_channel.c.id).order_by(contact_channel.c.id))
                .scalars()
                .all()
            )
            assert book.look_up(connection, ids) == {
                number: Destination(Carrier.WEBHOOK, address(n)) for n, number in enumerate(ids)
            }
            assert registry.find_by_address(connection, running, address(1)) == ("p1",)
        assert secret_of(both, running, "answers.link", NOW_US) == links
    with writing(both) as connection:
        values = {
            "id": 99,
            "code": "new",
            "name_sealed": running.seal("新来", CONTACT_NAME),
            "created_us": NOW_US,
        }
        connection.execute(insert(contact).values(values))
        sealed = connection.scalar(select(contact.c.name_sealed).where(contact.c.code == "new"))
    assert bytes(sealed or b"")[0] == 4


def test_over_a_database_that_holds_nothing_no_key_goes(both: Engine, path: Path) -> None:
    """It may be the wrong database, and the right one may need the key."""
    replace_keys(path, read_keyring(path, {}).with_new(NOW_US))
    with pytest.raises(KeyInUse, match="another database"):
        prune(both, path, by="t", now_us=NOW_US, rest=no_rest, at_once=True)
    assert read_keyring(path, {}).numbers == (2, 1)


def test_a_key_younger_than_an_hour_is_not_the_only_one_yet(both: Engine, path: Path) -> None:
    fill(both, Vault.open(path, {}), 1)
    rotate(both, path, by="t", now_us=NOW_US, rest=no_rest)
    with pytest.raises(KeyInUse, match="--now"):
        prune(both, path, by="t", now_us=NOW_US + YOUNG_US - 1, rest=no_rest)
    assert read_keyring(path, {}).numbers == (2, 1)


def test_what_somebody_sealed_with_the_old_key_meanwhile_is_sealed_anew_before_it_goes(
    both: Engine, path: Path
) -> None:
    old = Vault(read_keyring(path, {}))
    rotate(both, path, by="t", now_us=NOW_US, rest=no_rest)
    fill(both, old, 2)
    done = prune(both, path, by="t", now_us=NOW_US, rest=no_rest, at_once=True)
    assert (done.removed, done.resealed.rows["contact.name_sealed"]) == ((1,), 2)
    assert_all_opens(both, Vault.open(path, {}), 2)


def test_an_old_key_stays_while_something_sealed_with_it_does_not_open(both: Engine, path: Path) -> None:
    fill(both, Vault.open(path, {}), 2)
    with writing(both) as connection:
        connection.execute(
            update(contact).where(contact.c.code == "p0").values(name_sealed=b"\x01" + bytes(40))
        )
    done = rotate(both, path, by="t", now_us=NOW_US, rest=no_rest)
    assert done.added
    [unreadable] = done.resealed.unreadable
    with pytest.raises(KeyInUse, match=unreadable):
        prune(both, path, by="t", now_us=NOW_US, rest=no_rest, at_once=True)
    assert read_keyring(path, {}).numbers == (2, 1)


def test_a_key_that_opens_nothing_rotates_nothing(both: Engine, path: Path) -> None:
    fill(both, Vault(bytes(KEY_BYTES)), 1)
    before = path.read_bytes()
    with pytest.raises(KeyLost):
        rotate(both, path, by="t", now_us=NOW_US, rest=no_rest)
    assert path.read_bytes() == before


def test_a_rotation_cut_off_between_key_and_rows_is_finished_and_adds_no_third_key(
    both: Engine, path: Path
) -> None:
    fill(both, Vault.open(path, {}), 2)
    replace_keys(path, read_keyring(path, {}).with_new(NOW_US))
    done = rotate(both, path, by="t", now_us=NOW_US, rest=no_rest)
    assert (done.key, done.added) == (2, False)
    assert rows_by_key(both) == {2: 4}


@pytest.fixture
def service(engine: Engine, vault: Vault, on_engine: Config, tmp_path: Path) -> Path:
    """The configuration of a service with PEOPLE people."""
    fill(engine, vault, PEOPLE)
    path = tmp_path / "gengfu.toml"
    path.write_text(f'data = "{on_engine.data}"\ndatabase = "{on_engine.database}"\n')
    return path


@pytest.fixture
def key(service: Path, whole_app: typer.Typer) -> Callable[..., Result]:
    """`gengfu key WORDS` in this process; a refusal is `exception`."""

    def run(*words: str, environment: str = "") -> Result:
        return CliRunner().invoke(
            whole_app, ["key", *words, "--config", str(service)], env={ENVIRONMENT: environment}
        )

    return run


def killed(service: Path, delay_s: float, *words: str) -> bool:
    """Whether the command was killed, `delay_s` after it changed the key file, or else after it ended."""
    path = service.parent / "data" / "secret.key"
    before = path.stat().st_ino
    process = subprocess.Popen(
        [sys.executable, "-m", "gengfu", *words, "--config", str(service)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and path.stat().st_ino == before and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(delay_s)
    process.kill()
    return process.wait(PATIENCE_S) < 0


def test_a_rotation_killed_at_any_moment_loses_no_name_and_no_number(
    service: Path, engine: Engine, config: Config
) -> None:
    """A running vault and one that starts now open and find all of it after every kill."""
    running = Vault.open(config.key_path, {})
    dice = random.Random(7)
    cut_off = 0
    for n in range(4):
        cut_off += killed(service, dice.uniform(0, 0.15) if n else 0.0, "key", "rotate")
        assert_all_opens(engine, running, PEOPLE)
        assert_all_opens(engine, Vault.open(config.key_path, {}), PEOPLE)
    assert cut_off
    killed(service, 0.0, "key", "prune", "--now")
    assert_all_opens(engine, running, PEOPLE)
    done = prune(engine, config.key_path, by="t", now_us=NOW_US, rest=no_rest, at_once=True)
    assert rows_by_key(engine) == {done.key: 2 * PEOPLE}
    assert read_keyring(config.key_path, {}).numbers == (done.key,)
    assert_all_opens(engine, Vault.open(config.key_path, {}), PEOPLE)


def test_a_rotation_cut_off_at_any_rest_is_finished_by_the_next(engine: Engine, path: Path) -> None:
    fill(engine, Vault.open(path, {}), PEOPLE)
    for rests in range(8):

        def cut_off(left: Iterator[int] = iter(range(rests))) -> None:  # noqa: B008 - one for each round
            if next(left, None) is None:
                raise InterruptedError

        with suppress(InterruptedError):
            rotate(engine, path, by="t", now_us=NOW_US, rest=cut_off)
        assert_all_opens(engine, Vault.open(path, {}), PEOPLE)
    assert len(read_keyring(path, {}).numbers) < 9


def test_the_commands_never_show_a_key(key: Callable[..., Result], config: Config) -> None:
    said = ""
    for words in (
        ["show"],
        ["rotate"],
        ["show", "--json"],
        ["prune"],
        ["prune", "--now"],
        ["make"],
        ["show"],
    ):
        done = key(*words)
        said += f"{done.output} {done.exception}"
        for one in read_keyring(config.key_path, {}).keys:
            assert base64.b64encode(one.secret).decode()[:12] not in said
    shown = objects(key("show", "--json").stdout)
    assert [(one["key"], one["seals"], one["rows"]) for one in shown] == [(2, True, 2 * PEOPLE)]
    assert shown[0]["made_at"]
    assert "never overwritten" in said
    assert "younger than an hour" in said


def test_a_key_of_the_environment_is_used_and_explained_and_never_written(
    key: Callable[..., Result], engine: Engine, config: Config
) -> None:
    old = read_keyring(config.key_path, {})
    both_keys = old.with_new(NOW_US)
    refused = key("rotate", environment=both_keys.text())
    assert isinstance(refused.exception, KeysDiffer)
    config.key_path.unlink()
    done = key("rotate", "--json", environment=both_keys.text().replace("\n", ","))
    assert objects(done.stdout)[0]["resealed"]["contact.name_sealed"] == PEOPLE
    again = key("rotate", environment=both_keys.text())
    assert "only you can change" in again.output
    pruned = key("prune", environment=both_keys.text())
    assert "set $GENGFU_KEY to its line" in pruned.output
    assert not config.key_path.exists()
    assert_all_opens(engine, Vault(both_keys.newest_alone()), PEOPLE)
    lost = key("rotate", environment=new_keyring().text())
    assert isinstance(lost.exception, KeyLost)
    said = "".join(f"{one.output} {one.exception}" for one in (refused, done, again, pruned, lost))
    assert base64.b64encode(both_keys.newest.secret).decode()[:12] not in said


def test_one_command_at_a_time_changes_keys(key: Callable[..., Result], config: Config) -> None:
    held = lock(config.data_dir, "key")
    assert isinstance(key("rotate").exception, FolderTaken)
    held.close()
    assert key("rotate").exit_code == 0


def test_a_service_takes_its_key_from_the_environment_and_makes_no_file(tmp_path: Path) -> None:
    words: Any = {"cwd": tmp_path, "GENGFU_KEY": new_keyring().text()}
    assert gengfu("contact", "add", "p1", "--name", "示例甲", **words).returncode == 0
    assert [one.name for one in (tmp_path / "data").iterdir() if "key" in one.name] == []
    assert "$GENGFU_KEY" in gengfu("check", **words).stdout
