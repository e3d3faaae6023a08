"""One sealed value that does not open hides no other contact."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Connection, Engine, select, update
from typer.testing import CliRunner

from devices import registry
from devices.commands import Desk, apps
from devices.database import writing
from devices.registry import Written
from devices.registry.contacts import UNOPENED, address_to_send
from devices.schema import contact, contact_channel
from devices.vault import SealBroken, Vault
from tests.devices.conftest import NOW_US

WHO = Written(by="t", now_us=NOW_US)
DAMAGED = b"\x01" + bytes(40)
ELSEWHERE = b"\x07" + bytes(40)


def people(connection: Connection, vault: Vault) -> int:
    """Two contacts; of `p1` neither the name nor the way opens. The way's number."""
    for code in ("p1", "p2"):
        registry.add_contact(connection, vault, code=code, name="示例甲", **WHO)
        registry.add_channel(
            connection, vault, contact_code=code, medium="sms", carrier="webhook",
            address=f"https://sms.example/{code}", **WHO,
        )  # fmt: skip
    broken = select(contact.c.id).where(contact.c.code == "p1").scalar_subquery()
    connection.execute(update(contact).where(contact.c.code == "p1").values(name_sealed=DAMAGED))
    mine = contact_channel.c.contact_id == broken
    connection.execute(update(contact_channel).where(mine).values(address_sealed=ELSEWHERE))
    return int(connection.execute(select(contact_channel.c.id).where(mine)).scalar_one())


def test_a_list_marks_it_and_goes_on(connection: Connection, vault: Vault) -> None:
    number = people(connection, vault)
    masked = registry.list_contacts(connection, vault)
    clear = registry.reveal_contacts(connection, vault, **WHO)
    assert [row.name for row in masked] == [UNOPENED, "示**"]
    assert [row.name for row in clear] == [UNOPENED, "示例甲"]
    for rows in (masked, clear, registry.list_contacts(connection, vault, only="p1")):
        assert rows[0].channels[0].address == UNOPENED
        name, way = rows[0].unopened
        assert name.startswith("name: contact.name")
        assert way.startswith(f"channel {number}: ")
        assert "key 7" in way
    assert masked[1].unopened == ()


def test_the_sender_is_told_whose_address_it_is(connection: Connection, vault: Vault) -> None:
    number = people(connection, vault)
    with pytest.raises(SealBroken, match=f"contact 'p1', channel {number}: .*key 7"):
        address_to_send(connection, vault, number)


def test_the_commands_show_everybody_and_say_what_does_not_open(
    engine: Engine, vault: Vault, desk: Desk
) -> None:
    with writing(engine) as connection:
        number = people(connection, vault)
    for words in (["list"], ["list", "--reveal"], ["show", "p1"], ["show", "p1", "--reveal"]):
        shown = CliRunner().invoke(apps["contact"], words, obj=desk)
        assert shown.exit_code == 0
        assert UNOPENED in shown.stdout
        assert "contact p1: name: contact.name" in shown.stderr
        assert f"contact p1: channel {number}: " in shown.stderr
        assert ("p2" in shown.stdout) == (words[0] == "list")
    listed = CliRunner().invoke(apps["contact"], ["list", "--json"], obj=desk)
    assert [json.loads(line)["name"] for line in listed.stdout.splitlines()] == [UNOPENED, "示**"]
