"""A person is forgotten in all rooms, unless somebody still needs them."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from alerts import schema
from alerts.addresses import AddressBook, Destination
from alerts.channels.channel import Failed
from alerts.outbox import Ended, write_outcomes
from devices import registry
from devices.database import reading, writing
from devices.model import Carrier
from devices.registry import NotThere
from devices.registry.errors import StillNeeded
from devices.schema import binding, building, contact, contact_channel, device
from devices.vault import Vault
from gengfu.forgetting import DAY_US, hindrances
from tests.alerts.story import Story
from tests.databases import dump_of
from tests.gengfu.erasing import a_fire_to_its_end, gone, incident_is_closed, texts
from tests.gengfu.people import address_of, found_in, label_everything, name_of, number_of

PIECE = 8
"""Bytes of sealed text that stand nowhere by chance."""


def test_an_erased_person_stands_in_no_note_and_others_stay(
    story: Story, keys: Vault, cast: dict[str, int]
) -> None:
    a_fire_to_its_end(story, cast)
    incident_is_closed(story)
    child, worker = cast["family"], cast["grid_worker"]
    assert found_in(texts(story.engine).encode(), [name_of(child)], [number_of(child)]) != []
    done = gone(story, keys, "family")
    assert done.texts >= 4
    said = texts(story.engine)
    assert found_in(said.encode(), [name_of(child)], [number_of(child)]) == []
    assert name_of(worker) in said
    assert "的母亲炒菜" in said
    assert found_in(dump_of(story.engine), [name_of(child)], [number_of(child)]) == []


def test_after_erasing_a_sqlite_file_holds_neither_words_nor_sealed_bytes(
    story: Story, keys: Vault, cast: dict[str, int]
) -> None:
    if story.engine.dialect.name != "sqlite":
        assert gone(story, keys, "family").overwritten  # PostgreSQL's files are its own: documented
        return
    a_fire_to_its_end(story, cast)
    incident_is_closed(story)
    with reading(story.engine) as connection:
        owned = contact_channel.c.contact_id == story.block.contacts["family"]
        sealed = [
            bytes(one)
            for one in connection.execute(select(contact_channel.c.address_sealed).where(owned)).scalars()
        ]
    assert all(one in dump_of(story.engine) for one in sealed)
    assert gone(story, keys, "family").overwritten
    dump = dump_of(story.engine)
    pieces = [one[start : start + PIECE] for one in sealed for start in range(1, len(one) - PIECE)]
    assert not any(piece in dump for piece in pieces)
    child = cast["family"]
    assert found_in(dump, [name_of(child)], [number_of(child)]) == []


def test_while_somebody_reads_the_log_stays_and_erasing_says_so(
    story: Story, keys: Vault, cast: dict[str, int]
) -> None:
    if story.engine.dialect.name != "sqlite":
        return
    with reading(story.engine) as connection:
        connection.execute(select(contact.c.id)).all()
        assert not gone(story, keys, "family-2").overwritten


def test_who_is_told_of_an_open_incident_is_erased_by_force_only(
    story: Story, keys: Vault, cast: dict[str, int]
) -> None:
    story.smoke("501")
    with pytest.raises(StillNeeded, match="#1"):
        gone(story, keys, "family")
    with reading(story.engine) as connection:
        assert not connection.scalar(select(contact.c.erased_us).where(contact.c.code == "family"))
    gone(story, keys, "family", force=True)
    with pytest.raises(NotThere):
        gone(story, keys, "family", force=True)


def test_the_sender_forgets_the_address_at_once(story: Story, keys: Vault, cast: dict[str, int]) -> None:
    book = AddressBook(keys)
    owned = contact_channel.c.contact_id == story.block.contacts["family"]
    with reading(story.engine) as connection:
        ids = connection.execute(select(contact_channel.c.id).where(owned)).scalars().all()
        known = set(book.look_up(connection, ids).values())
    assert known == {Destination(Carrier.WEBHOOK, address_of(cast["family"]))}
    gone(story, keys, "family")
    with reading(story.engine) as connection:
        left = book.look_up(connection, ids).values()
    assert all(isinstance(one, Failed) and one.permanent for one in left)
    assert address_of(cast["family"]) not in repr(vars(book))


def test_the_last_one_of_a_dwelling_and_the_only_duty_desk_are_needed(
    story: Story, keys: Vault, cast: dict[str, int]
) -> None:
    with writing(story.engine) as connection:
        keep = [story.block.contacts[code] for code in ("family", "duty_desk")]
        connection.execute(
            update(binding).where(binding.c.contact_id.not_in(keep)).values(ended_us=story.now_us)
        )
    with pytest.raises(StillNeeded, match="b3-501"):
        gone(story, keys, "family")
    with pytest.raises(StillNeeded, match="only duty desk"):
        gone(story, keys, "duty_desk")
    with reading(story.engine) as connection:
        erasure = registry.erasure_of(connection, "grid_worker", story.now_us)
        assert hindrances(connection, erasure, story.now_us) == []


def test_a_providers_words_are_stored_without_the_number(story: Story, cast: dict[str, int]) -> None:
    story.smoke("501")
    with writing(story.engine) as connection:
        connection.execute(update(schema.notification).values(state="sending"))
        write_outcomes(
            connection,
            [
                Ended(one, Failed(f"errcode {number_of(n)}: {address_of(n)} unknown"), story.now_us)
                for n, one in enumerate(story.handovers)
            ],
        )
    details = [row.detail for row in story.table(schema.attempt) if row.outcome == "failed"]
    assert details
    assert all(one.startswith("errcode 139****") and one.endswith(": https://** unknown") for one in details)
    assert not any(number_of(n) in detail for n in range(50) for detail in details)


def test_what_people_wrote_on_devices_and_publishers_is_hidden_as_well(
    story: Story, keys: Vault, cast: dict[str, int]
) -> None:
    child = cast["family"]
    with writing(story.engine) as connection:
        label_everything(connection, name_of(child), number_of(child))
        connection.execute(update(building).values(name=f"{name_of(child)}楼"))
    assert found_in(dump_of(story.engine), [name_of(child)], [number_of(child)]) != []
    gone(story, keys, "family", force=True)
    with reading(story.engine) as connection:
        labels = connection.execute(select(device.c.label)).scalars().all()
        assert set(labels) == {"**家 **"}
        assert set(connection.execute(select(building.c.name)).scalars()) == {f"{name_of(child)}楼"}
    with writing(story.engine) as connection:
        connection.execute(update(building).values(name="3号楼"))
    left = dump_of(story.engine) if story.engine.dialect.name != "sqlite" else texts(story.engine).encode()
    assert found_in(left, [name_of(child)], [number_of(child)]) == []


def test_a_desk_reached_through_a_substitute_alone_needs_the_substitute(
    story: Story, keys: Vault, cast: dict[str, int]
) -> None:
    with writing(story.engine) as connection:
        registry.add_contact(connection, keys, code="stand-in", name="示例", by="t", now_us=1)
        registry.add_channel(
            connection, keys, contact_code="stand-in", medium="voice", carrier="webhook",
            address="https://voice.example/s", by="t", now_us=1,
        )  # fmt: skip
        registry.substitute(
            connection, contact_code="duty_desk", substitute_code="stand-in", from_us=story.now_us,
            until_us=story.now_us + DAY_US, by="t", now_us=story.now_us,
        )  # fmt: skip
        mine = contact_channel.c.contact_id == story.block.contacts["duty_desk"]
        connection.execute(update(contact_channel).where(mine).values(removed_us=1))
    with pytest.raises(StillNeeded, match="only duty desk"):
        gone(story, keys, "stand-in")
    gone(story, keys, "stand-in", force=True)
