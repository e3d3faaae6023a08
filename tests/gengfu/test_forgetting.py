"""Those whom nobody has needed for long are forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select, update

from alerts import schema
from alerts.case import Act
from devices import registry
from devices.database import reading, writing
from devices.schema import binding, contact, contact_channel, look
from devices.vault import Vault
from gengfu.config import People
from gengfu.forgetting import DAY_US, due_to_forget, forget_due
from tests.alerts.story import Story
from tests.gengfu.erasing import a_fire_to_its_end, incident_is_closed, no_rest, texts
from tests.gengfu.people import address_of, found_in, name_of, number_of


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
