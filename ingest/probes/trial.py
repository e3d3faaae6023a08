"""What all proofs on one broker share: who publishes, who reads, and what must be gone afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from ingest.probes.caller import Caller, Dial, Login, Terms
from ingest.probes.finding import NotServed

PREFIX: Final = "gengfu-check"
KEPT_S: Final = 300
"""Expiry of the check's sessions and retained messages: what a killed check leaves ends with it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What ingest will ask of the broker, from its settings."""

    session_expiry_s: int = 259_200
    receive_maximum: int = 10_000
    max_packet_bytes: int = 327_680
    max_payload_bytes: int = 262_144


class Trial:
    """One publisher, one reader, topics below `gengfu-check/<random>/`.

    There are never more than one connection of each: a broker of ours takes the user name for the client id.
    `heard` is every connection the reader made, for proofs that look at all that came.
    """

    def __init__(self, dial: Dial, publisher: Login, reader: Login, wanted: Wanted) -> None:
        self.dial, self.wanted = dial, wanted
        self.mark = secrets.token_hex(6)
        self.base = f"{PREFIX}/{self.mark}"
        self.heard: list[Caller] = []
        self.filters: tuple[str, ...] = (f"{self.base}/#",)
        self._logins = publisher, reader
        self._publisher: Caller | None = None

    def topic(self, name: str) -> str:
        """A topic of this trial."""
        return f"{self.base}/{name}"

    def without_wildcards(self, *names: str) -> None:
        """From now on subscribes to these topics one by one."""
        self.filters = tuple(self.topic(name) for name in names)

    @property
    def publisher(self) -> Caller:
        """The publisher's connection, a new one where the former is over. Raises NotServed."""
        if self._publisher is None or self._publisher.gone:
            self._publisher = self._call(f"{PREFIX}-{self.mark}-p", self._logins[0], Terms())
        return self._publisher

    def reader(self, *, clean: bool = False, expiry_s: int = KEPT_S) -> Caller:
        """A connection of the reader's one session. Raises NotServed."""
        terms = Terms(
            clean=clean,
            expiry_s=expiry_s,
            receive_maximum=self.wanted.receive_maximum,
            max_packet_bytes=self.wanted.max_packet_bytes,
        )
        caller = self._call(f"{PREFIX}-{self.mark}-r", self._logins[1], terms)
        self.heard.append(caller)
        return caller

    @contextmanager
    def subscribed(self) -> Iterator[Caller]:
        """The reader in a new session, subscribed; the session stays when it leaves. Raises NotServed."""
        with self.reader(clean=True) as reader:
            reader.subscribe(*self.filters)
            yield reader

    def clear(self) -> None:
        """Removes retained message and session. Raises nothing: both end by themselves."""
        with suppress(NotServed):
            self.publisher.reason_of(self.topic("retain"), b"", retain=True)
        with suppress(NotServed):
            self.reader(clean=True, expiry_s=0).leave()
        if self._publisher:
            self._publisher.leave()

    def _call(self, client_id: str, login: Login, terms: Terms) -> Caller:
        return Caller(self.dial, client_id, login, terms)


def numbered(count: int, size: int) -> list[bytes]:
    """Payloads of `size` bytes that begin with their number."""
    return [b"%06d" % number + b"." * (size - 6) for number in range(count)]
