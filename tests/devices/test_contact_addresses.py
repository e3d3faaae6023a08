"""Which addresses a carrier takes, and that a refused one is not repeated."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from devices import registry
from devices.registry import NotAllowed, Written
from devices.vault import Vault
from tests.devices.conftest import NOW_US

WHO = Written(by="installer", now_us=NOW_US)


@pytest.mark.parametrize(
    ("carrier", "address"),
    [
        ("webhook", "13800001234"),
        ("webhook", "desk@secret.example"),
        ("webhook", "tgram://secret-token/1"),
        ("webhook", "http://"),
        ("webhook", "https:///secret-path"),
        ("webhook", "https://secret.example:port/x"),
        ("webhook", "https://secret.example/a b"),
        ("webhook", "http://[secret"),
        ("webhook", "secret://"),
        ("apprise", "13800001234"),
        ("apprise", "desk@secret.example"),
        ("apprise", "secret://"),
        ("apprise", "mailto:///"),
        ("apprise", "://secret"),
        ("apprise", "1secret.example/x"),
        ("apprise", ""),
        ("webhook", "https://secret.example/" + "x" * 1000),
        ("apprise", "json://secret\x07"),
    ],
)
def test_an_address_its_carrier_cannot_use_is_refused_without_repeating_it(
    connection: Connection, vault: Vault, carrier: str, address: str
) -> None:
    registry.add_contact(connection, vault, code="P1", name="示例甲", **WHO)
    with pytest.raises(NotAllowed, match="address") as refused:
        registry.add_channel(
            connection, vault, contact_code="P1", medium="sms", carrier=carrier, address=address, **WHO
        )
    assert "secret" not in str(refused.value)
    assert "1234" not in str(refused.value)
    assert registry.list_contacts(connection, vault)[0].channels == ()


@pytest.mark.parametrize(
    ("carrier", "address"),
    [
        ("webhook", "HTTP://127.0.0.1:8080/phones/1"),
        ("webhook", "https://[::1]/hook?token=1"),
        ("webhook", "https://门卫.example/hook"),
        ("apprise", "tgram://123:abc/42"),
        ("apprise", "mailto://user:pass@example.org?to=a@example.org"),
        ("apprise", "windows+x-1.2://x"),
    ],
)
def test_an_address_its_carrier_can_use_is_taken(
    connection: Connection, vault: Vault, carrier: str, address: str
) -> None:
    registry.add_contact(connection, vault, code="P1", name="示例甲", **WHO)
    channel = registry.add_channel(
        connection, vault, contact_code="P1", medium="push", carrier=carrier, address=address, **WHO
    )
    assert registry.address_to_send(connection, vault, channel) == address


def test_a_refused_address_says_what_the_carrier_takes(connection: Connection, vault: Vault) -> None:
    registry.add_contact(connection, vault, code="P1", name="示例甲", **WHO)
    add: dict[str, Any] = {"contact_code": "P1", "medium": "sms", "address": "13800001234", **WHO}
    with pytest.raises(NotAllowed, match=r"carrier webhook .* http:// or https:// with a host"):
        registry.add_channel(connection, vault, carrier="webhook", **add)
    with pytest.raises(NotAllowed, match=r"carrier apprise .* scheme://"):
        registry.add_channel(connection, vault, carrier="apprise", **add)
