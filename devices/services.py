"""Which addresses Apprise can use. Asked where an address comes in: the sender would find out at the fire.

Apprise is imported on first use: it takes about 0.5 s, and few commands need it.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from functools import cache

Services = Callable[[str], str]
"""Why an address cannot be used, in words without the address; empty when it can."""


def why_apprise_cannot(address: str) -> str:
    """Why Apprise cannot use this address, naming its scheme only; empty when it can. Sends nothing.

    Not guaranteed: that anybody is reached there.
    """
    scheme = address.split("://", 1)[0].lower()
    log = logging.getLogger("apprise")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)  # it logs whole addresses
    try:
        with warnings.catch_warnings(action="ignore"):  # plugins warn of what is theirs to mend
            return _asked(scheme, address)
    except Exception as error:  # a plugin's fault: whatever it is, it would be there at the fire as well
        return f"Apprise cannot use this {scheme}:// address ({type(error).__name__})"
    finally:
        log.setLevel(level)


@cache
def knows_service(scheme: str) -> bool:
    """Whether Apprise has a service of this scheme: the quick question, for many addresses at once."""
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415 - takes long

    with warnings.catch_warnings(action="ignore"):
        return scheme.lower() in NotificationManager().schemas()  # type: ignore[no-untyped-call]


def _asked(scheme: str, address: str) -> str:
    from apprise import Apprise  # noqa: PLC0415 - takes long

    if not knows_service(scheme):
        return f"Apprise knows no service {scheme}://"
    if Apprise.instantiate(address) is None:
        return f"Apprise cannot use this {scheme}:// address: something in it is missing or wrong"
    return ""
