from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.language.lines import DEEPEST, Lines, Parts, key_of, line_of, parts_of

PROFILE = """\
# a comment [with] = signs
name = "acme"

[[message]]
name = "state"
topics = ["a/{id}", # the first
  "b/{id}",
]

[message.values]
"ENERGY.Power" = { metric = "power.active", unit = "kW" }
'it''s' = "x"
smoke.metric = "smoke.alarm"

[[message]]
about.label = '''
[message.values]
name = 3
'''
name = "second"

[[message.group]]
each = "items.[]"
values.a = "current"

[[message.group]]
each = "others.[]"

[message.group.values."a \\"b\\" c"]
metric = "voltage"
"""


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("name", 2),
        ("message", 4),
        ("message[0]", 4),
        ("message[0].topics", 6),
        ("message[0].topics[1]", 7),
        ("message[0].values", 10),
        ('message[0].values."ENERGY.Power"', 11),
        ('message[0].values."ENERGY.Power".unit', 11),
        ('message[0].values."ENERGY.Power".scale', 11),
        ("message[0].values.smoke.metric", 13),
        ("message[0].values.nobody", 10),
        ("message[1]", 15),
        ("message[1].about.label", 16),
        ("message[1].name", 20),
        ("message[1].group[0].values.a", 24),
        ("message[1].group[1]", 26),
        ('message[1].group[1].values."a \\"b\\" c".metric', 30),
        ("message[7].name", 4),
        ("object[0]", 1),
        ("", 1),
    ],
)
def test_a_key_is_found_on_its_line_and_one_that_is_not_there_at_what_is_around_it(
    where: str, line: int
) -> None:
    assert line_of(PROFILE.replace("'it''s'", "'its'"), where) == line


KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,4}", fullmatch=True),
    st.sampled_from(["ENERGY.Power", "a b", 'say "x"', "[0]", "x]", "#", "a=b", "烟", "\\", "", "'", "\t"]),
)
LEAF = object()
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        st.just(LEAF),
        lambda inner: st.one_of(
            st.dictionaries(KEYS, inner, max_size=3),
            st.lists(inner, max_size=3),
            st.lists(st.dictionaries(KEYS, inner, max_size=2), min_size=1, max_size=3),
        ),
        max_leaves=10,
    ),
    max_size=4,
)
NOISE = ["", "", "\n", "# [a] = {1}\n", '  # "\n\n']


class Writer:
    """Writes a tree as TOML in forms drawn at random; each leaf begins with a token of its own."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self._draw = draw
        self._count = 0
        self.text = ""

    def _pick(self, *several: Any) -> Any:
        return self._draw(st.sampled_from(several))

    def _key(self, key: str) -> str:
        forms = ['"' + key.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"']
        forms += [key] if re.fullmatch(r"[A-Za-z0-9_-]+", key) else []
        forms += [f"'{key}'"] if "'" not in key else []
        return str(self._pick(*forms))

    def _dotted(self, keys: tuple[str, ...]) -> str:
        return str(self._pick(".", " . ", "\t.")).join(map(self._key, keys))

    def _leaf(self, *, multi: bool) -> str:
        self._count += 1
        token = f"<{self._count}>"
        several = [f'"{token} \\" # ["', f"'{token} \" \\'"]
        if multi:
            several += [f'"""{token}\n[a]\n""x" = \\\n1"""', f"'''{token}\n[[a]]\n''x = 1'''"]
        return str(self._pick(*several))

    def _inline(self, value: Any, *, within_table: bool) -> str:
        if value is LEAF:
            return self._leaf(multi=not within_table)
        if isinstance(value, dict):
            pairs = [
                f"{self._key(key)} = {self._inline(one, within_table=True)}" for key, one in value.items()
            ]
            return "{ " + ", ".join(pairs) + " }"
        text = "["
        for one in value:
            text += (
                str(self._pick(" ", "\n", "# ] }\n")) + self._inline(one, within_table=within_table) + " ,"
            )
        return text + str(self._pick("", "\n")) + "]"

    def _pairs(self, table: dict[str, Any], before: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        """Writes what can stand below the table's header, and gives what needs headers of its own."""
        for key, value in table.items():
            tables = isinstance(value, list) and value and all(isinstance(one, dict) for one in value)
            form = self._pick("inline", "dotted", "header")
            if before == () and form == "header" and (tables or isinstance(value, dict)):
                yield key, value
            elif form == "dotted" and isinstance(value, dict) and value:
                assert not list(self._pairs(value, (*before, key)))
            else:
                self.text += self._pick(*NOISE) + self._dotted((*before, key)) + " = "
                self.text += self._inline(value, within_table=False) + self._pick("", " # [x]") + "\n"

    def write(self, table: dict[str, Any], path: tuple[str, ...] = ()) -> None:
        """The table, whose header stands already, and all below it."""
        for key, value in list(self._pairs(table, ())):
            for one in value if isinstance(value, list) else [value]:
                header = self._dotted((*path, key))
                self.text += self._pick(*NOISE)
                self.text += f"[[ {header}]]\n" if isinstance(value, list) else f"[{header} ] # [y]\n"
                self.write(one, (*path, key))


@st.composite
def documents(draw: Callable[[Any], Any]) -> str:
    writer = Writer(draw)
    writer.write(draw(TREES))
    return writer.text


def leaves(value: Any, parts: Parts = ()) -> Iterator[tuple[Parts, str]]:
    if isinstance(value, str):
        yield parts, value
    else:
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in inside:
            yield from leaves(one, (*parts, key))


@given(documents())
def test_every_value_of_any_document_is_found_on_the_line_where_it_stands(text: str) -> None:
    lines = Lines(text)
    for parts, value in leaves(tomllib.loads(text)):
        token = value[: value.index(">") + 1]
        line = text.count("\n", 0, text.index(token)) + 1
        assert lines.line(parts) == line_of(text, key_of(parts)) == line
        assert parts_of(key_of(parts)) == parts


@given(st.text(alphabet="a.=[]{}\"'#,\n \\1", max_size=200))
def test_any_text_is_scanned_without_an_exception(text: str) -> None:
    assert 1 <= Lines(text).line(("a", 0, "a")) <= text.count("\n") + 1


@pytest.mark.parametrize("text", ["a = " + "[" * 2000, "a." * 2000 + "a = 1", "[" + "a." * 2000 + "a]"])
def test_nesting_without_end_is_not_followed(text: str) -> None:
    assert Lines(f"b = 1\n{text}\n").too_deep == 2
    assert Lines("a = " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)).too_deep == 0
