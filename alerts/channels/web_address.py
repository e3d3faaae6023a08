"""Web addresses as HTTP needs them: where to connect, and what the request's first lines say. Pure."""

from __future__ import annotations

import base64
import re
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

_PORTS: Final = {"http": 80, "https": 443}
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9_.-]{0,252})", re.ASCII)
_IN_PATH: Final = "/%:@!$&'()*+,;=~-._"
_IN_QUERY: Final = _IN_PATH + "?"
"""What may stand as it is (RFC 3986, section 3.3 and 3.4); a percent sign may begin what is escaped."""


class Target(NamedTuple):
    """`host` is a name in ASCII or an address without brackets; `asked` is the path with its query, `named`
    the Host header. `credentials` are an Authorization header's value, empty for none."""

    secure: bool
    host: str
    port: int
    asked: str
    named: str
    credentials: str = ""

    @property
    def peer(self) -> Peer:
        """Whom to connect to: what is asked of one may go through one connection."""
        return Peer(self.secure, self.host, self.port)


class Peer(NamedTuple):
    """The other end of connections."""

    secure: bool
    host: str
    port: int


def target_of(url: str) -> Target | None:
    """None for what is no `http://` or `https://` address."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
        host = _host(parts.hostname or "")
    except ValueError:  # a port that is none, an unfinished address, letters that no name has
        return None
    if parts.scheme not in _PORTS or not host or not port:
        return None
    named = f"[{host}]" if ":" in host else host
    return Target(
        secure=parts.scheme == "https",
        host=host,
        port=port,
        asked=_asked(parts),
        named=named if port == _PORTS[parts.scheme] else f"{named}:{port}",
        credentials=_credentials(parts),
    )


def _host(host: str) -> str:
    """Empty for what can be no host. Raises ValueError for a name in other letters that cannot be written."""
    if ":" in host:
        return str(ip_address(host))
    name = host if host.isascii() else host.encode("idna").decode("ascii")
    return name if _NAME.fullmatch(name.lower()) else ""


def _asked(parts: SplitResult) -> str:
    path = quote(parts.path, safe=_IN_PATH, errors="replace") or "/"
    return f"{path}?{quote(parts.query, safe=_IN_QUERY, errors='replace')}" if parts.query else path


def _credentials(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode('utf-8', 'replace')).decode()}"
