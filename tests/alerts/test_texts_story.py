"""Texts in a story: who else was told, and a site's own texts with what is wrong in them."""

from __future__ import annotations

from dataclasses import replace

from alerts.text_file import Texts, read_texts, shipped_texts
from devices.model import Severity
from tests.alerts.block import CAST
from tests.alerts.story import Story

OWN = """version = 1
[[text]]
name = "what.P0"
en = "FIRE HERE"
[[text]]
name = "message.neighbour"
en = ["{what}", "{where} {newest}", "{why_now}", "{todo}"]
[[text]]
name = "message.summary"
en = ["{count} at once: {kinds}"]
"""


def test_everybody_learns_which_roles_were_told_and_nobody_a_name(story: Story) -> None:
    first = story.at(0).smoke("501").between(0, 1)
    first.told(
        "family", saying="Also told: micro fire station, grid worker, building secretary, duty desk and"
    )
    first.told(
        "neighbour", saying="Also told: micro fire station, grid worker, building secretary, duty desk and"
    )
    first.told("duty_desk", saying="micro fire station, grid worker, building secretary, family and more.")
    assert not any(f"{code}-" in m.text or "_" in m.text for m in first.messages for code in CAST)
    calls = [m for m in story.between(60, 61).messages if m.medium == "voice"]
    assert calls and not any("Also told" in m.text for m in calls)
    story.at(70).electrical_fire("501")
    story.between(70, 71).told("micro_station", saying="Also told: fire brigade, grid worker,")


def test_a_sites_own_texts_are_said_and_the_shipped_one_where_one_is_wrong(story: Story) -> None:
    read = read_texts(OWN, "mine.toml")
    assert len(read.faults) == 1
    texts = Texts(shipped_texts().shipped, read.texts)
    story.settings = replace(story.settings, texts=texts, messages_per_minute=1)
    first = story.at(0).smoke("501").between(0, 1)
    first.told("grid_worker", saying="FIRE HERE: ")
    first.told("neighbour", saying="FIRE HERE: ").told("neighbour", saying="use no lift")
    for n in range(3):
        story.at(2).transition("O3", f"own:meter-{n}", Severity.P1, ())
    story.between(3, 70).told("duty_desk", saying="2 at once: place unknown")
