import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.compiling.compiled import AnyAt, AnyKey, Start, Step, Way
from devices.profiles.language.paths import names_bound, path_of


@pytest.mark.parametrize(
    ("text", "start", "steps"),
    [
        ("", Start.ITEM, ()),
        ("$", Start.PAYLOAD, ()),
        ("ENERGY.Power", Start.ITEM, ("ENERGY", "Power")),
        ("$.rxInfo.0.rssi", Start.PAYLOAD, ("rxInfo", 0, "rssi")),
        ("`a.b`.c", Start.ITEM, ("a.b", "c")),
        ("`0`.01.-1", Start.ITEM, ("0", "01", "-1")),
        ("smoke:0.alarm", Start.ITEM, ("smoke:0", "alarm")),
        ("a b.电流", Start.ITEM, ("a b", "电流")),
        ("$state", Start.ITEM, ("$state",)),
        ("`a``b`.``", Start.ITEM, ("a`b", "")),
    ],
)
def test_a_path_leads_step_by_step(text: str, start: Start, steps: tuple[Step, ...]) -> None:
    assert path_of(text) == Way(start, steps)


def test_each_binds_names() -> None:
    way = path_of("services[].{kind}.[{n}].{}", wild=True)
    assert way.steps == ("services", AnyAt(""), AnyKey("kind"), AnyAt("n"), AnyKey(""))
    assert names_bound(way) == ("kind", "n")
    assert path_of("$[{n}]", wild=True) == Way(Start.PAYLOAD, (AnyAt("n"),))


@pytest.mark.parametrize("text", ["a.{k}", "[]", "a[{n}]"])
def test_names_are_bound_in_each_only(text: str) -> None:
    with pytest.raises(ValueError, match="allowed in `each` only"):
        path_of(text)


@pytest.mark.parametrize(
    "text", ["a.", ".a", "a..b", "$.", "`a", "a`b`", "`a`b", "a{b}", "{a", "a[0]", "x" * 501, "a." * 40 + "a"]
)
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"path|steps|dot|`"):
        path_of(text, wild=True)


@given(st.lists(st.text(max_size=5), min_size=1, max_size=5))
def test_every_key_can_be_written(keys: list[str]) -> None:
    assert path_of(".".join("`" + key.replace("`", "``") + "`" for key in keys)).steps == tuple(keys)


@given(st.text(st.sampled_from("ab.$`{}[]0 "), max_size=12), st.booleans())
def test_any_text_is_a_path_or_refused(text: str, wild: bool) -> None:
    try:
        way = path_of(text, wild=wild)
    except ValueError:
        return
    assert wild or not names_bound(way)
