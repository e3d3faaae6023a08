"""An act on what has changed since its form was made is asked about once more, and a second press does it."""

from hypothesis import given
from hypothesis import strategies as st

from alerts.case import Act
from console.overtaken import MATTERS, NEVER_ASKED, Between, overtaken
from tests.console.block import Block, Reader, field

OWN = frozenset({"user:night"})
ASKED = sorted(frozenset(Act) - NEVER_ASKED)
LINES = st.builds(
    Between,
    kind=st.sampled_from([*map(str, Act), "raised", "told", "overdue"]),
    by=st.sampled_from(["user:night", "user:second", "contact:W1", "gengfu"]),
    at_us=st.integers(0, 100),
)


@given(st.sampled_from(ASKED), st.lists(LINES))
def test_what_others_did_is_asked_about_and_nothing_else(act: Act, since: list[Between]) -> None:
    theirs = [one for one in since if one.by not in OWN and one.kind in MATTERS]
    found = overtaken(act, OWN, since)
    assert (found is None) == (not theirs)
    if found:
        assert found in theirs
        assert found.at_us == max(one.at_us for one in theirs)


@given(st.sampled_from(sorted(NEVER_ASKED)), st.lists(LINES))
def test_what_brings_people_to_a_fire_is_never_asked_about(act: Act, since: list[Between]) -> None:
    assert overtaken(act, OWN, since) is None


def test_a_note_and_a_call_for_help_change_nothing_that_is_asked_about() -> None:
    kinds = [Between(kind, "user:second", 1) for kind in ("note", "need_help", "told", "raised")]
    assert overtaken(Act.CLOSE, OWN, kinds) is None


def press(reader: Reader, page: str, act: str, seen: str = "") -> str:
    """Presses a button of a page that was fetched before, as htmx does."""
    form = {name: field(page, name) for name in ("csrf", "once")} | {"act": act}
    form["seen"] = seen or field(page, "seen")
    path = "/incident/1/act"
    return reader.client.post(path, data=form, headers={"HX-Request": "true"}).text


def test_who_was_overtaken_is_told_by_whom_and_does_it_by_a_second_press(block: Block) -> None:
    block.smoke("501")
    block.decide()
    with block.deciding(), block.console("night") as night, block.console("second") as second:
        page = night.client.get("/incident/1").text
        second.act(1, "confirm")
        block.pass_s(1)
        asked = press(night, page, "false_alarm")
        assert "second" in asked
        assert "确认真火" in asked
        assert "再按一次" in asked
        assert [act for actor, act, _ in block.acts() if actor == "user:night"] == []
        done = press(night, page, "false_alarm", field(asked, "seen"))
        assert "再按一次" not in done
    assert [act for actor, act, _ in block.acts() if actor == "user:night"] == ["false_alarm"]


def test_taking_is_done_at_once_and_so_is_what_follows_own_acts(block: Block) -> None:
    block.smoke("501")
    block.decide()
    with block.deciding(), block.console("night") as night, block.console("second") as second:
        page = night.client.get("/incident/1").text
        second.act(1, "acknowledge")
        block.pass_s(1)
        assert "已生效" in press(night, page, "acknowledge")
        page = night.client.get("/incident/1").text
        press(night, page, "confirm")
        block.pass_s(1)
        assert "已生效" in press(night, page, "arrived")


def test_a_form_that_says_nothing_of_what_it_saw_goes_in_and_a_made_up_one_is_asked_about(
    block: Block,
) -> None:
    block.smoke("501")
    block.decide()
    with block.deciding(), block.console("night") as night, block.console("second") as second:
        second.act(1, "acknowledge")
        block.pass_s(1)
        page = night.client.get("/incident/1").text
        assert "再按一次" in press(night, page, "arrived", "made up")
        assert "已到场" in night.act(1, "arrived", seen="")
