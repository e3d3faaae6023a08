import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from structlog.testing import capture_logs

from alerts import schema
from alerts.case import Act
from console.access import Forbidden
from console.people_looks import LOOKS, WINDOW_US, Number, look_at
from console.people_seam import NoNumber, Unopened, seam_at
from console.session import begin
from devices import schema as registry
from devices.database import reading, writing
from devices.model import Severity
from tests.console.block import Reader, new
from tests.console.people_house import DIGITS, MASKED, NAME, NUMBER, SHUT, PeopleHouse
from tests.console.streets import HERE, Streets, login_of


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[PeopleHouse]:
    house = PeopleHouse(database, tmp_path)
    yield house
    house.engine.dispose()


@pytest.fixture
def fire(house: PeopleHouse) -> PeopleHouse:
    house.smoke("501")
    house.decide()
    return house


def people_of(reader: Reader, incident_id: int = 1, language: str = "en") -> str:
    return reader.client.get(f"/incident/{incident_id}/people?lang={language}").text


def rows_of(html: str) -> dict[str, str]:
    """The text of each line by contact code, without its markup."""
    lines = html.split('<li id="person-')[1:]
    plain = [" ".join(re.sub(r"<[^>]+>", " ", line.partition(">")[2]).split()) for line in lines]
    return {found[1]: line for line in plain if (found := re.search(r"\b([A-Z]+\d+)\b", line))}


def ask(
    reader: Reader, channel: int, incident_id: int = 1, part: bool = True, lang: str = "en"
) -> tuple[int, str]:
    """Presses the button of a channel."""
    csrf = re.findall(r'name="csrf-token" content="([^"]+)"', reader.client.get("/").text)[0]
    url = f"/incident/{incident_id}/number/{channel}?lang=en"
    answer = reader.client.post(url, data={"csrf": csrf}, headers={"HX-Request": "true"})
    return answer.status_code, answer.text


def holds_number(text: str) -> bool:
    return any(form in text for form in (NUMBER, *DIGITS))


def test_everybody_of_the_place_is_listed_with_role_masked_name_and_how_far_each_was_reached(
    fire: PeopleHouse,
) -> None:
    with fire.console() as reader:
        lines = rows_of(people_of(reader))
    assert lines.keys() == {"F501", "N401", "W1", "B1", "M1", "FB1", "D1"}
    assert all(MASKED in line for line in lines.values())
    assert "Family" in lines["F501"] and "handed over" in lines["F501"]
    assert "not told" in lines["FB1"]
    assert "next door" in lines["N401"]


def test_a_name_stands_nowhere_in_clear(fire: PeopleHouse) -> None:
    with fire.console() as reader:
        pages = [people_of(reader), reader.client.get("/incident/1").text, ask(reader, fire.ways["F501"])[1]]
    assert not any(NAME in page for page in pages)


def test_who_was_told_comes_first_in_the_order_in_which_they_were(fire: PeopleHouse) -> None:
    n = schema.notification.c
    with writing(fire.engine) as connection:
        connection.execute(schema.attempt.delete())
        first = update(schema.notification).where(n.contact_id == fire.contacts["D1"])
        connection.execute(first.values(id=-1))
    with fire.console() as reader:
        order = list(rows_of(people_of(reader)))
    assert order[0] == "D1"
    assert order[-1] == "FB1"


def test_nobody_was_told_and_the_others_stand_as_their_roles_are_told(house: PeopleHouse) -> None:
    house.smoke("501")
    house.decide()
    with writing(house.engine) as connection:
        for table in (schema.attempt, schema.notification):
            connection.execute(table.delete())
    with house.console() as reader:
        order = list(rows_of(people_of(reader)))
    assert order == ["F501", "N401", "W1", "B1", "M1", "D1", "FB1"]


def test_how_far_the_furthest_message_got_is_shown_for_each_way(fire: PeopleHouse) -> None:
    told_again(fire, "W1", state="dead")
    told_again(fire, "W1", state="accepted", accepted_us=fire.now_us, read_us=fire.now_us)
    told_again(fire, "W1", state="waiting")
    fire.pass_s(1)
    fire.answers("F501", "acknowledge")
    fire.decide()
    with fire.console() as reader:
        lines = rows_of(people_of(reader))
    assert " read " in lines["W1"]
    assert "answered" in lines["F501"]
    assert "answered" not in lines["W1"] + lines["N401"]


def told_again(fire: PeopleHouse, code: str, **more: object) -> None:
    """Another message by the same way."""
    n = schema.notification.c
    with writing(fire.engine) as connection:
        mine = select(schema.notification).where(n.contact_id == fire.contacts[code]).order_by(n.id)
        row = dict(connection.execute(mine).mappings().all()[0])
        row |= {"key": f"{row['key']}/{more}", "accepted_us": None, **more}
        del row["id"]
        connection.execute(insert(schema.notification), row)


def test_who_has_no_way_and_whose_messages_were_all_lost_is_called_unreachable(fire: PeopleHouse) -> None:
    n, c = schema.notification.c, registry.contact_channel.c
    with writing(fire.engine) as connection:
        lost = update(schema.notification).where(n.contact_id == fire.contacts["W1"])
        connection.execute(lost.values(state="dead", accepted_us=None))
        gone = update(registry.contact_channel).where(c.contact_id == fire.contacts["B1"])
        connection.execute(gone.values(removed_us=1))
    with fire.console() as reader:
        lines = rows_of(people_of(reader))
    assert "unreachable" in lines["W1"]
    assert "unreachable" in lines["B1"] and "no way to reach them is registered" in lines["B1"]
    assert "unreachable" not in lines["F501"]


def test_who_is_away_and_who_stands_in_is_said(fire: PeopleHouse) -> None:
    row = {
        "contact_id": fire.contacts["W1"], "substitute_id": fire.contacts["B1"], "role": "",
        "from_us": 0, "until_us": 2**62, "made_us": 0, "made_by": "test",
    }  # fmt: skip
    with writing(fire.engine) as connection:
        new(connection, registry.substitution, row)
    with fire.console() as reader:
        lines = rows_of(people_of(reader))
    assert "away" in lines["W1"]
    assert "stands in for W1" in lines["B1"]


def test_the_number_is_in_the_answer_to_one_press_and_nowhere_before(fire: PeopleHouse) -> None:
    with fire.console() as reader, capture_logs() as logs:
        before = [people_of(reader), reader.client.get("/incident/1").text]
        status, answer = ask(reader, fire.ways["F501"])
        after = [people_of(reader), reader.client.get("/incident/1").text, reader.client.get("/").text]
    assert (status, NUMBER in answer) == (200, True)
    assert 'href="tel:+8613800001234"' in answer
    assert 'data-gone-s="60"' in answer
    assert not any(holds_number(page) for page in before + after)
    assert not holds_number(repr(logs))


def test_the_answer_is_not_stored_and_a_page_without_scripts_leaves_by_itself(fire: PeopleHouse) -> None:
    with fire.console() as reader:
        csrf = reader.csrf("/incident/1")
        url = f"/incident/1/number/{fire.ways['F501']}"
        part = reader.client.post(url, data={"csrf": csrf}, headers={"HX-Request": "true"})
        whole = reader.client.post(url, data={"csrf": csrf})
    assert [answer.headers["Cache-Control"] for answer in (part, whole)] == ["no-store"] * 2
    assert "<html" in whole.text and NUMBER in whole.text
    assert whole.headers["Refresh"] == "60; url=/incident/1"
    assert "Refresh" not in part.headers


def test_the_look_is_on_record_with_who_when_whom_and_why_and_on_the_timeline(fire: PeopleHouse) -> None:
    channel = fire.ways["F501"]
    with fire.console() as reader:
        ask(reader, channel)
        chinese, english = (reader.client.get(f"/incident/1?lang={one}").text for one in ("zh-CN", "en"))
    (look,) = fire.looks()
    assert (look.at_us, look.by, look.contact) == (fire.now_us, "user:night", "F501")
    assert look.what == f"number, channel {channel}, incident 1"
    assert "查看了 F501 的号码" in chinese
    assert "looked at the number of F501" in english
    assert [by for by, _ in fire.timeline()] == ["user:night"]
    assert not holds_number(repr(fire.timeline()))


def test_a_press_without_the_sessions_token_shows_nothing_and_is_no_look(fire: PeopleHouse) -> None:
    with fire.console() as reader:
        answer = reader.client.post(f"/incident/1/number/{fire.ways['F501']}", data={"csrf": "forged"})
    assert (answer.status_code, holds_number(answer.text), fire.looks()) == (403, False, [])


@pytest.mark.parametrize("login", ["root", "night"])
def test_only_who_may_see_numbers_has_the_button(fire: PeopleHouse, login: str) -> None:
    with fire.console(login) as reader:
        has_button = f'id="ask-{fire.ways["F501"]}"' in people_of(reader)
        status, answer = ask(reader, fire.ways["F501"])
    may = login == "night"
    assert (has_button, status, holds_number(answer), len(fire.looks())) == (
        may,
        200 if may else 403,
        may,
        may,
    )


def test_the_role_is_asked_for_again_where_the_look_is_recorded(fire: PeopleHouse) -> None:
    session: dict[str, object] = {}
    with writing(fire.engine) as connection:
        begin(connection, session, "night", fire.now_us)
        mine = registry.user.c.login == "night"
        connection.execute(update(registry.user).where(mine).values(role="installer"))
    with pytest.raises(Forbidden):
        look_at(fire.engine, fire.seam, 1, fire.ways["F501"], session, fire.now_us)
    assert fire.looks() == []


def test_of_a_contact_of_another_street_there_is_nothing_and_no_look(fire: PeopleHouse) -> None:
    Streets(fire)
    there = fire.telephone("worker-nine", "13700000009")
    fire.overload("901")
    fire.decide()
    with fire.console(login_of("operator", HERE)) as reader:
        answers = [ask(reader, there, incident_id) for incident_id in (1, 2, 99)] + [
            ask(reader, 9_999),
            ask(reader, fire.ways["F501"], 2),
            ask(reader, fire.push_of("F501")),
        ]
        assert reader.client.get("/incident/2/people").status_code == 404
    assert [status for status, _ in answers] == [404] * 6
    assert len({text for _, text in answers}) == 1
    assert (fire.looks(), fire.timeline()) == ([], [])


def test_a_way_that_was_removed_or_a_contact_that_was_erased_is_not_there(fire: PeopleHouse) -> None:
    c = registry.contact_channel.c
    with writing(fire.engine) as connection:
        gone = update(registry.contact_channel).where(c.id == fire.ways["F501"])
        connection.execute(gone.values(removed_us=1))
        erased = update(registry.contact).where(registry.contact.c.code == "W1")
        connection.execute(erased.values(erased_us=1))
    with fire.console() as reader:
        assert [ask(reader, fire.ways[code])[0] for code in ("F501", "W1")] == [404, 404]
    assert fire.looks() == []


def test_the_brigade_is_called_through_the_confirm_gate_only(fire: PeopleHouse) -> None:
    with fire.console() as reader:
        shown = people_of(reader)
        status, answer = ask(reader, fire.ways["FB1"])
        assert f'id="ask-{fire.ways["FB1"]}"' not in shown
        assert "once a fire is confirmed" in rows_of(shown)["FB1"]
        assert (status, "once a fire is confirmed" in answer, fire.looks()) == (409, True, [])
        with fire.deciding():
            reader.act(1, str(Act.CONFIRM))
        assert f'id="ask-{fire.ways["FB1"]}"' in people_of(reader)
        assert ask(reader, fire.ways["FB1"])[0] == 200


def test_a_brigade_that_agreed_to_unconfirmed_alarms_may_be_called_at_once(fire: PeopleHouse) -> None:
    with writing(fire.engine) as connection:
        mine = registry.binding.c.contact_id == fire.contacts["FB1"]
        connection.execute(update(registry.binding).where(mine).values(takes_unconfirmed=True))
    with fire.console() as reader:
        assert "takes unconfirmed alarms" in rows_of(people_of(reader))["FB1"]
        assert ask(reader, fire.ways["FB1"])[0] == 200


def test_of_an_exercise_no_stations_number_is_shown(fire: PeopleHouse) -> None:
    with writing(fire.engine) as connection:
        here = {"tags": "drill", "severity": Severity.P0_PLUS}
        connection.execute(update(schema.incident).values(here))
    with fire.console() as reader:
        assert [ask(reader, fire.ways[code])[0] for code in ("M1", "FB1", "W1")] == [409, 409, 200]
        assert "an exercise" in rows_of(people_of(reader))["M1"]


def test_a_day_after_it_ended_no_numbers_are_shown_any_more(fire: PeopleHouse) -> None:
    with writing(fire.engine) as connection:
        connection.execute(update(schema.incident).values(state="closed", closed_us=fire.now_us))
    fire.pass_s(24 * 3600)
    with fire.console() as reader:
        assert ask(reader, fire.ways["F501"])[0] == 200
    fire.pass_s(1)
    with fire.console() as reader:
        status, answer = ask(reader, fire.ways["F501"])
    assert (status, holds_number(answer), len(fire.looks())) == (409, False, 1)


def test_one_user_sees_thirty_numbers_in_ten_minutes_and_the_refusal_is_logged(fire: PeopleHouse) -> None:
    channel = fire.ways["F501"]
    row = {"at_us": fire.now_us, "by": "user:night", "contact_id": 1, "what": "number"}
    with writing(fire.engine) as connection:
        connection.execute(insert(registry.look), [row] * (LOOKS - 1))
    with fire.console() as reader, capture_logs() as logs:
        assert ask(reader, channel)[0] == 200
        status, answer = ask(reader, channel)
        assert (status, holds_number(answer), "Too many" in answer) == (429, False, True)
        assert len(fire.looks()) == len(fire.timeline()) + LOOKS - 1 == LOOKS
        (refused,) = [one for one in logs if one["event"] == "number_refused"]
        assert (refused["by"], refused["incident"]) == ("user:night", 1)
        fire.pass_s(WINDOW_US / 1e6)
        assert ask(reader, channel)[0] == 200
    with fire.console("second") as reader:
        assert ask(reader, channel)[0] == 200


def test_where_the_key_does_not_open_the_page_says_so_and_the_rest_works(fire: PeopleHouse) -> None:
    fire.seam = SHUT
    with fire.console() as reader, capture_logs() as logs:
        english, chinese = people_of(reader), people_of(reader, language="zh-CN")
        status, answer = ask(reader, fire.ways["F501"])
        assert reader.client.get("/incident/1").status_code == 200
    assert "names and numbers cannot be shown now" in english
    assert "现在不能显示姓名和号码" in chinese
    assert rows_of(english).keys() == {"F501", "N401", "W1", "B1", "M1", "FB1", "D1"}
    assert "handed over" in rows_of(english)["F501"]
    assert 'id="ask-' not in english
    assert (status, "does not open this number" in answer) == (409, True)
    assert (fire.looks(), fire.timeline()) == ([], [])
    assert {"names_not_opened", "number_not_opened"} <= {one["event"] for one in logs}


def test_one_seal_that_is_broken_costs_its_own_name_and_number_alone(fire: PeopleHouse) -> None:
    c = registry.contact_channel.c
    with writing(fire.engine) as connection:
        name = update(registry.contact).where(registry.contact.c.code == "F501")
        connection.execute(name.values(name_sealed=b"torn"))
        number = update(registry.contact_channel).where(c.id == fire.ways["F501"])
        connection.execute(number.values(address_sealed=b"torn"))
    with fire.console() as reader:
        lines = rows_of(people_of(reader))
        assert [ask(reader, fire.ways[code])[0] for code in ("F501", "W1")] == [409, 200]
    assert "name cannot be opened" in lines["F501"]
    assert MASKED in lines["W1"]
    assert [one.contact for one in fire.looks()] == ["W1"]


def test_a_key_file_that_comes_later_is_taken_up(fire: PeopleHouse, tmp_path: Path) -> None:
    late = tmp_path / "late"
    fire.seam = seam_at(late)
    with fire.console() as reader:
        assert ask(reader, fire.ways["F501"])[0] == 409
        late.write_bytes(fire.key_path.read_bytes())
        late.chmod(0o600)
        assert ask(reader, fire.ways["F501"])[0] == 200


def test_the_seam_gives_numbers_of_telephones_of_that_contact_and_nothing_else(fire: PeopleHouse) -> None:
    seam, contacts, ways = fire.seam, fire.contacts, fire.ways
    with reading(fire.engine) as connection:
        assert seam.number_of(connection, contacts["F501"], ways["F501"]) == NUMBER
        for who, channel in (("W1", ways["F501"]), ("F501", fire.push_of("F501")), ("F501", 9_999)):
            with pytest.raises(NoNumber):
                seam.number_of(connection, contacts[who], channel)
        with pytest.raises(Unopened):
            SHUT.number_of(connection, contacts["F501"], ways["F501"])


def test_a_number_says_nothing_of_itself_where_it_is_printed() -> None:
    number = Number("F501", NUMBER)
    assert not holds_number(f"{number} {number!r} {replace(number, code='x')!r}")
    assert number.dial == "tel:+8613800001234"
