from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.compiling.compiled import Start, Way
from devices.profiles.language.templates import fill, template_of

PAYLOAD: dict[Way, Any] = {
    Way(Start.ITEM, ("id",)): 7,
    Way(Start.ITEM, ("a`}|",)): "odd",
    Way(Start.PAYLOAD, ("eui",)): "A8-40:41 FF",
    Way(Start.ITEM, ("on",)): True,
    Way(Start.ITEM, ("x",)): 1.0,
    Way(Start.ITEM, ("list",)): [],
    Way(Start.ITEM, ("empty",)): "",
}


def filled(text: str) -> str | None:
    return fill(template_of(text), {"name": "Hall", "n": 2, "addr": "0x00158D"}, PAYLOAD.get)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", ""),
        ("fixed", "fixed"),
        ("topic:z/{name}", "topic:z/Hall"),
        ("{name|lower}", "hall"),
        ("zigbee:{addr|hex}", "zigbee:00158d"),
        ("lorawan:{$.eui|hex}", "lorawan:a84041ff"),
        ("ch{n}", "ch2"),
        ("ch{n+1}-{n-1}", "ch3-1"),
        ("{.id}{.id+1}", "78"),
        ("{.on}{.x}", "true1"),
        ("{.`a``}|`}", "odd"),
        ('{{"id":{.id}}}', '{"id":7}'),
        ("{missing}", None),
        ("{.gone}", None),
        ("{.list}", None),
        ("a{.empty}", None),
        ("{name+1}", None),
    ],
)
def test_a_template_is_filled(text: str, result: str | None) -> None:
    assert filled(text) == result


@pytest.mark.parametrize(
    "text",
    ["{", "}", "{}", "{a b}", "{name|upper}", "{$x}", "{.a..b}", "{name", "{{name}", "{.{k}}", "x" * 2001],
)
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"`|template"):
        template_of(text)


@given(st.text(max_size=20))
def test_text_with_braces_doubled_stays_what_it_is(text: str) -> None:
    assert filled(text.replace("{", "{{").replace("}", "}}")) == text


@given(st.text(st.sampled_from("{}a.$|`+-1 "), max_size=14))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    try:
        pattern = template_of(text)
    except ValueError:
        return
    fill(pattern, {"a": "b"}, lambda way: None)
