"""A block whose people have names and telephones, sealed with a key that the console's seam opens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from alerts import schema
from console.people_seam import Seam, seam_at
from console.settings import ConsoleSettings
from devices import schema as registry
from devices.database import reading, writing
from devices.registry import LookRow, list_looks
from devices.registry.contacts import add_channel, set_contact
from devices.vault import Vault, create_key
from tests.console.block import Block
from tests.console.values_house import House

NAME, MASKED = "王小明", "王**"
NUMBER = "+86 138 0000 1234"
DIGITS = ("13800001234", "138 0000 1234", "8613800001234")
"""How a number may stand in text."""
OTHERS = {"N401": "13900000401", "W1": "13900000001", "FB1": "13900000119", "M1": "13900000118"}


class PeopleHouse(Block):
    """F501 has a name and NUMBER for calls; the neighbour, the grid worker and the stations have numbers for
    messages."""

    def __init__(self, database: str, folder: Path, live: bool = False) -> None:
        super().__init__(database, live)
        self.key_path = folder / "key"
        create_key(self.key_path)
        self.vault = Vault.open(self.key_path)
        self.seam = seam_at(self.key_path)
        self.ways: dict[str, int] = {}
        with writing(self.engine) as connection:
            for code in self.contacts:
                set_contact(connection, self.vault, code=code, name=NAME, by="test", now_us=0)
        self.ways["F501"] = self.telephone("F501", NUMBER, "voice")
        for code, number in OTHERS.items():
            self.ways[code] = self.telephone(code, number)

    def telephone(self, code: str, number: str, medium: str = "sms") -> int:
        """Another way to reach a contact, and its id."""
        return add_telephone(self, self.vault, code, number, medium)

    def looks(self) -> list[LookRow]:
        with reading(self.engine) as connection:
            return list_looks(connection)

    def timeline(self) -> list[tuple[str, str]]:
        """The lines about looks, as (by, text)."""
        c = schema.incident_change.c
        with reading(self.engine) as connection:
            rows = connection.execute(select(c.by, c.text).where(c.kind == "look").order_by(c.id))
            return [(row.by, row.text) for row in rows]

    def push_of(self, code: str) -> int:
        """The channel that is no telephone."""
        c = registry.contact_channel.c
        with reading(self.engine) as connection:
            mine = (c.contact_id == self.contacts[code]) & (c.medium == "push")
            return int(connection.scalar(select(c.id).where(mine)) or 0)

    def console_settings(self) -> ConsoleSettings:
        return replace(super().console_settings(), seam=self.seam)


def add_telephone(block: Block, vault: Vault, code: str, number: str, medium: str = "sms") -> int:
    """A telephone for a contact of any block."""
    with writing(block.engine) as connection:
        return add_channel(
            connection, vault, contact_code=code, medium=medium, carrier=f"aliyun_{medium}", address=number,
            rank=2, by="test", now_us=0,
        )  # fmt: skip


SHUT = Seam()
"""What opens nothing."""


TELEPHONE = 8
"""The channel of `Telephoned`: the cast has a push way each before it."""


class Telephoned(House):
    """The grid worker of the building has a telephone, which the console's seam opens."""

    def __init__(self, database: str, folder: Path) -> None:
        super().__init__(database, folder)
        create_key(folder / "key")
        self.seam = seam_at(folder / "key")
        assert add_telephone(self, Vault.open(folder / "key"), "W1", "13900000001") == TELEPHONE

    def console_settings(self) -> ConsoleSettings:
        return replace(super().console_settings(), seam=self.seam)
