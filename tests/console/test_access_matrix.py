"""Who gets what from every route there is: made from the application's own routes, asked over a socket.

A route that this table does not know fails, and so does one that lets anybody in without `needs`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from console.access import RIGHTS, Needs, Right, needs
from console.app import create_console
from console.session import SignedIn
from gengfu.ports import free_port
from tests.console.block import PASSWORD, field
from tests.console.people_house import TELEPHONE, Telephoned
from tests.console.served import console_on
from tests.console.streets import (
    ALL,
    HERE,
    OF_HERE,
    OF_THERE,
    ROLES,
    SEEN,
    THERE,
    UNPLACED,
    Streets,
    login_of,
)

Route = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route asks for, and whether it is about one thing in a place (404 to who does not see it): an
    incident, an area, a building, a dwelling."""

    right: Right
    of_one: bool = False


SEE: Final = Right.SEE_INCIDENTS
RULES: Final[dict[Route, Rule]] = {
    ("GET", "/"): Rule(SEE),
    ("GET", "/board"): Rule(SEE),
    ("GET", "/siren"): Rule(SEE),
    ("GET", "/live"): Rule(SEE),
    ("GET", "/incident/{incident_id}"): Rule(SEE, of_one=True),
    ("GET", "/incident/{incident_id}/fragment"): Rule(SEE, of_one=True),
    ("GET", "/incident/{incident_id}/values"): Rule(SEE, of_one=True),
    ("GET", "/incident/{incident_id}/series/{slot}"): Rule(SEE, of_one=True),
    ("POST", "/incident/{incident_id}/act"): Rule(Right.ACT, of_one=True),
    ("GET", "/incident/{incident_id}/people"): Rule(SEE, of_one=True),
    ("POST", "/incident/{incident_id}/number/{channel}"): Rule(Right.SEE_NUMBERS, of_one=True),
    ("GET", "/incident/{incident_id}/past"): Rule(SEE, of_one=True),
    ("GET", "/places"): Rule(SEE),
    ("GET", "/places/fragment"): Rule(SEE),
    ("GET", "/places/{area_id}"): Rule(SEE, of_one=True),
    ("GET", "/places/{area_id}/fragment"): Rule(SEE, of_one=True),
    ("GET", "/building/{building_id}"): Rule(SEE, of_one=True),
    ("GET", "/building/{building_id}/fragment"): Rule(SEE, of_one=True),
    ("GET", "/dwelling/{dwelling_id}"): Rule(SEE, of_one=True),
    ("GET", "/dwelling/{dwelling_id}/fragment"): Rule(SEE, of_one=True),
    ("GET", "/dwelling/{dwelling_id}/devices"): Rule(SEE, of_one=True),
    ("GET", "/wall"): Rule(SEE),
    ("GET", "/wall/fragment"): Rule(SEE),
    ("GET", "/api/incidents"): Rule(SEE),
    ("GET", "/api/incidents/{incident_id}"): Rule(SEE, of_one=True),
}
PUBLIC: Final[set[Route]] = {
    ("GET", "/login"), ("POST", "/login"), ("POST", "/logout"), ("GET", "/healthz"),
    ("GET", "/sound/alarm.wav"), ("*", "/static"),
}  # fmt: skip
"""Open to strangers: how to get in and out, health, and files that say nothing of anybody."""
TABLE: Final = {
    "operator": {SEE, Right.ACT, Right.SEE_NUMBERS},
    "supervisor": {SEE, Right.ACT, Right.SEE_NUMBERS},
    "grid_worker": {SEE, Right.ACT},
    "admin": {SEE},
    "installer": set[Right](),
}
"""Which of these rights a role has, written down a second time."""


def routes_of(app: FastAPI) -> dict[Route, Dependant | None]:
    """Every route with the tree of what it depends on; None for what is no route of FastAPI's."""
    found: dict[Route, Dependant | None] = {}
    for one in iter_route_contexts(app.routes):
        for method in one.methods or {"*"}:
            found[method, str(one.path)] = getattr(one, "dependant", None)
    return found


def rights_in(dependant: Dependant | None) -> set[Right]:
    """What `needs` in the tree asks for."""
    if dependant is None:
        return set()
    own = {dependant.call.right} if isinstance(dependant.call, Needs) else set[Right]()
    return own.union(*(rights_in(one) for one in dependant.dependencies))


def without_rule(app: FastAPI) -> set[Route]:
    """Routes that this table does not know."""
    return routes_of(app).keys() - RULES.keys() - PUBLIC


def without_needs(app: FastAPI) -> set[Route]:
    """Routes that let anybody in though they are not for strangers."""
    return {route for route, tree in routes_of(app).items() if not rights_in(tree)} - PUBLIC


@pytest.fixture
def streets(database: str, tmp_path: Path) -> Iterator[Streets]:
    """Two streets, of which the first has a meter with values and a grid worker with a telephone."""
    house = Telephoned(database, tmp_path)
    house.wait_s = 0.01
    house.says(1, 41.2)
    streets = Streets(house)
    streets.burns()
    yield streets
    house.close()


@pytest.fixture
def app(streets: Streets) -> FastAPI:
    return create_console(streets.block.console_settings(), streets.block.engine)


def test_every_route_has_a_rule_and_asks_for_what_its_rule_says(app: FastAPI) -> None:
    assert without_rule(app) == set()
    assert without_needs(app) == set()
    asked = {route: rights_in(tree) for route, tree in routes_of(app).items() if route not in PUBLIC}
    assert asked == {route: {rule.right} for route, rule in RULES.items()}


def test_a_new_route_without_a_rule_or_without_needs_is_noticed(app: FastAPI) -> None:
    def page() -> str:
        return ""

    def kept(_: SignedIn = Depends(needs(Right.SEE_FAULTS))) -> str:  # noqa: B008
        return ""

    app.add_api_route("/new", page)
    app.add_api_route("/kept", kept, methods=["POST"])
    assert without_rule(app) == {("GET", "/new"), ("POST", "/kept")}
    assert without_needs(app) == {("GET", "/new")}


def test_the_table_of_rights_is_the_one_of_the_console() -> None:
    known = {rule.right for rule in RULES.values()}
    assert {role: RIGHTS[role] & known for role in ROLES} == TABLE
    assert RIGHTS.keys() == set(ROLES)


def expected(route: Route, role: str, where: str) -> int:
    """The answer of a route about something in the first street to an account."""
    rule = RULES[route]
    if rule.right not in TABLE[role]:
        return 403
    return 404 if rule.of_one and where == THERE else 200


def expected_of_strangers(route: Route) -> int:
    method, path = route
    if method == "GET" and path != "/live" and not path.startswith("/api/"):
        return 303
    return 401


@contextlib.contextmanager
def signed_in(address: str, login: str) -> Iterator[tuple[httpx2.Client, str]]:
    """A browser of this account and its session's token; of nobody for an empty login."""
    with httpx2.Client(base_url=address, timeout=20) as client:
        csrf = field(client.get("/login").text, "csrf")
        if login:
            form = {"login": login, "password": PASSWORD, "csrf": csrf}
            assert client.post("/login", data=form).status_code == 303
            csrf = re.findall(r'name="csrf-token" content="([^"]+)"', client.get("/").text)[0]
        yield client, csrf


def urls(streets: Streets, path: str) -> tuple[str, list[str]]:
    """The address of a route about something in the first street, and those about what lies elsewhere or is
    not there."""
    (name,) = re.findall(r"{(\w+_id)}", path) or ("",)
    if not name:
        return path, []
    here, there, others = streets.ids(name)
    path = path.replace("{slot}", "1").replace("{channel}", str(TELEPHONE))
    fill = [path.replace("{" + name + "}", str(n)) for n in (here, there, *others)]
    return fill[0], fill[1:]


def ask(client: httpx2.Client, route: Route, url: str, csrf: str) -> tuple[int, str]:
    """The status and text of a route; of a stream its beginning."""
    method, path = route
    form = {"act": "note", "note": "seen", "once": "1"} if method == "POST" else None
    headers = {"X-CSRF-Token": csrf} if method == "POST" else {}
    if path == "/live":
        with client.stream(method, f"{url}?since=0") as answer:
            if answer.status_code != 200:
                return answer.status_code, "".join(answer.iter_text())
            return 200, until_hello(answer)
    answer = client.request(method, url, data=form, headers=headers)
    return answer.status_code, answer.text


def until_hello(answer: Any) -> str:
    lines = []
    for line in answer.iter_lines():
        lines.append(line)
        if line == "event: hello":
            break
    return "\n".join(lines)


def test_every_route_answers_every_role_in_every_place_as_the_table_says(streets: Streets) -> None:
    found, wanted, leaks = {}, {}, []
    address_of = {route: urls(streets, route[1])[0] for route in RULES}
    with console_on(streets.block, free_port()) as address:
        for role in ROLES:
            for where in SEEN:
                with signed_in(address, login_of(role, where)) as (client, csrf):
                    for route in RULES:
                        status, text = ask(client, route, address_of[route], csrf)
                        found[route, role, where] = status
                        wanted[route, role, where] = expected(route, role, where)
                        leaks += [(route, role, where, word) for word in elsewhere(where) if word in text]
        with signed_in(address, "") as (client, csrf):
            for route in RULES:
                found[route, "", ""] = ask(client, route, address_of[route], csrf)[0]
                wanted[route, "", ""] = expected_of_strangers(route)
    assert {key: status for key, status in found.items() if status != wanted[key]} == {}
    assert leaks == []
    may_act = [(role, where) for role in ROLES for where in (HERE, ALL) if Right.ACT in TABLE[role]]
    worker = f"contact:{streets.block.contacts['W1']}"
    actors = [worker if role == "grid_worker" else f"user:{login_of(role, at)}" for role, at in may_act]
    assert sorted(actor for actor, *_ in streets.block.acts()) == sorted(actors)


def elsewhere(where: str) -> tuple[str, ...]:
    """Words that a page for this place must not hold."""
    return {HERE: OF_THERE, THERE: OF_HERE, ALL: ()}[where]


def test_lists_hold_the_incidents_of_the_place_and_no_others(streets: Streets) -> None:
    with console_on(streets.block, free_port()) as address:
        for role in ("operator", "supervisor", "grid_worker", "admin"):
            for where, seen in SEEN.items():
                with signed_in(address, login_of(role, where)) as (client, _):
                    listed = {one["id"] for one in client.get("/api/incidents").json()}
                    boards = [client.get(path).text for path in ("/", "/board")]
                    shown = [{int(n) for n in re.findall(r'id="incident-(\d+)"', one)} for one in boards]
                    assert [listed, *shown] == [seen] * 3, (role, where)
                    assert f"{len(seen)} 未结束" in boards[0]
                    siren = client.get("/siren").text
                    assert f'data-untaken="{int(UNPLACED in seen)}"' in siren


def test_what_lies_in_another_street_answers_exactly_as_what_is_not_there(streets: Streets) -> None:
    of_one = [route for route, rule in RULES.items() if rule.of_one]
    with (
        console_on(streets.block, free_port()) as address,
        signed_in(address, login_of("operator", HERE)) as (client, csrf),
    ):
        for method, path in of_one:
            for fragment in ({}, {"HX-Request": "true"}):
                answers = []
                for url in urls(streets, path)[1]:
                    form = {"act": "confirm", "csrf": csrf, "once": "1"} if method == "POST" else None
                    answer = client.request(method, url, data=form, headers=fragment)
                    answers.append((answer.status_code, answer.text.replace(url, "")))
                assert answers == [answers[0]] * len(answers), path
                assert (answers[0][0], len(answers) > 1) == (404, True), path
    assert streets.block.acts() == []
