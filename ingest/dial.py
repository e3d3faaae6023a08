"""Makes a link to a broker, step by step and without blocking."""

from __future__ import annotations

import math
import select
import ssl
import time
from collections.abc import Callable
from typing import Final

from ingest.link import Address, Link, LinkLost, TcpLink, ready
from ingest.look_up import LookUp
from ingest.tls_link import TlsLink
from ingest.transport import Transport
from ingest.websocket import WebSocketLink

DIAL_TIMEOUT_S: Final = 5.0
"""How long the look-up may take, and for each address connecting, the TLS handshake and the WebSocket upgrade
(chosen: a broker is near, a lost SYN is sent again at 1 and 3 s)."""


class Dialer:
    """Look-up, then each address in turn. Ask again until it is there. Raises LinkLost as `LookUp.begin`."""

    def __init__(self, look_up: LookUp, monotonic: Callable[[], float]) -> None:
        self._look_up, self._monotonic = look_up, monotonic
        self._deadline = monotonic() + DIAL_TIMEOUT_S
        self._context: ssl.SSLContext | None = None
        self._addresses: list[Address] | None = None
        self._link: Link | None = None
        self._stage = ""
        self._why = LinkLost("look-up takes too long")
        look_up.begin()

    @property
    def link(self) -> Link | None:
        """What is being opened now; None while there is nothing to wait for."""
        return self._link

    def step(self, timeout_s: float) -> Link | None:
        """The open link, or None: call again. Waits `timeout_s` at most. LinkLost when all failed."""
        if self._link is None:
            self._link = self._next()
        if self._link is None:
            select.poll().poll(math.ceil(timeout_s * 1000))
            return None
        try:
            if not self._link.pending:
                ready(self._link, self._link.interest(reading=False), timeout_s)
            if self._link.opened():
                return self._link
        except LinkLost as lost:
            self._give_up(self._link, lost)
            return None
        self._watch(self._link)
        return None

    def close(self) -> None:
        """Gives up."""
        if self._link:
            self._link.close()

    def _watch(self, link: Link) -> None:
        """Each stage has a time of its own."""
        now = self._monotonic()
        if link.stage != self._stage:
            self._stage, self._deadline = link.stage, now + DIAL_TIMEOUT_S
        elif now > self._deadline:
            do = "" if link.stage == "connect" else "does this port speak it? correct port or transport"
            self._give_up(link, LinkLost(f"no answer to {link.stage}", do=do))

    def _next(self) -> Link | None:
        if self._addresses is None and (found := self._look_up.found):
            self._addresses, self._context = list(found.addresses), found.context
            self._why = found.why or self._why
        while self._addresses:
            address = self._addresses.pop(0)
            try:
                link = self._wrapped(TcpLink(address))
            except LinkLost as lost:
                self._note(lost)
                continue
            except OSError as error:
                self._note(LinkLost(str(error)))
                continue
            self._stage, self._deadline = link.stage, self._monotonic() + DIAL_TIMEOUT_S
            return link
        if self._addresses is not None or self._monotonic() > self._deadline:
            raise self._why
        return None

    def _wrapped(self, link: Link) -> Link:
        about = self._look_up
        if self._context:
            link = TlsLink(link, self._context, about.host)
        if about.transport.websocket:
            link = WebSocketLink(link, about.host, about.port, about.transport)
        return link

    def _give_up(self, link: Link, why: LinkLost) -> None:
        link.close()
        self._link = None
        self._note(why)

    def _note(self, why: LinkLost) -> None:
        """Of several addresses' failures, one that somebody can do something about is told."""
        if why.do or not self._why.do:
            self._why = why


def connect_link(host: str, port: int, transport: Transport, timeout_s: float) -> Link:
    """An open link, for commands that may wait for it. Raises LinkLost, also after `timeout_s`."""
    dialer, until = Dialer(LookUp(host, port, transport), time.monotonic), time.monotonic() + timeout_s
    while True:
        link = dialer.step(0.05)
        if link:
            return link
        if time.monotonic() > until:
            dialer.close()
            raise LinkLost(f"no connection to {host}:{port} after {timeout_s:g} s")
