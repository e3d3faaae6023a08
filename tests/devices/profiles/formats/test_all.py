from __future__ import annotations

from typing import get_args, get_type_hints

from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.formats.all import FORMATS
from devices.profiles.formats.format import Unreadable
from devices.profiles.language.file import Message
from tests.devices.profiles.formats.surroundings import context


def test_every_format_of_the_language_is_there_and_no_other() -> None:
    assert set(FORMATS) == set(get_args(get_type_hints(Message)["format"]))


def test_of_a_message_whose_content_does_not_matter_nothing_is_read() -> None:
    assert FORMATS["none"](b"\xff{", context()) is None


@given(st.sampled_from(sorted(FORMATS)), st.binary())
def test_every_format_reads_or_refuses_any_octets(name: str, payload: bytes) -> None:
    try:
        FORMATS[name](payload, context())
    except Unreadable as error:
        assert error.detail
