"""Probing a real mosquitto, as it is or through a line that changes packets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import mqtt5

from devices.registry.credentials import broker_hash
from ingest.dial import connect_link
from ingest.gate.files import Account, file_texts, write_files
from ingest.link import Link, LinkLost
from ingest.probes.finding import Finding
from ingest.probes.proofs import probe_broker
from ingest.probes.terms import Dial, Login, Waits
from ingest.probes.trial import Trial, Wanted
from ingest.transport import Transport
from tests.ingest.packets import first_packet

CONNACK, PUBLISH, PUBACK, SUBACK, DISCONNECT = 2, 3, 4, 9, 14


def dial_to(port: int) -> Dial:
    return lambda: connect_link("127.0.0.1", port, Transport(), 5.0)


def trial_on(port: int, spoil: Spoil | None = None, waits: Waits | None = None) -> Trial:
    """With a broker that lets everybody in; behind a bad line where one is given."""
    plain = dial_to(port)
    dial = (lambda: BadLine(plain(), spoil)) if spoil else plain
    return Trial(dial, Login(), Login(), Wanted(), waits)


def findings_of(trial: Trial) -> dict[str, Finding]:
    return {one.name: one for one in probe_broker(trial, "here", own_user=True, ours=True)}


def red(found: dict[str, Finding]) -> dict[str, str]:
    return {name: one.text for name, one in found.items() if one.ok is False}


def by_name(folder: Path, *logins: Login) -> Callable[[str], str]:
    """Makes a mosquitto take the user name for the client id, and let in these and nobody else."""
    topics = ("gengfu-check", "waits")
    write_files(folder, file_texts([Account(one.name, broker_hash(one.password), topics) for one in logins]))
    files = f"password_file {folder / 'passwords'}\nacl_file {folder / 'access'}"
    more = f"use_username_as_clientid true\nallow_anonymous false\n{files}"
    return lambda text: text.replace("allow_anonymous true", more)


@dataclass
class Heard:
    """A connection of which only what it heard counts."""

    messages: list[mqtt5.PublishPacket]

    def on(self, topic: str) -> list[mqtt5.PublishPacket]:
        return [one for one in self.messages if one.topic == topic]


@dataclass
class Spoil:
    """What a bad broker does to packets: nothing here. One object sees all connections of a trial.

    With `chunk_bytes` it is the line that is slow: so much after each `pause_s`, and packets as they are.
    """

    chunk_bytes: int = 0
    pause_s: float = 0.0
    window: int = 1 << 30
    hides_end: bool = False
    said: list[bytes] = field(default_factory=list)

    def coming(self, frame: bytes) -> Iterator[bytes]:
        """What arrives in place of a whole packet from the broker."""
        yield frame

    def going(self, data: bytes) -> bytes:
        """What leaves in place of what is sent."""
        return data


class BadLine:
    """A link between a good broker and the check. Beyond `spoil.window` unacknowledged messages it holds
    PUBLISH packets back; with `spoil.hides_end` nobody learns that the broker ended the connection."""

    more = False
    stage = ""
    pending = False

    def __init__(self, link: Link, spoil: Spoil) -> None:
        self._link, self._spoil = link, spoil
        self._bytes = self._ready = b""
        self._held: list[bytes] = []
        self._room = spoil.window
        self._left = self._over = False

    @property
    def unsent(self) -> int:
        return self._link.unsent

    def fileno(self) -> int:
        return self._link.fileno()

    def interest(self, *, reading: bool) -> int:
        return self._link.interest(reading=reading)

    def opened(self) -> bool:
        return self._link.opened()

    def wait(self, timeout_s: float, *, reading: bool) -> bool:
        self._let_through()
        if self._over:
            time.sleep(timeout_s)
        if self._ready or self._over:
            return bool(self._ready)
        return self._link.wait(timeout_s, reading=reading)

    def receive(self, limit: int) -> bytes:
        if self._spoil.chunk_bytes:
            time.sleep(self._spoil.pause_s)
            return self._link.receive(self._spoil.chunk_bytes)
        if not self._ready:
            self._take(limit)
        ready, self._ready = self._ready, b""
        return ready

    def send(self, data: bytes) -> None:
        self._left = self._left or data[0] >> 4 == DISCONNECT
        if data[0] >> 4 == PUBACK:
            self._room += len(data) // 4
        if not self._over:
            self._link.send(self._spoil.going(data))

    def close(self) -> None:
        self._link.close()

    def _take(self, limit: int) -> None:
        try:
            self._bytes += self._link.receive(limit)
        except LinkLost:
            if self._left or not self._spoil.hides_end:
                raise
            self._over = True
        while frame := first_packet(self._bytes):
            self._bytes = self._bytes[len(frame) :]
            for packet in self._spoil.coming(frame):
                if packet[0] >> 4 == PUBLISH:
                    self._held.append(packet)
                elif packet[0] >> 4 != DISCONNECT or not self._spoil.hides_end:
                    self._ready += packet
        self._let_through()

    def _let_through(self) -> None:
        count = max(min(self._room, len(self._held)), 0)
        self._ready += b"".join(self._held[:count])
        del self._held[:count]
        self._room -= count
