"""What a route shows is what happens when nobody answers."""

from __future__ import annotations

from sqlalchemy import Connection, insert, update

from alerts.case import Hazard, Incident
from alerts.route import People, Route, Whynot, route_of, step_label
from alerts.route_asked import incident_of, is_registered, where_of_device
from alerts.whereabouts import Whereabouts
from devices import schema as registry
from devices.database import reading, writing
from devices.model import Role, Severity
from tests.alerts.story import SECOND, START_US, Story

ZONE = "Asia/Shanghai"
HALF_AN_HOUR_S = 1800


def route_in(
    story: Story,
    uid: str,
    severity: Severity,
    hazard: Hazard | None = None,
    *,
    drill: bool = False,
    for_s: int = HALF_AN_HOUR_S,
) -> Route:
    with reading(story.engine) as connection:
        incident = incident_of(
            where_of_device(connection, uid),
            severity,
            story.now_us,
            hazard,
            frozenset({"drill"}) if drill else frozenset(),
        )
        return route_of(incident, people_by(connection, incident), for_us=for_s * SECOND, timezone=ZONE)


def people_by(connection: Connection, incident: Incident) -> People:
    return lambda now_us: Whereabouts(connection, now_us).bound(incident)


def shown(route: Route) -> list[tuple[float, str, str, str, str]]:
    return sorted(
        (h.after_us / SECOND, h.page.step, h.page.to.code, str(h.page.to.role), str(h.page.way.medium))
        for h in route.hops
    )


def happened(story: Story) -> list[tuple[float, str, str, str, str]]:
    sent = story.between(0, HALF_AN_HOUR_S).messages
    return sorted((m.at_s, m.step, m.code, m.role, m.medium) for m in sent)


def reasons(route: Route) -> dict[str, Whynot]:
    return {one.one.code: one.why for one in route.untold}


def test_a_route_of_smoke_is_what_happens_when_nobody_answers(story: Story) -> None:
    route = route_in(story, "smoke-501", Severity.P0)
    story.at(0).smoke("501")
    assert shown(route) == happened(story)
    assert len(route.hops) > 10


def test_a_route_of_a_confirmed_fire_is_what_happens_when_nobody_answers(story: Story) -> None:
    route = route_in(story, "smoke-501", Severity.P0_PLUS)
    story.at(0).electrical_fire("501")
    assert shown(route) == happened(story)
    assert route.cut
    assert next(h.after_us for h in route.hops if h.page.to.role is Role.FIRE_BRIGADE) == 0


def test_a_route_of_an_overload_is_what_happens_when_nobody_answers(story: Story) -> None:
    route = route_in(story, "monitor-501", Severity.P1)
    story.at(0).overload("501")
    assert shown(route) == happened(story)


def test_a_strangers_alarm_goes_to_the_duty_desk(story: Story) -> None:
    route = route_in(story, "zigbee:unheard-of", Severity.P0)
    assert {h.page.to.code for h in route.hops} == {"duty_desk"}
    with reading(story.engine) as connection:
        assert not is_registered(connection, "zigbee:unheard-of")
        assert is_registered(connection, "smoke-501")


def test_it_says_why_the_others_are_not_told(story: Story) -> None:
    assert reasons(route_in(story, "smoke-501", Severity.P0))["fire_brigade"] is Whynot.UNCONFIRMED
    lesser = reasons(route_in(story, "monitor-501", Severity.P1))
    assert lesser["duty_desk"] is Whynot.NOT_ASKED
    assert lesser["family-2"] is Whynot.BEFORE
    assert lesser["micro_station"] is Whynot.NOT_ASKED


def test_no_drill_reaches_a_station(story: Story) -> None:
    route = route_in(story, "smoke-501", Severity.P0_PLUS, drill=True)
    assert not {Role.MICRO_STATION, Role.FIRE_BRIGADE} & {h.page.to.role for h in route.hops}
    assert reasons(route)["micro_station"] is Whynot.EXERCISE
    assert reasons(route)["fire_brigade"] is Whynot.EXERCISE


def test_who_has_no_way_is_named_and_the_next_of_the_chain_is_told_in_their_place(story: Story) -> None:
    with writing(story.engine) as connection:
        owner = registry.contact_channel.c.contact_id == story.block.contacts["family"]
        connection.execute(update(registry.contact_channel).where(owner).values(removed_us=START_US))
    route = route_in(story, "smoke-501", Severity.P0)
    assert reasons(route)["family"] is Whynot.NO_WAY
    assert next(h for h in route.hops if h.page.to.role is Role.FAMILY).page.to.code == "family-2"


def test_who_is_away_is_named_with_who_stands_in_for_them(story: Story) -> None:
    with writing(story.engine) as connection:
        connection.execute(
            insert(registry.substitution).values(
                contact_id=story.block.contacts["grid_worker"],
                substitute_id=story.block.contacts["supervisor"],
                role=str(Role.GRID_WORKER),
                from_us=START_US - 1,
                until_us=START_US + 3600 * SECOND,
                made_us=START_US,
                made_by="test",
            )
        )
    route = route_in(story, "monitor-501", Severity.P2)
    assert reasons(route)["grid_worker"] is Whynot.AWAY
    told = next(h.page.to for h in route.hops if h.page.to.role is Role.GRID_WORKER)
    assert (told.code, told.stands_for) == ("supervisor", ("grid_worker",))


def test_the_further_ways_of_a_contact_are_in_the_order_they_would_be_taken(story: Story) -> None:
    first = next(h for h in route_in(story, "smoke-501", Severity.P0).hops if h.page.to.code == "family")
    assert (str(first.page.way.medium), [str(w.medium) for w in first.instead]) == ("push", ["sms", "voice"])


def test_rounds_of_a_step_that_repeats_are_numbered(story: Story) -> None:
    hops = route_in(story, "smoke-501", Severity.P0).hops
    assert {step_label(h.page) for h in hops} >= {"at_once", "chase 1", "chase 2", "unanswered"}
