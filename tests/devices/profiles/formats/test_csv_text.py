from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.formats.csv_text import LONGEST, MOST_FIELDS, MOST_LINES, read_csv
from devices.profiles.formats.format import Unreadable
from devices.profiles.profile import Reason
from tests.devices.profiles.formats.surroundings import context

COLUMNS = ["at", "power", "", "state"]


@pytest.mark.parametrize(
    ("payload", "tree"),
    [
        (b"7,120.5,x,on", {"at": "7", "power": "120.5", "state": "on"}),
        (b"7, 120.5 ", {"at": "7", "power": "120.5"}),
        (b"7,,x,on,more", {"at": "7", "power": None, "state": "on"}),
        (b'7,"1,5",,"say ""on"""', {"at": "7", "power": "1,5", "state": 'say "on"'}),
        (b"\xef\xbb\xbf7\r\n\r\n8,9\x00", [{"at": "7"}, {"at": "8", "power": "9"}]),
    ],
)
def test_named_columns_make_objects(payload: bytes, tree: Any) -> None:
    assert read_csv(payload, context(columns=COLUMNS)) == tree


def test_without_names_a_line_is_a_list() -> None:
    assert read_csv(b"1;;3", context(separator=";")) == ["1", None, "3"]
    assert read_csv(b"1 2\n3 4", context(separator=" ")) == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.UNREADABLE),
        (b" , ,\n", Reason.UNREADABLE),
        (b"\xff,1", Reason.NOT_UTF8),
        (b"," * MOST_FIELDS + b"1", Reason.TOO_LARGE),
        (b"1\n" * (MOST_LINES + 1), Reason.TOO_LARGE),
        (b"1," * LONGEST, Reason.TOO_LARGE),
        (b"x" * 300, Reason.TOO_LARGE),
    ],
)
def test_what_has_no_fields_or_too_many_is_refused(payload: bytes, reason: Reason) -> None:
    with pytest.raises(Unreadable) as caught:
        read_csv(payload, context())
    assert caught.value.reason is reason


@given(st.binary(), st.characters(), st.booleans())
def test_any_octets_and_separators_are_read_or_refused(payload: bytes, separator: str, named: bool) -> None:
    try:
        tree = read_csv(payload, context(separator=separator, columns=COLUMNS if named else []))
    except Unreadable as error:
        assert error.detail
    else:
        assert type(tree) in {list, dict}
