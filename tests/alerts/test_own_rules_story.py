"""A site's own rules among people: its hazard decides who is told, and its title is what they read."""

from __future__ import annotations

import pytest

from alerts.board_view import open_incidents
from alerts.detail_view import incident_detail
from alerts.hazards import hazard_of
from devices.database import reading
from devices.model import Severity
from rules.transition import Mark, Why
from tests.alerts.story import Story

WARM = Why("Meter cupboard warm", "表箱温度偏高")


def own(
    story: Story, at_s: float, severity: Severity = Severity.P1, hazard: str = "electrical", rule: str = "K1"
) -> None:
    row = story.at(at_s).row(rule, "monitor-501", severity, hazard=hazard, title=WARM)
    story.store(row)
    story.turn()


@pytest.mark.parametrize("hazard", ["fire", "electrical", "fault"])
def test_its_alarms_speak_of_the_hazard_that_the_rule_says(story: Story, hazard: str) -> None:
    own(story, 0, hazard=hazard)
    assert story.incident().hazard == hazard


def test_where_it_says_none_its_name_decides_and_an_unknown_word_counts_as_none() -> None:
    assert [str(hazard_of(name)) for name in ("K1", "O77")] == ["fault", "electrical"]
    assert [str(hazard_of("O77", word)) for word in ("fire", "flood", "")] == [
        "fire", "electrical", "electrical",
    ]  # fmt: skip


def test_it_joins_the_shipped_alarms_of_its_hazard(story: Story) -> None:
    story.at(0).overload("501")
    own(story, 5)
    assert [incident.id for incident in story.incidents()] == [1]


@pytest.mark.parametrize("hazard", ["fire", "electrical", "fault"])
def test_messages_call_it_by_its_title(story: Story, hazard: str) -> None:
    own(story, 0, hazard=hazard)
    last_s = 11 if hazard == "fault" else 1
    story.between(0, last_s).told("grid_worker", saying="Meter cupboard warm since")


def test_an_own_rule_with_the_first_letter_of_another_is_not_taken_for_it(story: Story) -> None:
    own(story, 0, rule="X9", hazard="electrical")
    story.between(0, 1).told("grid_worker", saying="Meter cupboard warm since")


def test_smoke_is_said_before_it(story: Story) -> None:
    own(story, 0, hazard="fire")
    story.at(60).smoke("501")
    story.between(60, 61).told("family", saying="smoke alarm (began")


def test_pages_show_it_in_the_readers_language(story: Story) -> None:
    own(story, 0)
    with reading(story.engine) as connection:
        for language, title in (("en", WARM.en), ("zh-CN", WARM.zh_cn)):
            detail = incident_detail(connection, 1, language)
            assert detail is not None
            assert [alarm.title for alarm in detail.alarms] == [title]
        assert open_incidents(connection, "en", 5)[0].evidence == "K1 of monitor-501"


def test_a_lesser_alarm_of_a_fire_rule_of_its_own_is_no_visit(story: Story) -> None:
    own(story, 0, Severity.P2, "fire")
    story.between(0, 1).told("grid_worker", saying="Meter cupboard warm since")
    own(story, 9, Severity.P2, "fire", rule="K2")
    assert len(incident_alarms(story)) == 2


def test_late_smoke_of_an_own_word_is_still_a_visit(story: Story) -> None:
    story.at(0).smoke("501")
    row = story.row("S1", "smoke-501-b", Severity.P2, (Mark.LATE,), title=Why("Smoke here", "本站烟雾"))
    story.store(row)
    story.turn()
    assert [uid for uid, _ in incident_alarms(story)] == ["smoke-501"]


def incident_alarms(story: Story) -> list[tuple[str, str]]:
    with reading(story.engine) as connection:
        detail = incident_detail(connection, 1, "en")
    assert detail is not None
    return [(alarm.uid, alarm.rule) for alarm in detail.alarms]
