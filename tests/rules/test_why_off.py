"""Why a rule does not hold, in the languages of those who read it."""

from __future__ import annotations

import pytest

from devices.model import DeviceKind
from rules import why_off


def test_every_reason_is_there_in_both_languages() -> None:
    named = {text for name, text in vars(why_off).items() if name.isupper() and isinstance(text, str)}
    assert named == why_off.IN_CHINESE.keys()
    assert all(any("\u4e00" <= one <= "\u9fff" for one in text) for text in why_off.IN_CHINESE.values())


@pytest.mark.parametrize("kind", DeviceKind)
def test_what_is_of_no_circuit_says_what_it_is_registered_as(kind: DeviceKind) -> None:
    text = why_off.off_circuit(kind)
    assert (f"its registry kind is {kind.name.lower()}: " in text) is (
        kind in (DeviceKind.SMOKE, DeviceKind.OTHER)
    )
