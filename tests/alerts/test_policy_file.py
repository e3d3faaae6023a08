"""What a policies file may say, and the words it is refused with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.case import Hazard, State
from alerts.joining import Where
from alerts.plans import Plans, own_policies, shipped_policies
from alerts.policy import StepName, line_of
from alerts.policy_file import SEVERITIES
from alerts.route_asked import incident_of
from alerts.toml_table import FILE_BYTES, PolicyError
from devices.model import Medium, Role, Severity
from tests.alerts.policy_texts import SHIPPED, policies_file, shipped_policy

P2 = """
[[policy]]
severity = "P2"

[[policy.step]]
kind = "at_once"
tell = ["grid_worker", "maintenance"]
by = ["sms", "push"]

[[policy.step]]
kind = "chase"
after = "10 min"
every = "20 min"
tell = ["grid_worker"]
"""


def refused(text: str) -> str:
    with pytest.raises(PolicyError) as error:
        own_policies(text, "mine.toml")
    return str(error.value)


def test_the_shipped_file_holds_a_policy_of_every_severity_and_is_no_looser_than_itself() -> None:
    assert tuple(sorted(shipped_policies().shipped)) == tuple(sorted(SEVERITIES))
    assert not shipped_policies().own
    assert own_policies(SHIPPED, "mine.toml").own.keys() == {(one, "") for one in SEVERITIES}


def test_every_number_of_the_shipped_file_says_where_it_is_from() -> None:
    for one in shipped_policies().shipped.values():
        for plan in one.policy:
            said = dict(plan.source)
            assert "after" in said or not plan.after_s
            assert "every" in said or not plan.every_s
            assert "tell" in said or plan.after_s


def test_a_policy_of_the_site_takes_the_place_of_the_shipped_one_and_of_no_other() -> None:
    policies = own_policies(policies_file(P2), "mine.toml")
    own = policies.find("P2", ())
    first, chase = own.policy
    assert first.roles == (Role.GRID_WORKER, Role.MAINTENANCE)
    assert first.media == (Medium.SMS, Medium.PUSH)
    assert (chase.after_s, chase.every_s, chase.spares_residents) == (600, 1200, True)
    assert policies.find("P1", ()) == shipped_policies().find("P1", ())


def test_the_nearest_area_with_a_policy_of_its_own_counts_then_the_site_then_what_is_shipped() -> None:
    minutes = {"": "30 min", "district": "40 min", "grid": "50 min"}
    text = policies_file(
        *(shipped_policy("P2", ("2 h", after), area=area) for area, after in minutes.items())
    )
    policies = own_policies(text, "mine.toml")
    assert policies.areas == {"district", "grid"}
    for areas, after_s in (((), 1800), (("x", "district"), 2400), (("grid", "district"), 3000)):
        found = line_of(policies.find("P2", areas).policy, StepName.SECRETARY)
        assert found is not None and found.after_s == after_s
    incident = incident_of(Where("building:7", 0, 7), Severity.P2, 0)
    plan = Plans(policies, 2.0, {7: ("grid", "district")}).plan_of(incident, "secretary")
    assert plan is not None and plan.after_s == 3000
    elsewhere = Plans(policies, 2.0, {8: ("grid",)})
    assert elsewhere.patience_us(incident) == 900_000_000


def test_a_fault_of_the_system_has_the_policy_of_that_name_whatever_its_severity() -> None:
    incident = incident_of(Where("system:x"), Severity.P1, 0, Hazard.SYSTEM)
    assert Plans().policy_of(incident) == shipped_policies().find("system", ()).policy


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("policy = []", "mine.toml: key `version`: allowed: 1; write version = 1"),
        ("version = true\npolicy = []", "mine.toml, line 1: key `version`: allowed: 1; write version = 1"),
        ("version = 1\npolicy = 3", "line 2: key `policy`: is a number; allowed: [[policy]] tables"),
        ("version = 1\npolicy = [3]", "key `policy[0]`: is a number; allowed: a table"),
        (
            "version = 1\ncolour = 2\npolicy = []",
            "line 2: key `colour`: is unknown; allowed here: version, policy, deadlines",
        ),
        ("version = [", "mine.toml: not TOML: "),
        ("a = " + "[" * 20_000, "mine.toml: not TOML: "),
        ("#" * (FILE_BYTES + 1), "mine.toml: is too long: 65536 bytes are allowed"),
    ],
)
def test_a_file_that_is_none_is_refused(text: str, told: str) -> None:
    assert told in refused(text)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"P2"',
            '"P9"',
            "line 4: key `policy[0].severity`: `P9` is unknown; allowed: P0+, P0, P1, P2, P3, system",
        ),
        ('severity = "P2"', "", "line 3: key `policy[0].severity`: is missing; allowed: P0+, P0"),
        (
            'severity = "P2"',
            'severity = "P2"\narea = ""',
            "key `policy[0].area`: is empty; allowed: the code",
        ),
        (
            'severity = "P2"',
            'severity = "P2"\narea = 3',
            "key `policy[0].area`: is a number; allowed: a text of up",
        ),
        (
            'severity = "P2"',
            'severity = "P2"\nzone = 3',
            "key `policy[0].zone`: is unknown; allowed here: severity, area, step",
        ),
        (
            '"at_once"',
            '"help"',
            "line 7: key `policy[0].step[0].kind`: `help` is unknown; allowed: at_once, chase",
        ),
        ('"at_once"', "7", "key `policy[0].step[0].kind`: is a number; allowed: at_once"),
        ('"chase"', '"at_once"', "is unknown; allowed here: kind, tell, by, source"),
        (
            '"maintenance"',
            '"mayor"',
            "line 8: key `policy[0].step[0].tell`: `mayor` is unknown; allowed: a list of grid_worker",
        ),
        (
            '"maintenance"',
            '"grid_worker"',
            "key `policy[0].step[0].tell`: says the same twice; allowed: a list of",
        ),
        ('"maintenance"', "7", "key `policy[0].step[0].tell`: holds what is no text; allowed: a list of"),
        (
            '["grid_worker", "maintenance"]',
            "[]",
            "key `policy[0].step[0].tell`: is empty; allowed: a list of",
        ),
        (
            '["grid_worker", "maintenance"]',
            '"family"',
            "key `policy[0].step[0].tell`: is a text; allowed: a list of",
        ),
        (
            '["sms", "push"]',
            '"pigeon"',
            "line 9: key `policy[0].step[0].by`: `pigeon` is unknown; allowed: tell, call, or a list of push",
        ),
        (
            '["sms", "push"]',
            '["pigeon"]',
            "key `policy[0].step[0].by`: `pigeon` is unknown; allowed: a list of push",
        ),
        (
            'after = "10 min"',
            "",
            "line 11: key `policy[0].step[1].after`: is missing; allowed: a time such as",
        ),
        (
            '"10 min"',
            '"10"',
            "line 13: key `policy[0].step[1].after`: `10` is not a time; a number and one of ms",
        ),
        ('"10 min"', "10", "key `policy[0].step[1].after`: "),
        ('"10 min"', '"-1 s"', "is negative"),
        ('"10 min"', '"1 s"', "key `policy[0].step[1].after`: `1 s`: 10 s to 30 d are allowed"),
        ('"10 min"', '"31 d"', "`31 d`: 10 s to 30 d are allowed"),
        ('"20 min"', '"1 s"', "line 14: key `policy[0].step[1].every`: `1 s`: 30 s to 30 d are allowed"),
        (
            'kind = "chase"',
            'kind = "chase"\nheeds = "contact"',
            "key `policy[0].step[1].heeds`: `contact` is unknown; allowed: role, nobody",
        ),
        (
            'kind = "chase"',
            'kind = "chase"\nends_on = ["rain"]',
            "key `policy[0].step[1].ends_on`: `rain` is unknown; allowed: a list of arrived, confirmed",
        ),
        ('kind = "chase"', 'kind = "chase"\nspares_residents = 1', "is a number; allowed: true, false"),
        (
            'kind = "chase"',
            'kind = "chase"\nloud = true',
            "key `policy[0].step[1].loud`: is unknown; allowed here: kind, tell, by, after, every",
        ),
        (
            'kind = "chase"',
            'kind = "chase"\nsource = "law"',
            "key `policy[0].step[1].source`: is a text; allowed: a table",
        ),
        (
            'kind = "chase"',
            'kind = "chase"\nsource = { when = "x" }',
            "key `policy[0].step[1].source.when`: is unknown; allowed here: after",
        ),
        (
            'kind = "chase"',
            'kind = "chase"\nsource = { after = 3 }',
            "key `policy[0].step[1].source.after`: is a number; allowed: a text of up to 300",
        ),
        (
            'kind = "chase"\nafter = "10 min"\nevery = "20 min"',
            'kind = "at_once"',
            "line 12: key `policy[0].step[1].kind`: `at_once` stands twice; each kind once is allowed",
        ),
        (
            'kind = "at_once"',
            'kind = "secretary"\nafter = "1 h"',
            "key `policy[0].step`: life safety fixes this for P2: a step of kind `at_once` is missing",
        ),
        (
            '"maintenance"',
            '"fire_brigade"',
            "key `policy[0].step[0].tell`: fire_brigade is told of a confirmed fire (P0+), or by",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_line_key_and_what_is_allowed(old: str, new: str, told: str) -> None:
    assert old in P2
    assert told in refused(policies_file(P2.strip().replace(old, new)))


def test_two_policies_of_one_severity_are_refused_unless_their_areas_differ() -> None:
    twice = policies_file(P2, P2)
    assert "key `policy[1].severity`: `P2` stands twice; one policy of each is allowed" in refused(twice)
    there = P2.replace('"P2"', '"P2"\narea = "grid"')
    own_policies(policies_file(P2, there), "mine.toml")
    assert "stands twice in area grid" in refused(policies_file(there, there))


DEADLINES = """version = 1

[deadlines.P1]
arrived = "30 min"
closed = "90 d"

[deadlines.P1.source]
arrived = "our contract"
"""


def test_deadlines_of_the_site_take_the_place_of_those_of_a_severity() -> None:
    policies = own_policies(DEADLINES, "mine.toml")
    own = policies.deadlines_of("P1")
    assert own is not None
    assert own.limits_s == {"arrived": 1800, "closed": 90 * 86_400}
    assert own.source == (("arrived", "our contract"),)
    assert policies.deadlines_of("P0") == shipped_policies().deadlines_of("P0")
    assert policies.deadlines_of("system") is None
    incident = incident_of(Where("building:7", 0, 7), Severity.P1, 0)
    assert Plans(policies).deadline_s(incident, State.ARRIVED) == 1800
    assert Plans(policies).deadline_s(incident, State.HANDLED) is None


def test_every_shipped_deadline_says_where_it_is_from() -> None:
    assert set(shipped_policies().deadlines) == {"P0+", "P0", "P1", "P2"}
    for one in shipped_policies().deadlines.values():
        assert [key for key, _ in one.source] == list(one.limits_s)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[deadlines.P1]", "[deadlines.P9]", "line 3: key `deadlines.P9`: is unknown; allowed here: P0+, P0"),
        ("closed =", "read =", "line 5: key `deadlines.P1.read`: is unknown; allowed here: arrived, handled"),
        ("30 min", "30 s", "line 4: key `deadlines.P1.arrived`: `30 s`: 60 s to 365 d are allowed"),
        ("90 d", "soon", "line 5: key `deadlines.P1.closed`: `soon` is not a quantity"),
        ('"our contract"', "3", "line 8: key `deadlines.P1.source.arrived`: is a number; allowed: a text"),
        ("[deadlines.P1]", "[deadlines]", "line 4: key `deadlines.arrived`: is unknown; allowed here: P0+"),
    ],
)
def test_wrong_deadlines_are_refused(old: str, new: str, told: str) -> None:
    text = DEADLINES.partition("\n[deadlines.P1.source]")[0] if "[deadlines" in old else DEADLINES
    assert told in refused(text.replace(old, new))


FIRES = ["P0", "P0+"]
FIRE_ROLES = ["family", "neighbour", "grid_worker", "building_secretary", "micro_station", "duty_desk"]


@pytest.mark.parametrize("severity", FIRES)
@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        *((f'"{role}", ', "", f"{role} must be told too") for role in FIRE_ROLES[:5]),
        ('"supervisor", ', "", "supervisor must be told too"),
        ('after = "60 s"', 'after = "61 s"', "at most 60 s are allowed"),
        ('every = "60 s"', 'every = "2 min"', "at most 60 s are allowed"),
        ('after = "90 s"', 'after = "100 s"', "at most 90 s are allowed"),
        ('ends_on = ["false_alarm", "handled"]', 'ends_on = ["arrived"]', "allowed: false_alarm, handled"),
        (
            '"arrived", "confirmed", "false_alarm"',
            '"confirmed", "false_alarm"',
            "allowed: arrived, confirmed, false_alarm",
        ),
        ('heeds = "role"', 'heeds = "nobody"', "heeds`: life safety fixes this for P0"),
        ("spares_residents = true", "spares_residents = false", "allowed: true"),
        ('by = "call"', 'by = "tell"', "a call comes first"),
        (
            'by = "call"',
            'by = ["voice", "sms", "email"]',
            "push must stand there too, for who has nothing else",
        ),
        ('by = "call"', 'by = ["voice", "email", "sms", "push"]', "email comes last"),
        ('kind = "unanswered"', 'kind = "supervisor"', "a step of kind `unanswered` is missing"),
    ],
)
def test_no_file_loosens_who_is_told_of_a_fire(severity: str, old: str, new: str, told: str) -> None:
    assert told in refused(policies_file(shipped_policy(severity, (old, new))))


def test_the_repetition_to_residents_and_the_brigade_of_a_confirmed_fire_stay() -> None:
    for old, new, told in (
        (', "fire_brigade"]', "]", "fire_brigade must be told too"),
        ('kind = "repeat"', 'kind = "supervisor"', "is unknown"),
        ('"2 min"', '"3 min"', "at most 120 s are allowed"),
    ):
        assert told in refused(policies_file(shipped_policy("P0+", (old, new))))


def test_the_brigade_cannot_be_written_into_a_fire_that_nobody_confirmed() -> None:
    text = shipped_policy("P0", ('"duty_desk"]', '"duty_desk", "fire_brigade"]'))
    assert "no other step gets through the gate" in refused(policies_file(text))


@pytest.mark.parametrize(
    ("severity", "role"), [("P1", "family"), ("P1", "grid_worker"), ("system", "duty_desk")]
)
def test_lesser_alarms_keep_whom_they_tell_at_once(severity: str, role: str) -> None:
    text = shipped_policy(severity)
    head, mark, rest = text.partition("tell = ")
    line, end, tail = rest.partition("\n")
    line = line.replace(f'"{role}", ', "").replace(f', "{role}"', "").replace(f'"{role}"', '"supervisor"')
    said = refused(policies_file(head + mark + line + end + tail))
    assert f"life safety fixes this for {severity}: {role} must be told too" in said


def test_a_site_may_tell_more_people_sooner_and_louder() -> None:
    text = shipped_policy(
        "P0",
        ('"duty_desk"]', '"duty_desk", "supervisor", "volunteer"]'),
        ('after = "60 s"', 'after = "30 s"'),
        ('every = "60 s"', 'every = "30 s"'),
        ('by = "call"', 'by = ["voice", "push", "sms", "email"]'),
    )
    own = own_policies(policies_file(text), "mine.toml").find("P0", ())
    assert [plan.after_s for plan in own.policy] == [0, 30, 90]


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        own_policies(text, "mine.toml")
    except PolicyError as error:
        assert str(error).startswith("mine.toml")


@given(st.integers(0, len(SHIPPED) - 1), st.sampled_from(['"', "[", "]", "x", "=", "1", "\n", "", "{"]))
def test_no_slip_of_the_pen_breaks_the_reader(at: int, slip: str) -> None:
    try:
        own_policies(SHIPPED[:at] + slip + SHIPPED[at + 1 :], "mine.toml")
    except PolicyError as error:
        assert str(error).startswith("mine.toml")
