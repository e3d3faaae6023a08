"""Where an account sees and acts: streets, what is at no known place, and what changes while it looks."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import event, insert, select, update

from alerts import schema
from alerts.board_view import open_incidents
from alerts.case import Act
from console.access import Forbidden
from console.act import Posted, hand_in
from console.session import begin
from devices import schema as registry
from devices.database import reading, writing
from devices.registry import disable_user, move_building, set_role, set_scope
from devices.scope import EVERYWHERE, NOWHERE, Scope
from tests.console.block import Block, field
from tests.console.streets import ALL, HERE, INSIDE, OUTSIDE, SEEN, THERE, UNPLACED, Streets, login_of

CONSOLE: Final = Path(__file__).resolve().parents[2] / "console"
SCOPED: Final = {"open_incidents": 4, "count_open": 2, "incident_detail": 4}
"""What reads incidents for pages, and how many values it takes with the scope; conditions may follow."""


@pytest.fixture
def streets(block: Block) -> Streets:
    streets = Streets(block)
    streets.burns()
    return streets


def listed(reader: Any) -> set[int]:
    return {one["id"] for one in reader.client.get("/api/incidents").json()}


def test_no_page_asks_for_incidents_without_a_scope() -> None:
    calls = [
        (path.name, node)
        for path in CONSOLE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SCOPED
    ]
    names = {node.func.id for _, node in calls if isinstance(node.func, ast.Name)}
    assert names == SCOPED.keys()
    for name, node in calls:
        assert isinstance(node.func, ast.Name)
        place = SCOPED[node.func.id] - 1
        assert len(node.args) > place, (name, node.lineno)
        assert ast.unparse(node.args[place]).endswith("scope"), (name, node.lineno)


def test_another_scope_holds_from_the_next_request_on(streets: Streets) -> None:
    login = login_of("operator", HERE)
    with streets.block.console(login) as reader:
        for where, seen in SEEN.items():
            streets.sees(login, where)
            assert listed(reader) == seen
            answers = {n: reader.client.get(f"/incident/{n}").status_code for n in SEEN[ALL]}
            assert answers == {n: 200 if n in seen else 404 for n in SEEN[ALL]}


def test_a_building_that_moved_is_seen_where_it_lies_now(streets: Streets) -> None:
    with streets.block.console(login_of("operator", HERE)) as reader:
        with writing(streets.block.engine) as connection:
            move_building(connection, code="b9", area_code="grid", by="test", now_us=1)
        assert listed(reader) == {INSIDE, OUTSIDE}


def test_a_scope_is_the_sum_of_its_areas_with_all_below_them(streets: Streets) -> None:
    block = streets.block
    with reading(block.engine) as connection:
        codes = {
            row.code: row.id for row in connection.execute(select(registry.area.c.code, registry.area.c.id))
        }

        def seen(*areas: str) -> set[int]:
            scope = Scope(areas=frozenset(codes[code] for code in areas))
            return {one.id for one in open_incidents(connection, "en", 10, scope)}

        assert seen("grid") == seen("street") == seen("grid", "street") == {INSIDE}
        assert seen("grid", "grid-2") == seen("city") == {INSIDE, OUTSIDE}
        assert {one.id for one in open_incidents(connection, "en", 10, NOWHERE)} == set()
        assert {one.id for one in open_incidents(connection, "en", 10, EVERYWHERE)} == SEEN[ALL]


def test_what_was_merged_at_no_known_place_is_seen_with_its_whole_and_split_off_no_more(
    streets: Streets,
) -> None:
    block = streets.block
    block.smoke("501", device="x")
    block.decide()
    whole = 4
    with block.console(login_of("operator", HERE)) as reader:
        assert listed(reader) == {INSIDE, whole}
        streets.merges(UNPLACED, whole)
        assert reader.client.get(f"/incident/{UNPLACED}").status_code == 200
        detail = reader.client.get(f"/api/incidents/{whole}").json()
        assert [part["id"] for part in detail["parts"]] == [UNPLACED]
        with block.deciding():
            assert "已生效" in reader.act(whole, "split", leaving=f"#{UNPLACED}")
        assert reader.client.get(f"/incident/{UNPLACED}").status_code == 404
        assert listed(reader) == {INSIDE, whole}


def test_only_what_is_seen_can_be_chosen_or_named_to_merge_into(streets: Streets) -> None:
    block = streets.block
    block.overload("401")
    block.decide()
    nearby = 4
    with block.console(login_of("operator", HERE)) as reader:
        page = reader.client.get(f"/incident/{INSIDE}").text
        choices = re.findall(r'<option value="(\d+)">#', page)
        assert choices == [str(nearby)]
        answers = {reader.act(INSIDE, "merge", into=into) for into in (str(OUTSIDE), str(UNPLACED), "99")}
        notices = {re.findall(r'id="notice".*?</div>', one, re.DOTALL)[0] for one in answers}
        assert len(notices) == 1
        assert "没有这个编号的警情" in notices.pop()
    assert block.acts() == []


def test_a_grid_worker_acts_as_the_contact_and_takes_nothing_from_the_desk(streets: Streets) -> None:
    block = streets.block
    block.smoke("501", device="x")
    block.decide()
    fire = 4
    with block.console(login_of("grid_worker", HERE)) as reader:
        page = reader.client.get(f"/incident/{fire}").text
        assert 'id="act-arrived"' in page and 'id="act-close"' not in page and 'id="merging"' not in page
        with block.deciding():
            assert "已生效" in reader.act(fire, "acknowledge")
            assert "未生效" in reader.act(fire, "close", "x", disposition="real")
        assert 'data-untaken="1"' in reader.client.get("/siren").text
    worker = f"contact:{block.contacts['W1']}"
    assert block.acts() == [(worker, "acknowledge", "done"), (worker, "close", "refused")]


def test_what_a_worker_feeds_back_by_a_link_they_do_not_verify_here(streets: Streets) -> None:
    block = streets.block
    for act in ("arrived", "handled"):
        block.pass_s(1)
        block.answers("W1", act, INSIDE)
    row = {
        "once_key": "by-link", "incident_id": INSIDE, "actor": f"contact:{block.contacts['W1']}",
        "role": "grid_worker", "act": "feedback", "note": "油锅", "via": "link", "at_us": block.now_us,
    }  # fmt: skip
    with writing(block.engine) as connection:
        connection.execute(insert(schema.act), row)
    block.decide()
    with block.console(login_of("grid_worker", HERE)) as reader, block.deciding():
        assert "未生效" in reader.act(INSIDE, "verify")
    assert [outcome for *_, outcome in block.acts()] == ["done", "done", "done", "refused"]


def test_a_workers_account_without_a_contact_sees_and_does_nothing(streets: Streets) -> None:
    block = streets.block
    with writing(block.engine) as connection:
        connection.execute(update(registry.user).values(contact_id=None))
    with block.console(login_of("grid_worker", HERE)) as reader:
        page = reader.client.get(f"/incident/{INSIDE}").text
        assert "您的账号没有关联联系人" in page
        assert 'id="act-acknowledge"' not in page
        assert "您的账号没有关联联系人" in reader.act(INSIDE, "acknowledge")
    assert block.acts() == []


def test_a_worker_who_is_bound_elsewhere_is_a_stranger_here(streets: Streets) -> None:
    block = streets.block
    with writing(block.engine) as connection:
        values = {"contact_id": block.contacts["worker-nine"]}
        connection.execute(update(registry.user).values(values))
    with block.console(login_of("grid_worker", HERE)) as reader:
        assert "您未绑定此处" in reader.client.get(f"/incident/{INSIDE}").text
        with block.deciding():
            assert "未生效" in reader.act(INSIDE, "acknowledge")
    assert [outcome for *_, outcome in block.acts()] == ["refused"]


def test_an_erased_contact_is_nobodys_account_any_more(streets: Streets) -> None:
    block = streets.block
    with writing(block.engine) as connection:
        connection.execute(update(registry.contact).values(erased_us=1))
    with block.console(login_of("grid_worker", HERE)) as reader:
        assert "您的账号没有关联联系人" in reader.act(INSIDE, "note", "x")
    assert block.acts() == []


@pytest.mark.parametrize("change", ["scope", "role", "disabled"])
def test_who_may_act_is_asked_in_the_transaction_that_records_the_act(streets: Streets, change: str) -> None:
    """Another takes the street, the role or the account away between the first look and the act."""
    block, login = streets.block, login_of("operator", HERE)
    cookie: dict[str, Any] = {}
    with writing(block.engine) as connection:
        begin(connection, cookie, login, block.now_us)
    done: list[str] = []

    def take_away(_: object) -> None:
        if done:
            return
        done.append(change)
        with writing(block.engine) as connection:
            trace = {"login": login, "by": "test", "now_us": 1}
            if change == "scope":
                set_scope(connection, areas=["street-2"], **trace)  # type: ignore[arg-type]
            elif change == "role":
                set_role(connection, role="installer", **trace)  # type: ignore[arg-type]
            else:
                disable_user(connection, **trace)  # type: ignore[arg-type]

    for ending in ("commit", "rollback"):
        event.listen(block.engine, ending, take_away)
    with pytest.raises(Exception) as refused:
        hand_in(block.engine, INSIDE, cookie, Posted(Act.CONFIRM, "", "", "1"), block.now_us, "en", 0.01)
    names = {"scope": "HTTPException", "role": Forbidden.__name__, "disabled": "NotSignedIn"}
    assert type(refused.value).__name__ == names[change]
    assert done and block.acts() == []


def test_a_script_hands_its_token_in_by_a_header(streets: Streets) -> None:
    with streets.block.console(login_of("operator", HERE)) as reader:
        page = reader.client.get("/").text
        token = re.findall(r'name="csrf-token" content="([^"]+)"', page)[0]
        form = {"act": "note", "note": "x", "once": "1"}
        streets.block.wait_s = 0.01
        url = f"/incident/{INSIDE}/act"
        assert reader.client.post(url, data=form, headers={"X-CSRF-Token": "made-up"}).status_code == 403
        assert reader.client.post(url, data=form).status_code == 403
        assert streets.block.acts() == []
        with streets.block.deciding():
            assert reader.client.post(url, data=form, headers={"X-CSRF-Token": token}).status_code == 200
    assert len(streets.block.acts()) == 1


def test_the_header_says_who_it_is_with_which_role_and_where(streets: Streets) -> None:
    said = {}
    for where in SEEN:
        with streets.block.console(login_of("supervisor", where)) as reader:
            page = reader.client.get("/").text
            said[where] = re.findall(r'id="who"[^>]*>([^<]+)<', page)[0]
    assert said == {
        HERE: "supervisor.here · 主管 · 槐树街道",
        THERE: "supervisor.there · 主管 · 柳树街道",
        ALL: "supervisor.all · 主管 · 全部区域",
    }


def test_whoever_may_not_open_a_page_is_told_so_in_their_language_and_may_log_out(streets: Streets) -> None:
    with streets.block.console(login="") as reader:
        form = {"login": login_of("installer", HERE), "password": "a-long-night-watch", "csrf": reader.csrf()}
        answer = reader.client.post("/login", data=form)
        assert answer.status_code == 403
        assert "您的账号无权打开此页" in answer.text and "安装人员" in answer.text
        assert "Your account may not open this page" in reader.client.get("/?lang=en").text
        assert reader.client.get("/board", headers={"HX-Request": "true"}).text == (
            "Your account may not open this page"
        )
        assert reader.client.get("/api/incidents").json() == {"detail": "not for this role"}
        csrf = field(reader.client.get("/").text, "csrf")
        reader.client.post("/logout", data={"csrf": csrf})
        assert reader.client.get("/", follow_redirects=False).status_code == 303


def test_faults_name_places_and_people_only_to_who_sees_everywhere(streets: Streets) -> None:
    streets.block.fault("unreachable_places", "2 处无人：b7-2-501、b9-1-901")
    streets.block.fault("no_duty_desk", "没有可联系的值班台")
    streets.block.fault("ingest.silent", "接收进程没有响应")
    pages = {}
    for role, where in (("operator", HERE), ("operator", ALL), ("grid_worker", HERE), ("admin", THERE)):
        with streets.block.console(login_of(role, where)) as reader:
            pages[role, where] = reader.client.get("/board").text
    assert "b9-1-901" in pages["operator", ALL]
    for key in (("operator", HERE), ("admin", THERE)):
        assert "b9-1-901" not in pages[key] and "unreachable_places: 可能涉及其他区域" in pages[key]
        assert "没有可联系的值班台" in pages[key] and "接收进程没有响应" in pages[key]
    assert "系统故障" not in pages["grid_worker", HERE]


def test_the_board_says_when_nobody_at_a_desk_sees_what_is_at_no_known_place(streets: Streets) -> None:
    block = streets.block
    said = "地点不明的报警不会出现在任何人的屏幕上"
    with block.console(login_of("admin", ALL)) as reader:
        assert said not in reader.client.get("/board").text
        keep = login_of("operator", HERE)
        with writing(block.engine) as connection:
            desks = registry.user.c.role.in_(("operator", "supervisor")) & (registry.user.c.login != keep)
            connection.execute(update(registry.user).where(desks).values(disabled_us=1))
            disable_user(connection, login=login_of("grid_worker", ALL), by="test", now_us=1)
        page = reader.client.get("/board").text
        assert said in page and "grid-2" in page
    with block.console(keep) as reader:
        page = reader.client.get("/board").text
        assert said in page and "grid-2" not in page
