"""Forgetting a person in all rooms, and those whom nobody has needed for long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import Engine, select, update
from typer.testing import CliRunner, Result

from alerts import schema
from alerts.addresses import AddressBook, Destination
from alerts.case import Act
from alerts.channels.channel import Failed
from alerts.outbox import Ended, write_outcomes
from devices import registry
from devices.database import reading, writing
from devices.keyring import create_key
from devices.model import Carrier
from devices.registry import NotThere, Written
from devices.registry.errors import StillNeeded
from devices.schema import binding, building, contact, contact_channel, device, look
from devices.vault import Vault
from gengfu.config import People
from gengfu.forgetting import (
    DAY_US,
    due_to_forget,
    erase,
    forget_due,
    hindrances,
)
from gengfu.traces import FREE_TEXT
from tests.alerts.story import Story, a_story
from tests.databases import dump_of
from tests.gengfu.people import address_of, found_in, label_everything, name_of, number_of, seal_cast
from tests.gengfu.program import objects

WHO = Written(by="t", now_us=1)
PIECE = 8
"""Bytes of sealed text that stand nowhere by chance."""


def no_rest() -> None:
    """In a test nobody waits for the lock."""


@pytest.fixture
def keys(tmp_path: Path) -> Vault:
    create_key(tmp_path / "keys" / "secret.key")
    return Vault.open(tmp_path / "keys" / "secret.key", {})


@pytest.fixture
def story(database: str) -> Iterator[Story]:
    with a_story(database) as story:
        yield story


@pytest.fixture
def cast(story: Story, keys: Vault) -> dict[str, int]:
    """The number of each contact's name and address."""
    return seal_cast(story.engine, keys)


def a_fire_to_its_end(story: Story, cast: dict[str, int]) -> None:
    """Everybody's name or number stands in somebody's words."""
    child, worker = cast["family"], cast["grid_worker"]
    story.smoke("501")
    story.at(60).answers("family", Act.ACKNOWLEDGE, f"我是{name_of(child)}，电话 {number_of(child)}")
    story.at(90).answers("grid_worker", Act.ARRIVED, f"{name_of(worker)}到场")
    story.at(120).answers("operator", Act.HANDLED)
    story.answers("grid_worker", Act.FEEDBACK, f"{name_of(child)}的母亲炒菜；139-0571-{child:04} 已联系")
    story.answers("operator", Act.VERIFY)
    story.answers("operator", Act.CLOSE, "nuisance: 做饭")


def incident_is_closed(story: Story) -> None:
    with writing(story.engine) as connection:
        connection.execute(update(schema.incident).values(closed_us=story.now_us, state="closed"))


def texts(engine: Engine) -> str:
    with reading(engine) as connection:
        return "\n".join(
            str(text)
            for column, _ in FREE_TEXT
            for text in connection.execute(select(column)).scalars()
            if text
        )


def gone(story: Story, keys: Vault, code: str, **more: Any) -> Any:
    return erase(story.engine, keys, code, by="admin", now_us=story.now_us, rest=no_rest, **more)


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


def people(story: Story, keys: Vault) -> None:
    """`old` was bound to nothing, `fresh` neither but made lately; looks of two ages."""
    with writing(story.engine) as connection:
        for code, made_us in (("old", story.now_us - 181 * DAY_US), ("fresh", story.now_us - 179 * DAY_US)):
            registry.add_contact(connection, keys, code=code, name="旧示例", by="t", now_us=made_us)
        for days in (1096, 1094):
            connection.execute(
                look.insert().values(at_us=story.now_us - days * DAY_US, by="t", contact_id=0, what="x")
            )


def test_what_is_due_is_said_first_and_then_forgotten_once(story: Story, keys: Vault) -> None:
    people(story, keys)
    due = due_to_forget(story.engine, People(), story.now_us)
    assert (due.contacts, due.kept, due.addresses, due.looks) == (("old",), (), 0, 1)
    done = forget_due(story.engine, People(), story.now_us, keys, rest=no_rest)
    assert (done.contacts, done.looks) == (("old",), 1)
    again = forget_due(story.engine, People(), story.now_us, keys, rest=no_rest)
    assert (again.contacts, again.looks) == ((), 0)
    with reading(story.engine) as connection:
        left = connection.execute(select(contact.c.code).where(contact.c.erased_us.is_(None))).scalars().all()
        assert "fresh" in left
        assert len(connection.execute(select(look.c.id)).all()) == 1


def test_zero_days_keep_people_and_looks_for_good(story: Story, keys: Vault) -> None:
    people(story, keys)
    kept = People(keep_unbound_days=0, keep_looks_days=0)
    done = forget_due(story.engine, kept, story.now_us + 100_000 * DAY_US, rest=no_rest)
    assert (done.contacts, done.addresses, done.looks) == ((), 0, 0)


def test_who_is_told_of_an_open_incident_is_kept_until_it_is_closed(
    story: Story, keys: Vault, cast: dict[str, int]
) -> None:
    a_fire_to_its_end(story, cast)
    with writing(story.engine) as connection:
        connection.execute(update(schema.incident).values(closed_us=None))
        connection.execute(update(binding).values(ended_us=story.now_us))
    later = story.now_us + 200 * DAY_US
    first = forget_due(story.engine, People(), later, keys, rest=no_rest)
    assert "family" in first.kept
    assert "family" not in first.contacts
    incident_is_closed(story)
    second = forget_due(story.engine, People(), later, keys, rest=no_rest)
    assert "family" in second.contacts
    names = [name_of(n) for n in cast.values()]
    assert found_in(texts(story.engine).encode(), names, [number_of(n) for n in cast.values()]) == []


def test_somebody_bound_again_in_the_same_moment_is_not_forgotten(story: Story, keys: Vault) -> None:
    people(story, keys)
    with writing(story.engine) as connection:
        registry.add_contact(connection, keys, code="older", name="示例", by="t", now_us=1)

    def bound_meanwhile() -> None:
        with writing(story.engine) as connection:
            already = {row.contact for row in registry.list_bindings(connection)}
            if "older" not in already:
                registry.bind(
                    connection, contact_code="older", role="family", place_kind="dwelling",
                    place_code="b3-501", by="t", now_us=story.now_us,
                )  # fmt: skip

    done = forget_due(story.engine, People(), story.now_us, keys, rest=bound_meanwhile)
    assert done.contacts == ("old",)


def test_somebody_told_of_an_incident_in_the_same_moment_is_not_forgotten(story: Story, keys: Vault) -> None:
    """The alarm comes between the look for who is due and the erasing of the second of them."""
    people(story, keys)
    with writing(story.engine) as connection:
        older = registry.add_contact(connection, keys, code="older", name="示例", by="t", now_us=1)

    def told_meanwhile(once: Iterator[int] = iter([1])) -> None:  # noqa: B008 - one for this test
        if next(once, None) is None:
            return
        story.smoke("501")
        with writing(story.engine) as connection:
            connection.execute(update(schema.notification).values(contact_id=older))

    assert due_to_forget(story.engine, People(), story.now_us).contacts == ("old", "older")
    done = forget_due(story.engine, People(), story.now_us, keys, rest=told_meanwhile)
    assert done.contacts == ("old",)


def test_an_address_that_is_erased_by_age_leaves_the_notes_too(
    story: Story, keys: Vault, cast: dict[str, int]
) -> None:
    """But not one at which somebody is still reached."""
    child, worker = cast["family"], cast["grid_worker"]
    story.smoke("501")
    said = f"旧号 {number_of(child)}，{number_of(worker)} 仍可用"
    story.at(60).answers("grid_worker", Act.ACKNOWLEDGE, said)
    owner = contact_channel.c.contact_id
    with writing(story.engine) as connection:
        for code in ("family", "grid_worker"):
            mine = owner == story.block.contacts[code]
            connection.execute(update(contact_channel).where(mine).values(removed_us=1))
        registry.add_channel(
            connection, keys, contact_code="grid_worker", medium="voice", carrier="webhook",
            address=address_of(worker), by="t", now_us=story.now_us,
        )  # fmt: skip
    done = forget_due(story.engine, People(), story.now_us, keys, rest=no_rest)
    assert done.addresses >= 2
    left = texts(story.engine)
    assert number_of(child) not in left
    assert number_of(worker) in left
    assert "旧号 **" in left


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


@pytest.fixture
def run(
    engine: Engine, vault: Vault, on_engine: Any, tmp_path: Path, whole_app: typer.Typer
) -> Callable[..., Result]:
    """`gengfu contact WORDS` in this process, over a database with one contact."""
    with writing(engine) as connection:
        registry.add_contact(connection, vault, code="p1", name="王小明", **WHO)
    path = tmp_path / "gengfu.toml"
    path.write_text(f'data = "{on_engine.data}"\ndatabase = "{on_engine.database}"\n')

    def run(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(whole_app, ["contact", "--config", str(path), *words], input=typed)

    return run


def test_erase_asks_first_and_says_what_goes(run: Callable[..., Result], engine: Engine) -> None:
    refused = run("erase", "p1", typed="n\n")
    assert refused.exit_code == 1
    assert "nothing was erased" in refused.stderr
    done = run("erase", "p1", "--yes", "--json")
    assert done.exit_code == 0, done.stderr
    assert objects(done.stdout)[0]["erased"] == "p1"
    assert run("erase", "p1", "--yes").exit_code == 1
    with reading(engine) as connection:
        assert connection.scalar(select(contact.c.erased_us))


def test_forget_can_be_tried_without_doing_it(run: Callable[..., Result], engine: Engine) -> None:
    tried = run("forget", "--dry-run", "--json")
    assert objects(tried.stdout)[0]["contacts"] == ["p1"]
    with reading(engine) as connection:
        assert not connection.scalar(select(contact.c.erased_us))
    assert "erased 1 contacts (p1)" in run("forget").stdout
    with reading(engine) as connection:
        assert connection.scalar(select(contact.c.erased_us))


def test_looks_are_asked_for_by_contact_time_and_person(run: Callable[..., Result]) -> None:
    assert run("show", "p1", "--reveal").exit_code == 0
    [seen] = objects(run("looks", "p1", "--json").stdout)
    assert (seen["contact"], seen["what"]) == ("p1", "name, addresses")
    assert run("looks", "--by", "nobody", "--json").stdout == ""
    tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 2 * 86_400))
    assert run("looks", "--since", tomorrow, "--json").stdout == ""
    assert run("looks", "nobody").exit_code == 1
    assert "王小明" not in run("looks").output
