"""A real, private mosquitto on a free loopback port, with the configuration we ship."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pytest

from gengfu.ports import free_port
from ingest.broker import BrokerFile, find_mosquitto, private_broker, wait_ready, write_configuration
from tests.ingest.packets import encode_publish, packet

__all__ = ["Mosquitto", "RawPublisher", "free_port"]


class Mosquitto:
    """Started on entering, stopped on leaving; can be stopped, killed and started again on its port."""

    def __init__(self, folder: Path, change: Callable[[str], str] = lambda text: text) -> None:
        program = find_mosquitto()
        if program is None:
            pytest.skip("mosquitto is not installed")
        self._program = program
        self.port = free_port()
        self.file: BrokerFile = private_broker(folder / "broker", self.port)
        self._configuration = write_configuration(self.file)
        self._configuration.write_text(change(self.file.text), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", self._configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_ready("127.0.0.1", self.port, 10.0)

    def stop(self) -> None:
        """As an administrator would: what is queued is saved."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """It holds its connections and answers nothing."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def _end(self, how: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(how)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(signal.SIGKILL)


class RawPublisher:
    """Publishes over a bare socket with an encoder of its own, so that ours is not its own judge."""

    def __init__(self, port: int, client_id: str = "publisher") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        name = client_id.encode()
        body = b"\x00\x04MQTT\x05\x02\x00\x00\x00" + len(name).to_bytes(2, "big") + name
        self._socket.sendall(packet(0x10, body))
        self._take(self._take(2)[1])

    def publish(self, topic: str, *payloads: bytes, qos: int = 1, retain: bool = False) -> None:
        """Returns when the broker has taken all of them."""
        packets = [
            encode_publish(topic, payload, qos=qos, retain=retain, packet_id=i % 60_000 + 1)
            for i, payload in enumerate(payloads)
        ]
        for start in range(0, len(packets), 1000):
            self._socket.sendall(b"".join(packets[start : start + 1000]) + b"\xc0\x00")
            self._wait_pong()

    def close(self) -> None:
        self._socket.sendall(b"\xe0\x00")
        self._socket.close()

    def _wait_pong(self) -> None:
        while (kind := self._take(2))[0] != 0xD0:
            self._take(kind[1])

    def _take(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            assert more, "the broker closed the publisher's connection"
            data += more
        return data

    def __enter__(self) -> RawPublisher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
