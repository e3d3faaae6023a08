"""A site's own policies: what they change, and that no file keeps a fire from anybody."""

from __future__ import annotations

from dataclasses import replace
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import schema
from alerts.case import Act
from alerts.plans import PolicyError, own_policies, shipped_policies
from devices.model import Role, Severity
from tests.alerts.policy_texts import policies_file, shipped_policy
from tests.alerts.story import Story, a_story
from tests.databases import TABLES_ONLY, sqlite_like

FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def by(story: Story, *policies: str) -> None:
    """From now on these policies hold."""
    own = own_policies(policies_file(*policies), "mine.toml")
    story.settings = replace(story.settings, policies=own)


def test_a_sites_own_policy_says_who_is_told_when(story: Story) -> None:
    by(story, shipped_policy("P1", ('"family"]', '"family", "duty_desk"]'), ('"5 min"', '"2 min"')))
    story.at(0).overload("501")
    story.between(0, 1).told("duty_desk")
    story.between(2, 119).nobody()
    story.between(120, 121).told("building_secretary", by="voice").once()


def test_a_policy_of_an_area_holds_for_its_buildings_only(story: Story) -> None:
    by(
        story,
        shipped_policy("P1", ('"5 min"', '"3 min"')),
        shipped_policy("P1", ('"5 min"', '"2 min"'), area="grid"),
        shipped_policy("P1", ('"5 min"', '"1 min"'), area="elsewhere"),
    )
    story.at(0).overload("501")
    story.between(2, 119).nobody()
    story.between(120, 121).told("building_secretary", by="voice").once()


def test_a_step_whose_line_is_gone_stops_when_it_is_due_and_the_others_go_on(story: Story) -> None:
    story.at(0).overload("501")
    without = (
        shipped_policy("P1")
        .replace('kind = "secretary"', 'kind = "unanswered"')
        .replace(
            'heeds = "role"\nsource = { after = "life safety", ends_on',
            'source = { after = "life safety", ends_on',
            1,
        )
    )
    by(story, without)
    story.between(2, 899).nobody()
    story.between(900, 901).told("supervisor").once()
    steps = {row.name: row.state for row in story.table(schema.step)}
    assert steps["secretary"] == "stopped"


def test_a_repetition_goes_on_by_the_line_that_holds_when_it_is_due(story: Story) -> None:
    story.at(0).smoke("501")
    story.between(60, 61).told("family", by="voice")
    by(story, shipped_policy("P0", ('every = "60 s"', 'every = "30 s"')))
    story.between(120, 121).told("family-2", by="voice")
    story.between(150, 151).told("family-3", by="voice")


def test_more_roles_in_a_fire_are_told_beside_the_others(story: Story) -> None:
    by(
        story,
        shipped_policy(
            "P0", ('"duty_desk"]', '"duty_desk", "supervisor"]'), ('after = "60 s"', 'after = "20 s"')
        ),
    )
    story.at(0).smoke("501")
    at_once = story.between(0, 1)
    for who in ("family", "neighbour", "grid_worker", "building_secretary", "micro_station", "supervisor"):
        at_once.told(who)
    story.between(20, 21).told("family", by="voice")


def test_an_act_stops_the_steps_by_the_policy_that_holds(story: Story) -> None:
    by(story, shipped_policy("P1", ('heeds = "role"', 'heeds = "nobody"')))
    story.at(0).overload("501")
    story.at(10).answers("building_secretary", Act.ACKNOWLEDGE)
    story.between(300, 301).told("building_secretary", by="voice")


TIMES = st.sampled_from(["10 s", "25 s", "45 s", "60 s", "90 s", "2 min", "15 s"])
AGAIN = st.sampled_from(["30 s", "45 s", "60 s", "2 min"])
MORE = st.lists(st.sampled_from([str(role) for role in Role]), max_size=3, unique=True)
BY = st.sampled_from(
    ["tell", "call", ["voice", "sms", "push", "email"], ["sms", "push", "voice", "email"], ["email", "sms"]]
)
ENDS = st.lists(st.sampled_from(["arrived", "confirmed", "false_alarm", "handled"]), max_size=4, unique=True)
TOLD = {
    "at_once": ["family", "neighbour", "grid_worker", "building_secretary", "micro_station", "duty_desk"],
    "chase": ["family", "neighbour", "grid_worker", "building_secretary", "micro_station", "duty_desk"],
    "unanswered": ["duty_desk", "micro_station", "supervisor", "fire_brigade"],
}
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "dropped": st.sampled_from([*TOLD["at_once"], "supervisor"]),
        "more": MORE,
        "after": TIMES,
        "every": AGAIN,
        "last": TIMES,
        "by": BY,
        "first_by": BY,
        "ends_on": ENDS,
        "without": st.sampled_from(list(TOLD)),
        "supervisor": TIMES,
    },
)


def written(changes: dict[str, object]) -> str:
    """A policy for P0 that is the shipped one but for `changes`, which may be looser than allowed."""
    lines = []
    for kind, roles in TOLD.items():
        tell = [role for role in roles if role != changes.get("dropped")]
        tell += [role for role in changes.get("more", []) if role not in tell]  # type: ignore[attr-defined]
        step = [f'kind = "{kind}"', f"tell = {tell}"]
        if kind == "at_once" and "first_by" in changes:
            step.append(f"by = {changes['first_by']!r}")
        if kind == "chase":
            step += [f'after = "{changes.get("after", "60 s")}"', f'every = "{changes.get("every", "60 s")}"']
            step += [f"{key} = {changes[key]!r}" for key in ("by", "ends_on") if key in changes]
        if kind == "unanswered":
            step.append(f'after = "{changes.get("last", "90 s")}"')
        if kind != changes.get("without"):
            lines.append("[[policy.step]]\n" + "\n".join(step))
    if "supervisor" in changes:
        lines.append(
            f'[[policy.step]]\nkind = "supervisor"\nafter = "{changes["supervisor"]}"\ntell = ["supervisor"]'
        )
    return '[[policy]]\nseverity = "P0"\n' + "\n".join(lines)


@FEW
@given(CHANGES, st.booleans())
def test_whatever_a_file_says_a_fire_nobody_answers_reaches_every_role_in_its_time(
    changes: dict[str, object], agreed: bool
) -> None:
    try:
        own = own_policies(policies_file(written(changes)), "mine.toml")
    except PolicyError:
        own = shipped_policies()  # which is what the service runs on then
    with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder), agreed=agreed) as story:
        story.settings = replace(story.settings, policies=own)
        story.at(0).smoke("501")
        first = story.between(0, 0)
        for who in TOLD["at_once"]:
            first.told(who)
        called = story.between(0, 60)
        for who in TOLD["at_once"]:
            called.told(who, by="voice")
        late = story.between(0, 90)
        late.told("supervisor")
        assert {m.code for m in late.messages if m.step == "unanswered"} >= {"duty_desk", "micro_station"}
        assert ("fire_brigade" in late.codes()) == agreed
        assert all(m.severity == Severity.P0 for m in late.messages)
