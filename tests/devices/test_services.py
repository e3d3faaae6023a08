"""An address that no service of Apprise can use is refused where it comes in."""

from __future__ import annotations

import logging

import pytest

from devices.services import why_apprise_cannot


@pytest.mark.parametrize(
    "address",
    ["json://example.org/x", "JSONS://example.org/x", "mailto://user:pass@example.org?to=a@example.org",
     "dingtalk://abcdef0123456789"],
)  # fmt: skip
def test_what_apprise_knows_is_taken(address: str) -> None:
    assert why_apprise_cannot(address) == ""


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("foo://13800138000", "no service foo://"),
        ("sms://13800138000", "sms://"),
        ("tgram://13800138000", "cannot use this tgram:// address"),
        ("json://13800138000:x", "cannot use this json:// address"),
    ],
)
def test_what_it_cannot_use_is_refused_by_its_scheme_alone(
    address: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        reason = why_apprise_cannot(address)
    assert words in reason
    assert "138" not in reason + caplog.text
