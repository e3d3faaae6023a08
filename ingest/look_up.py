"""The addresses of a broker, looked up where it holds up nobody."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from ingest.link import Address, LinkLost
from ingest.transport import PLAIN, Transport

Resolve = Callable[[str, int], list[Address]]
"""The addresses of a host with a port. May block. Raises OSError or UnicodeError."""


@dataclass(frozen=True, slots=True)
class Found:
    """`addresses` in the order to try them, `context` where TLS is spoken; else `why` there is nothing."""

    addresses: tuple[Address, ...]
    context: ssl.SSLContext | None = None
    why: LinkLost | None = None


def system_addresses(host: str, port: int) -> list[Address]:
    """What the system's resolver says."""
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, cast(tuple[str, int], address)) for family, _, _, _, address in infos]


class LookUp:
    """Looks up one broker, as often as asked, one look-up at a time.

    In a thread, because the system's resolver blocks for seconds and may hang for good, and there TLS reads
    its files; a numeric address without TLS needs none. One that hangs is waited for by every later try: a
    thread for each would in the end leave the machine without threads.
    """

    def __init__(
        self, host: str, port: int, transport: Transport = PLAIN, resolve: Resolve = system_addresses
    ) -> None:
        self.host, self.port, self.transport = host, port, transport
        self._resolve = resolve
        self._thread: threading.Thread | None = None
        self._found: Found | None = None

    @property
    def found(self) -> Found | None:
        """What came of it; None while it is on its way."""
        return self._found

    def begin(self) -> None:
        """Looks up anew, or goes on waiting for what is on its way. Raises LinkLost where no thread can be
        started."""
        if self._thread and self._thread.is_alive():
            return
        self._found = None
        if _is_numeric(self.host) and not self.transport.secure:
            self._run()
            return
        thread = threading.Thread(target=self._run, name="resolve", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            raise LinkLost(
                f"cannot look up {self.host}: {error}",
                do="too many threads or too little memory: see the machine",
            ) from None
        self._thread = thread

    def _run(self) -> None:
        try:
            context = self.transport.context() if self.transport.secure else None
            self._found = Found(tuple(self._resolve(self.host, self.port)), context)
        except LinkLost as lost:
            self._found = Found((), why=lost)
        except (OSError, UnicodeError) as error:
            self._found = Found((), why=LinkLost(f"cannot look up {self.host}: {error}"))


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
