"""What profiles say beside readings comes through decoding, with the tick's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import create_engine

from devices.database import reading
from devices.profiles.profile import NO_ASIDES, Asides, Decoded, Hold, Note, Points, Said
from devices.schema import metadata
from ingest.decoding import Decoder
from ingest.series import SeriesIndex
from tests.ingest.plain import PlainProfile


class Telling(PlainProfile):
    """Says a note, a text and a hold with each message of its own topics."""

    def __init__(self, name: str) -> None:
        self.name = name

    def matches(self, topic: str) -> bool:
        return topic.startswith(self.name)

    def decode(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        points: Points,
        *,
        received_us: int = 0,
        retained: Sequence[bool] | None = None,
    ) -> Decoded:
        if b"boom" in payloads:
            raise KeyError("boom")
        notes = tuple(Note(self.name, "t", topic, "x") for topic in topics)
        said = tuple(Said(topic, "label", self.name) for topic in topics)
        holds = tuple(Hold(n, 0, 1, 5) for n in range(len(topics)))
        return replace(
            super().decode(topics, payloads, points, received_us=received_us, retained=retained),
            asides=Asides(notes, said, (), (), holds),
        )


@pytest.fixture
def index() -> SeriesIndex:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with reading(engine) as connection:
        found = SeriesIndex(connection)
    engine.dispose()
    return found


def test_asides_of_all_profiles_are_joined_and_numbered_by_the_tick(index: SeriesIndex) -> None:
    decoder = Decoder([Telling("a"), Telling("b")], index, max_payload_bytes=64)
    tick = decoder.decode(["b/1", "a/1", "b/2"], [b"{}"] * 3)
    assert sorted(hold.message for hold in tick.asides.holds) == [0, 1, 2]
    assert {(note.profile, note.key) for note in tick.asides.notes} == {
        ("a", "a/1"),
        ("b", "b/1"),
        ("b", "b/2"),
    }
    assert len(tick.asides.said) == 3


def test_asides_of_one_profile_are_those_of_the_tick(index: SeriesIndex) -> None:
    decoder = Decoder([Telling("a")], index, max_payload_bytes=64)
    assert [hold.message for hold in decoder.decode(["a/1", "a/2"], [b"{}"] * 2).asides.holds] == [0, 1]
    assert decoder.decode(["c"], [b"{}"]).asides == NO_ASIDES


def test_a_message_that_fells_a_profile_costs_no_others_asides(index: SeriesIndex) -> None:
    decoder = Decoder([Telling("a")], index, max_payload_bytes=64)
    tick = decoder.decode(["a/1", "a/2", "a/3"], [b"{}", b"boom", b"{}"])
    assert sorted(hold.message for hold in tick.asides.holds) == [0, 2]
    assert [said.uid for said in tick.asides.said] == ["a/1", "a/3"]
