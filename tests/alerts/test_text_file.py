"""The shipped texts, and a site's own in their place: what is refused, and that nobody goes untold for it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.case import Hazard
from alerts.sms_length import sms_length
from alerts.text_file import Texts, read_texts, shipped_texts
from alerts.text_form import Text, filled, phrase, written
from alerts.text_rules import LANGUAGES, RULES
from alerts.text_samples import ROLES, SAYINGS, example, too_long, usual
from alerts.texts import Telling, compose, say
from devices.model import Medium, Role, Severity
from tests.alerts.shipped_messages import FILE, lines

HEAD = "version = 1\n"
WHOLE = '["{what} {where} {since} {evidence}", "{why_now}", "{todo}", "%s"]'
SHIPPED = shipped_texts()


def one(name: str, said: str, language: str = "en") -> str:
    return f'{HEAD}[[text]]\nname = "{name}"\n{language} = {said}\n'


def own(name: str, said: str, language: str = "en") -> Texts:
    read = read_texts(one(name, said, language), "mine.toml")
    assert read.faults == ()
    return Texts(SHIPPED.shipped, read.texts, "mine.toml")


def fault(name: str, said: str, language: str = "en") -> str:
    read = read_texts(one(name, said, language), "mine.toml")
    assert read.texts == {}
    [found] = read.faults
    return found.removeprefix("mine.toml, line 4: key `text[0].en`: ")


def test_what_the_shipped_texts_say() -> None:
    assert list(lines()) == FILE.read_text(encoding="utf-8").splitlines(), (
        "what people read has changed: look at it, then python -m tests.alerts.shipped_messages"
    )


def test_the_first_word_of_a_fire_fits_one_sms_but_for_the_way_out_in_english() -> None:
    everybody = frozenset(map(str, Role))
    long = {
        (severity, language, on_stair)
        for severity, role, language in product((Severity.P0, Severity.P0_PLUS), Role, LANGUAGES)
        for on_stair in (False, True)
        if sms_length(
            compose(example(severity, role, language, told=everybody, on_stair=on_stair), language)
        ).segments
        > 1
    }
    assert long == {("P0", "en", True), ("P0+", "en", False), ("P0+", "en", True)}


def test_the_shipped_texts_are_there_in_both_languages_and_survive_being_written() -> None:
    assert {name for name, _ in SHIPPED.shipped} <= RULES.keys()
    for name, language in SHIPPED.shipped:
        assert (name, "en" if language == "zh-CN" else "zh-CN") in SHIPPED.shipped
        said = written(SHIPPED.shipped[name, language])
        again = said if RULES[name].sentences else said[0]
        text = one(name, repr(again).replace("'", '"') if isinstance(again, list) else f'"{again}"', language)
        assert read_texts(text, "").texts[name, language] == SHIPPED.shipped[name, language]
    for telling, language in usual():
        assert "" not in say(telling, language).text.splitlines()


def test_a_sites_own_text_takes_the_place_of_one_and_no_other() -> None:
    texts = own("why_now.call", '"Please {{do}} answer."')
    called = example(Severity.P0, Role.FAMILY, "en", saying="call")
    assert "Please {do} answer." in compose(called, "en", texts)
    assert compose(called, "zh-CN", texts) == compose(called, "zh-CN")
    assert compose(replace(called, saying="next"), "en", texts) == compose(
        replace(called, saying="next"), "en"
    )


def test_a_text_for_one_kind_of_reader_and_for_one_hazard_goes_before_the_general_one() -> None:
    said = '["{what}! {where} {evidence} {since}", "{why_now}", "{todo}"]'
    texts = own("message.station", said)
    for role, is_own in ((Role.MICRO_STATION, True), (Role.GRID_WORKER, False)):
        assert compose(example(Severity.P0, role, "en"), "en", texts).startswith("FIRE ALARM!") is is_own
    texts = own("todo.P2.worker.electrical", '"Bring a meter."')
    assert "Please visit" in compose(example(Severity.P2, Role.GRID_WORKER, "en"), "en", texts)
    wired = replace(example(Severity.P2, Role.GRID_WORKER, "en"), hazard=Hazard.ELECTRICAL)
    assert "Bring a meter." in compose(wired, "en", texts)


def test_a_sentence_without_something_to_say_falls_away_and_the_first_whole_form_is_taken() -> None:
    text: Text = own("message.summary", '[["{count} since {since}: {kinds}", "{count}: {kinds}"]]').own[
        "message.summary", "en"
    ]
    assert filled(text[0], {"count": "2", "kinds": "a", "since": "1"}) == "2 since 1: a"
    assert filled(text[0], {"count": "2", "kinds": "a", "since": ""}) == "2: a"
    assert filled(text[0], {"count": "", "kinds": "a", "since": ""}) == ""


@pytest.mark.parametrize(
    ("name", "said", "why"),
    [
        ("why_now.call", '"{where}"', "has the place {where}, which is unknown here; allowed: none"),
        (
            "why_now.help",
            '"{who.name} asks"',
            "has the place {who.name}, which is unknown here; allowed: {who}",
        ),
        ("why_now.help", '"{who!r:>9}"', "has the place {who!r:>9}, which is unknown here; allowed: {who}"),
        ("why_now.help", '"{who"', "has a brace that is not closed or not opened; write {{ and }}"),
        ("why_now.help", '"}who"', "has a brace that is not closed or not opened; write {{ and }}"),
        ("why_now.help", '"Help!"', "does not always say {who}; a sentence that cannot fall away"),
        ("why_now.call", '" "', "is no text or an empty one; allowed: a text in quotes"),
        ("why_now.call", "7", "is no text or an empty one; allowed: a text in quotes"),
        ("why_now.call", '"a\\nb"', "is too long or has control characters; 300 characters on one line"),
        ("message.all_clear", '"{where}"', "is no list of sentences; allowed: a list of 1 to 12 texts"),
        (
            "message.all_clear",
            '["Over: {link}"]',
            "has the place {link}: the link follows every text by itself",
        ),
        ("why_now.call", '"Ring 0571-8888 1234."', "holds a telephone number, and neighbours read it"),
        ("todo.P0.neighbour", '"Ring 13905710000."', "holds a telephone number, and neighbours read it"),
        (
            "todo.P1.family",
            '"Open the breaker."',
            "sends residents to a breaker; they are told to switch off",
        ),
        ("todo.P0+.neighbour", '"Leave now."', "does not say 119; of a confirmed fire residents are told"),
        ("what.P0", '"DRILL"', "speaks of a drill or test; what is real must not read like an exercise"),
        ("todo.P0.family", '"Only a drill."', "speaks of a drill or test"),
        ("todo.P0.desk", '"Fire drill, send nobody."', "speaks of a drill or test"),
        ("todo.P0+.neighbour.stair", '"A test. Call 119."', "speaks of a drill or test"),
        ("todo.isolate", '"System test. {todo}"', "speaks of a drill or test"),
        ("todo.P0.worker", '"仅为演练。"', "speaks of a drill or test"),
        ("what.P0", '"ALL CLEAR, false alarm"', "says `ALL CLEAR`, and fires are told with it"),
        ("what.P0+", '"【解除】"', "says `解除`"),
        ("what.P0", '"Clear"', "says `Clear`"),
        ("what.again", '"{what} 误报"', "says `误报`"),
        ("todo.P0.neighbour", '"无需撤离。"', "says `无需`"),
        ("todo.P0.neighbour.fire", '"大家不用起床。"', "says `不用`"),
        ("todo.P0.family", '"The fire is over."', "says `is over`"),
        ("todo.P0.family", '"Stay in bed, nobody needs to do anything."', "says `nobody needs`"),
        ("todo.P0+.family", '"Ignore this, do not call 119."', "says `Ignore`"),
        ("why_now.call", '"A false alarm."', "says `false alarm`"),
        ("message.bound", WHOLE % "Open the breaker.", "sends residents to a breaker"),
        ("message.family", WHOLE % "A false alarm.", "says `false alarm`"),
        ("message.neighbour", WHOLE % "解除。", "says `解除`"),
        ("todo.other", '"请拉闸断电。"', "sends residents to a breaker"),
        ("todo.other", '"Ring 0571-8888 1234."', "holds a telephone number"),
        ("message.neighbour", '["{what} {where} {newest}", "{why_now}", "{todo}"]', "has the place {newest}"),
    ],
)
def test_what_life_safety_or_the_form_forbids_is_refused_with_its_line(
    name: str, said: str, why: str
) -> None:
    assert fault(name, said).startswith(why)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("todo.P0.family", '"请核实，回复1收到，2误报，3求助。"'),
        ("todo.P0.family", '"Check, then reply 1 received, 2 false alarm, 3 help."'),
        ("todo.P0.family", '"Check; for a false alarm press 2."'),
        (
            "todo.P0.neighbour",
            '"不用电梯；楼梯无烟再走。Do not ignore this; go only if the stairs are clear."',
        ),
        ("what.clear", '"all clear"'),
        ("what.P1", '"CLEAR FAULT"'),
        ("todo.P3.worker", '"Test the detector; no need to hurry."'),
    ],
)
def test_how_to_answer_and_what_is_no_fire_may_speak_of_false_alarms_and_tests(name: str, said: str) -> None:
    assert own(name, said).own


def test_residents_are_never_told_what_a_desk_is() -> None:
    for severity, role in product(Severity, (Role.FAMILY, Role.NEIGHBOUR)):
        texts = own(f"todo.{severity}.desk", '"Open the breaker, ring 13812345678."')
        for hazard in Hazard:
            telling = replace(example(severity, role, "en"), hazard=hazard)
            assert "breaker" not in compose(telling, "en", texts)
            assert say(telling, "en", texts).parts["do"]
    texts = own("todo.P2.desk", '"Open the breaker."')
    assert "Open the breaker." in compose(example(Severity.P2, Role.MICRO_STATION, "en"), "en", texts)


@pytest.mark.parametrize(
    "said",
    [
        '["{what}: {evidence} since {since}.", "{why_now}", "{todo}"]',  # no place
        '["{what}: {where}, {evidence} since {since}.", "{todo}"]',  # not why it is sent again
        '["{what}: {where}, {evidence} since {since}, then {newest}.", "{why_now}", "{todo}"]',  # may fall
        '[["{what}: {where}, {evidence} {since} {newest}.", "{what}."], "{why_now}", "{todo}"]',
        '["{what}: {where}, {evidence} since {since}. {why_now} {todo}"]',  # falls away of a first word
    ],
)
def test_a_message_that_could_lack_what_matters_is_refused(said: str) -> None:
    assert "does not always say" in fault("message.bound", said)


def test_a_duty_desks_number_may_stand_where_no_neighbour_reads_it() -> None:
    assert "0571" in compose(
        example(Severity.P0, Role.FAMILY, "en"), "en", own("todo.P0.family", '"Ring 0571-88881234."')
    )


def test_what_is_wrong_costs_itself_only_and_every_line_is_named() -> None:
    text = (
        f'{HEAD}colour = "red"\n'
        '[[text]]\nname = "why_now.cal"\nen = "x"\n'
        '[[text]]\nname = "why_now.next"\nen = "{"\nzh-CN = "前一位没有应答。"\nde = "x"\n'
        '[[text]]\nname = "why_now.next"\nzh-CN = "又"\n'
        '[[text]]\nen = "x"\n'
    )
    read = read_texts(text, "mine.toml")
    assert list(read.texts) == [("why_now.next", "zh-CN")]
    assert [line.partition(" key ")[0] for line in read.faults] == [
        "mine.toml, line 2:", "mine.toml, line 4:", "mine.toml, line 10:", "mine.toml, line 8:",
        "mine.toml, line 13:", "mine.toml, line 14:",
    ]  # fmt: skip
    assert "near: why_now.call" in read.faults[1]
    assert "stands twice; the first holds" in read.faults[4]


@pytest.mark.parametrize("text", ["", "version = 2", "version = true", "[[text", "version = 1\ntext = 3"])
def test_a_file_that_is_none_leaves_every_shipped_text(text: str) -> None:
    read = read_texts(text, "mine.toml")
    assert not read.texts and len(read.faults) == 1


@given(st.dictionaries(st.sampled_from(sorted(RULES)), st.text(max_size=40), max_size=3), st.data())
def test_no_file_silences_an_alarm(said: dict[str, str], data: st.DataObject) -> None:
    quoted = [(name, text.translate({ord(c): " " for c in '"\\'})) for name, text in said.items()]
    text = HEAD + "".join(f'[[text]]\nname = "{name}"\nen = ["{one}"]\n' for name, one in quoted)
    texts = Texts(SHIPPED.shipped, read_texts(text, "").texts)
    severity, role = data.draw(st.sampled_from(Severity)), data.draw(st.sampled_from(ROLES))
    telling = example(severity, role, "en", saying=data.draw(st.sampled_from(SAYINGS)))
    assert telling.place in compose(telling, "en", texts)


def test_who_else_was_told_is_said_by_role_and_falls_away_where_an_sms_would_cost_another() -> None:
    told = frozenset({"duty_desk", "family", "neighbour", "micro_station", "grid_worker", "fire_brigade"})

    def said(medium: Medium = Medium.SMS, beside: int = 0) -> str:
        telling = example(Severity.P0, Role.FAMILY, "zh-CN", told=told, medium=medium, beside=beside)
        return compose(telling, "zh-CN")

    others = "另已通知消防救援站、微型消防站、网格员、值班台等。"
    assert said(medium=Medium.PUSH).endswith(others)
    assert others in said()  # it fits
    assert "另已通知" not in said(beside=10)
    assert others in said(beside=40)  # two it is either way
    assert "另已通知" not in said(medium=Medium.VOICE)
    assert "另已通知家属。" in compose(
        example(Severity.P0, Role.DUTY_DESK, "zh-CN", told=frozenset({"family"})), "zh-CN"
    )
    assert "Also told: micro fire station." in compose(
        example(Severity.P0, Role.NEIGHBOUR, "en", told=frozenset({"micro_station", "neighbour"})), "en"
    )


def test_neighbours_learn_nothing_of_circuits_and_of_what_the_sites_rules_call_it() -> None:
    def evidence(telling: Telling, *rules: str) -> str:
        return compose(replace(telling, rules=frozenset(rules)), "en")

    near = example(Severity.P0_PLUS, Role.NEIGHBOUR, "en")
    one_told = replace(near, detectors=1)
    assert "smoke alarm since" in evidence(one_told, "X1", "O3")
    assert "gas alarm since" in evidence(one_told, "G1", "N2")
    assert "fire alarm since" in evidence(one_told, "T3X")
    assert "electrical alarm since" in evidence(replace(near, hazard=Hazard.ELECTRICAL), "N2")
    assert "smoke with an electrical alarm" in evidence(replace(one_told, role=Role.GRID_WORKER), "X1")


def test_a_text_that_costs_another_sms_is_warned_of_with_its_length() -> None:
    long = "请立即核实并回复值班台，" * 4
    read = read_texts(one("todo.P0.family", f'"{long}"', "zh-CN"), "mine.toml")
    [warning] = too_long(Texts(SHIPPED.shipped, read.texts), read.at)
    assert warning == (
        "mine.toml, line 4: key `text[0].zh-CN`: is long: a usual message with it has 83 characters of UCS-2,"
        " 2 SMS; 70 fit into one"
    )
    short = read_texts(one("todo.P0.family", '"请看。"', "zh-CN"), "mine.toml")
    assert too_long(Texts(SHIPPED.shipped, short.texts), short.at) == []


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "segments"),
    [
        ("", "GSM-7", 0, 0),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("a" * 152 + "€" * 77, "GSM-7", 306, 3),  # an escape is not split: 152 + 152 + 2
        ("火" * 70, "UCS-2", 70, 1),
        ("火" * 71, "UCS-2", 71, 2),
        ("火" * 134, "UCS-2", 134, 2),
        ("火" * 135, "UCS-2", 135, 3),
        ("火" * 66 + "🔥" * 34, "UCS-2", 134, 3),  # nor a pair: 66 + 66 + 2
        ("a" * 70 + "’", "UCS-2", 71, 2),
    ],
)
def test_short_messages_are_counted_as_carriers_do(
    text: str, alphabet: str, units: int, segments: int
) -> None:
    assert sms_length(text)[:3] == (alphabet, units, segments)


def test_a_phrase_keeps_what_is_fixed_around_its_places() -> None:
    text = own("where.moved", '"{where} -> {there}!"').own["where.moved", "en"]
    assert phrase(text, {"where": "{there}", "there": "B"}) == "{there} -> B!"
