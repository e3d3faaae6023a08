from __future__ import annotations

from alerts.addresses import AddressBook, Destination
from alerts.channels.channel import Failed
from devices.database import reading
from devices.model import Carrier, Medium
from tests.alerts.outboxes import Outbox, PlainVault, open_outbox


class CountingVault(PlainVault):
    def __init__(self) -> None:
        self.unsealed = 0

    def unseal(self, blob: bytes, where: str) -> str:
        self.unsealed += 1
        return super().unseal(blob, where)


def look_up(outbox: Outbox, book: AddressBook, *channel_ids: int) -> dict[int, Destination | Failed]:
    with reading(outbox.engine) as connection:
        return book.look_up(connection, channel_ids)


def test_an_address_is_unsealed_once_until_the_registry_changes(database: str) -> None:
    with open_outbox(database) as outbox:
        [channel] = outbox.add_contact((Medium.PUSH, Carrier.WEBHOOK, "http://old"))
        book = AddressBook(vault := CountingVault())
        for _ in range(2):
            assert look_up(outbox, book, channel) == {channel: Destination(Carrier.WEBHOOK, "http://old")}
        assert vault.unsealed == 1
        outbox.change_address(channel, "http://new")
        assert look_up(outbox, book, channel) == {channel: Destination(Carrier.WEBHOOK, "http://new")}


def test_one_unreadable_address_costs_only_its_own_channel(database: str) -> None:
    with open_outbox(database) as outbox:
        ways = [(Medium.PUSH, Carrier.WEBHOOK, text) for text in ("broken", "http://x")]
        broken, good = outbox.add_contact(*ways)
        found = look_up(outbox, AddressBook(PlainVault()), broken, good, 999)
    assert found == {
        broken: Failed("the address cannot be read"),
        good: Destination(Carrier.WEBHOOK, "http://x"),
        999: Failed("the contact has no such channel any more", permanent=True),
    }


def test_more_channels_than_one_statement_takes_are_found(database: str) -> None:
    with open_outbox(database) as outbox:
        ways = [(Medium.PUSH, Carrier.WEBHOOK, f"http://{n}") for n in range(1200)]
        channels = outbox.add_contact(*ways)
        assert len(look_up(outbox, AddressBook(PlainVault()), *channels)) == 1200
