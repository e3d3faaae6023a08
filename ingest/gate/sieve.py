"""From the flood of a mosquitto that logs each packet to the few lines that matter, as bytes.

With debug lines on mosquitto writes four lines a message. They must be read fast, because mosquitto waits for
its reader, and must not reach the disk. Sorting out takes 3 µs a message (measured at
55,000 a second, beside other work).
"""

from __future__ import annotations

import queue
import re
import threading
from io import RawIOBase
from pathlib import Path
from typing import Final

_STAMP: Final = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d: "
_KEPT: Final = re.compile(
    rb"\n(?:" + _STAMP + rb"(?:[^RSN\t\n]|Re[^c\n]|S[^ea\n]|Sending C|New)|(?!\d{4}-)[^\n])[^\n]*"
)
"""All but `Received …`, `Sending …` other than CONNACK, `No will …`, `Saving …` every 30 s, and the topics of
subscriptions. What mosquitto says before it has read its configuration has another stamp, and is kept."""
LINE_MAX: Final = 1 << 18
"""A longer line is let go: MQTT's longest topic and client id are 64 KiB each."""
LOG_BYTES: Final = 8 << 20
"""Of one log file; the one before it is kept (chosen)."""
WAITING: Final = 256
"""Pieces that may wait for a slow disk (chosen); more are dropped and counted."""


class Sieve:
    """Cuts what is fed into lines and gives those that matter."""

    def __init__(self) -> None:
        self._rest = b""
        self._cut = False

    def feed(self, data: bytes) -> bytes:
        """The kept lines among the whole ones so far, each with its end."""
        text = self._rest + data
        end = text.rfind(b"\n")
        if end < 0:
            self._cut = self._cut or len(text) > LINE_MAX
            self._rest = b"" if self._cut else text
            return b""
        self._rest = text[end + 1 :]
        if self._cut:  # the end of a line whose beginning was let go is no line
            self._cut, text = False, text[text.index(b"\n") :]
            end = text.rfind(b"\n")
        kept = _KEPT.findall(b"\n" + text[:end])
        return b"".join(kept)[1:] + b"\n" if kept else b""


class BoundedLog:
    """Writes pieces to a file on a thread of its own, so that a slow or full disk holds nobody up.

    At LOG_BYTES the file becomes `<name>.1`. What cannot be written is dropped; `dropped` counts pieces, and
    a line of ours says so in the log as soon as it can be written.
    """

    def __init__(self, path: Path, limit: int = LOG_BYTES) -> None:
        self._path, self._limit = path, limit
        self._waiting: queue.Queue[bytes] = queue.Queue(WAITING)
        self.dropped = self._told = 0
        self._torn = False
        self._thread = threading.Thread(target=self._run, name="broker-log", daemon=True)
        self._thread.start()

    def put(self, piece: bytes) -> None:
        """Returns at once."""
        try:
            self._waiting.put_nowait(piece)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Returns when all that waits was tried."""
        self._waiting.put(b"")
        self._thread.join()

    def _run(self) -> None:
        while piece := self._waiting.get():
            try:
                self._write(piece)
            except OSError:  # a full disk: the lines are lost, the broker is not
                self.dropped += 1

    def _write(self, piece: bytes) -> None:
        if self._path.exists() and self._path.stat().st_size + len(piece) > self._limit:
            self._path.replace(self._path.with_name(self._path.name + ".1"))
        dropped = self.dropped
        if dropped > self._told:
            piece = b"gengfu: %d pieces of this log are lost\n" % (dropped - self._told) + piece
        with self._path.open("ab", buffering=0) as out:
            self._append(out, b"\n" + piece if self._torn else piece)
        self._told = dropped

    def _append(self, out: RawIOBase, data: bytes) -> None:
        """All of it, or an OSError; then the next piece begins with a line of its own."""
        self._torn = True
        while data:
            data = data[out.write(data) or 0 :]
        self._torn = False
