"""A database, or a dump of it, gives a thief no name and no number (contract 10)."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, update

from alerts.case import Act
from alerts.channels.channel import Failed
from alerts.outbox import Ended, write_outcomes
from alerts.schema import notification
from devices import registry
from devices.database import open_database, writing
from devices.keyring import create_key
from devices.registry import Written
from devices.schema import contact, contact_channel, dwelling
from devices.secrets import secret_of
from devices.vault import CHANNEL_ADDRESS, CONTACT_NAME, DWELLING_ATTENTION, Vault
from gengfu.forgetting import erase
from gengfu.rotation import rotate
from tests.alerts.story import Story
from tests.databases import binaries, dump_of
from tests.gengfu.people import address_of, found_in, label_everything, name_of, number_of, seal_cast

NOW_US = 1_763_755_200_000_000
WHO = Written(by="t", now_us=NOW_US)
ATTENTION = "八十二岁独居，听力不好"
MANY = 2_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_key(tmp_path / "keys" / "secret.key")
    return tmp_path / "keys" / "secret.key"


def stolen(engine: Engine) -> bytes:
    """The file with its log; of PostgreSQL every row, and what `pg_dump` writes."""
    dump = dump_of(engine)
    if engine.dialect.name == "sqlite":
        return dump
    programs = binaries()
    assert programs is not None
    url = engine.url
    host = url.query.get("host", "")
    command = [shutil.which("pg_dump", path=str(programs)) or "pg_dump", "-U", "gengfu", "-h", str(host)]
    done = subprocess.run([*command, str(url.database)], capture_output=True, check=True)
    return dump + done.stdout


def a_night(story: Story, vault: Vault) -> list[int]:
    """A fire alarm from its beginning to its end, with answers, a provider that repeats numbers, and looks.

    The places of everybody's names and numbers.
    """
    engine = story.engine
    cast = seal_cast(engine, vault)
    with writing(engine) as connection:
        connection.execute(
            update(dwelling).values(attention_sealed=vault.seal(ATTENTION, DWELLING_ATTENTION))
        )
    secret_of(engine, vault, "answers.link", NOW_US)
    story.smoke("501")
    story.between(0, 60).told("family")
    handovers = [one for one in story.handovers if one.n == 1]
    with writing(engine) as connection:
        said = [
            Ended(one, Failed(f"{number_of(n)} refused, see {address_of(n)}", permanent=True), story.now_us)
            for n, one in zip(cast.values(), handovers, strict=False)
        ]
        connection.execute(update(notification).values(state="sending"))
        write_outcomes(connection, said)
    story.at(120).answers("grid_worker", Act.ARRIVED)
    with writing(engine) as connection:
        registry.reveal_contacts(connection, vault, **WHO)
        registry.find_by_address(connection, vault, address_of(0))
    return list(cast.values())


def test_a_night_with_an_alarm_leaves_no_name_and_no_number_in_the_database(story: Story, path: Path) -> None:
    vault = Vault.open(path, {})
    people = a_night(story, vault)
    names, numbers = [name_of(n) for n in people], [number_of(n) for n in people]
    dump = stolen(story.engine)
    assert b"b3-501" in dump  # it is the dump
    assert found_in(dump, [*names, ATTENTION], numbers) == []
    rotate(story.engine, path, by="t", now_us=NOW_US, rest=lambda: None)
    assert found_in(stolen(story.engine), [*names, ATTENTION], numbers) == []


def test_thousands_written_at_once_leave_no_name_and_no_number_either(database: str, path: Path) -> None:
    vault = Vault.open(path, {})
    engine = open_database(database)
    with writing(engine) as connection:
        connection.execute(
            insert(contact),
            [
                {"code": f"p{n}", "name_sealed": vault.seal(name_of(n), CONTACT_NAME), "created_us": NOW_US}
                for n in range(MANY)
            ],
        )
        connection.execute(
            insert(contact_channel),
            [
                {
                    "contact_id": n + 1,
                    "medium": "sms",
                    "carrier": "webhook",
                    "address_sealed": vault.seal(address_of(n), CHANNEL_ADDRESS),
                    "address_index": vault.blind_index(address_of(n)),
                    "rank": 1,
                }
                for n in range(MANY)
            ],
        )
    some = range(0, MANY, 97)
    assert found_in(stolen(engine), [name_of(n) for n in some], [number_of(n) for n in some]) == []
    engine.dispose()


def test_what_people_may_type_into_codes_and_labels_is_refused_or_goes_with_the_person(
    story: Story, path: Path
) -> None:
    """Codes take no names and numbers; labels take any words, and lose them when the person is erased."""
    vault = Vault.open(path, {})
    people = a_night(story, vault)
    names, numbers = [name_of(n) for n in people], [number_of(n) for n in people]
    for personal in (names[0], numbers[0]):
        with writing(story.engine) as connection, pytest.raises(registry.NotAllowed):
            registry.add_contact(connection, vault, code=personal, name="示例", **WHO)
        with writing(story.engine) as connection, pytest.raises(registry.NotAllowed):
            registry.register_device(
                connection, uid="own:x", kind="smoke", profile="own", dwelling_code="b3-501",
                installed_by=personal, **WHO,
            )  # fmt: skip
    assert found_in(stolen(story.engine), names, numbers) == []
    child = sorted(story.block.contacts).index("family")
    with writing(story.engine) as connection:
        label_everything(connection, name_of(child), number_of(child))
    assert found_in(stolen(story.engine), names, numbers) == [name_of(child), number_of(child)]
    erase(story.engine, vault, "family", by="t", now_us=story.now_us, force=True, rest=lambda: None)
    assert found_in(stolen(story.engine), names, numbers) == []


NAME, NUMBER = name_of(3), number_of(3)


@pytest.mark.parametrize(
    "clear",
    [
        NAME.encode("gb18030"),
        NAME.encode("utf-16-le"),
        f"打 {NUMBER}".encode(),
        f"{NUMBER[:3]}-{NUMBER[3:7]}-{NUMBER[7:]}".encode(),
        base64.b64encode(f"x{NAME}".encode()),
    ],
)
def test_a_name_or_number_in_clear_would_be_found(database: str, clear: bytes) -> None:
    """Whoever breaks the sealing sees the tests above fail."""
    engine = open_database(database)
    with writing(engine) as connection:
        connection.execute(insert(contact).values(code="leak", name_sealed=clear, created_us=NOW_US))
    assert found_in(stolen(engine), [NAME], [NUMBER]) != []
    engine.dispose()
