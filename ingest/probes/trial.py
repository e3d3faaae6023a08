"""What all proofs on one broker share: who publishes, who reads, and what must be gone afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from ingest.probes.caller import Caller
from ingest.probes.finding import NotServed, TakenOver
from ingest.probes.terms import Dial, Login, Terms, Waits

PREFIX: Final = "gengfu-check"
NUMBER_BYTES: Final = 6
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
    `heard` is every connection the reader made, for proofs that look at all that came. `two_at_once`: it is
    proven that publisher and reader do not end each other. `taken_over`: somebody else is at work with our
    users, and is left alone from then on.
    """

    def __init__(
        self, dial: Dial, publisher: Login, reader: Login, wanted: Wanted, waits: Waits | None = None
    ) -> None:
        self.dial, self.wanted, self.waits = dial, wanted, waits or Waits()
        self.two_at_once = False
        self.taken_over = False
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
        """The publisher's connection, a new one where the former is over. Raises NotServed.

        Where somebody else took it over there is no new one: that would throw them out in turn.
        """
        self._refuse_robbed()
        if self._publisher is None or self._publisher.gone:
            self._publisher = self._call(f"{PREFIX}-{self.mark}-p", self._logins[0], Terms())
        return self._publisher

    def reader(self, *, clean: bool = False, expiry_s: int = KEPT_S, keep_alive_s: int = 300) -> Caller:
        """A connection of the reader's one session. Raises NotServed."""
        terms = Terms(
            clean=clean,
            expiry_s=expiry_s,
            receive_maximum=self.wanted.receive_maximum,
            max_packet_bytes=self.wanted.max_packet_bytes,
            keep_alive_s=keep_alive_s,
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

    def still_ours(self, *, within_s: float = 0.0) -> None:
        """Raises TakenOver where somebody else took the publisher's place: a verdict would mislead.

        Looks for `within_s`, since another check takes the reader's place a little earlier.
        """
        one = self._publisher
        if one and not one.gone:
            with suppress(NotServed):
                one.round_trip()
            one.is_ended(within_s)
        self._refuse_robbed()

    def drop_publisher(self) -> None:
        """For a connection that the broker ended for what it did: the next one is new."""
        self._publisher = None

    def is_robbed(self, one: Caller) -> bool:
        """Whether the connection ended as it does when somebody else takes its place."""
        return one.taken_over or (one.unsaid and bool(self._logins[0].name))

    def _refuse_robbed(self) -> None:
        if self._publisher and self.is_robbed(self._publisher):
            raise TakenOver(self._publisher.ended)

    def clear(self) -> None:
        """Removes retained message and session. Raises nothing: both end by themselves."""
        if not self.taken_over:
            with suppress(NotServed):
                self.publisher.reason_of(self.topic("retain"), b"", retain=True)
            with suppress(NotServed):
                self.reader(clean=True, expiry_s=0).leave()
        self.leave()

    def leave(self) -> None:
        """Lets go of the publisher. Raises nothing."""
        if self._publisher:
            self._publisher.leave()

    def _call(self, client_id: str, login: Login, terms: Terms) -> Caller:
        return Caller(self.dial, client_id, login, terms, self.waits)


def numbered(count: int, size: int) -> list[bytes]:
    """Payloads of `size` bytes that begin with their number."""
    return [b"%0*d" % (NUMBER_BYTES, number) + b"." * (size - NUMBER_BYTES) for number in range(count)]
