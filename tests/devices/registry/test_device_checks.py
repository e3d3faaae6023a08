"""What a device may be called where it is registered."""

from __future__ import annotations

import pytest

from devices.profiles.general.identity import topic_uid
from devices.registry.device_checks import check_uid
from devices.registry.errors import NotAllowed


@pytest.mark.parametrize(
    "uid", ["acme:a+b", "acme:#", "topic:a/+", "topic:a#b", "own:a+b", "topic:+/x#" + "a" * 32]
)
def test_a_device_with_a_wildcard_in_its_name_is_not_registered(uid: str) -> None:
    with pytest.raises(NotAllowed, match=r"wildcards of MQTT"):
        check_uid(uid)


def test_a_long_topics_digest_is_no_wildcard() -> None:
    uid = topic_uid("zigbee2mqtt/" + "x" * 300)
    assert "#" in uid
    assert check_uid(uid) == uid
    assert check_uid("sparkplug:block 7/gw2/panel") == "sparkplug:block 7/gw2/panel"
