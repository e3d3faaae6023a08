"""The leash of the private mosquitto: it also reads its log, and passes a reload on when that is safe.

A reload (SIGHUP) throws out who is not let in any longer. mosquitto 2.0.11 does that to stored sessions too:
after a restart it knows their user name and not their password, takes them for refused, and from then on
keeps no message for them until they connect again. For ingest's session that would be lost alarms (measured:
5 of 5). So a reload waits here until ingest has connected to this very mosquitto; a session that connected
since the start keeps everything, also while it is away.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final

from devices.keyring import without_key
from gengfu.folder import FORMER_WAIT_S, FolderTaken, lock, wait_free
from gengfu.leash import die_with_parent, follow_leash
from ingest.gate.sieve import BoundedLog, Sieve

READ_BYTES: Final = 1 << 20
PIPE_BYTES: Final = 1 << 20
"""Linux's largest pipe for a normal user: some 5,000 lines of slack."""
_F_SETPIPE_SZ: Final = 1031
ANYBODY: Final = "-"
"""In place of ingest's name where no credentials are used: a reload then waits for the start alone."""


def safety_sign(ingest: str) -> re.Pattern[bytes]:
    """The line after which a reload loses nothing, whole and in mosquitto's own words.

    Only whole lines count: topics and client ids are the publishers' choice and stand in other lines. None
    can hold a line's end (mosquitto refuses control characters), and numbers are short here because
    mosquitto cuts lines at 999 bytes: digits must not fill a line up to a cut of the publisher's choice.
    """
    name = re.escape(ingest.encode())
    said = rb"mosquitto version [0-9.]+ running"
    if ingest != ANYBODY:
        said = rb"New client connected from \S{1,80} as %b \(p\d, c\d, k\d{1,5}, u'%b'\)\." % (name, name)
    return re.compile(rb"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d: %b$" % said, re.MULTILINE)


class BrokerLeash:
    """One run of mosquitto. `ingest` is the name whose connection makes a reload safe."""

    def __init__(self, ingest: str) -> None:
        self._sign = safety_sign(ingest)
        self._lock = threading.RLock()  # a signal may arrive while the loop holds it
        self._child: subprocess.Popen[bytes] | None = None
        self._safe = self._wanted = self._ended = False

    def reload(self, *_: object) -> None:
        """Passes the reload on, now or as soon as it is safe."""
        with self._lock:
            self._wanted = True
            self._pass_on()

    def end(self, *_: object) -> None:
        """Ends mosquitto in order."""
        with self._lock:
            self._ended = True
            if self._child:
                self._child.terminate()

    def _heard(self, kept: bytes) -> None:
        with self._lock:
            if not self._safe and self._sign.search(kept):
                self._safe = True
                self._pass_on()

    def _pass_on(self) -> None:
        if self._wanted and self._safe and self._child and self._child.poll() is None:
            self._child.send_signal(signal.SIGHUP)
            self._wanted = False

    def run(self, command: Sequence[str], log: Path, held: IO[str]) -> int:
        """Runs mosquitto, sorting its log into `log`; gives its exit code."""
        reader, writer = os.pipe()
        if sys.platform == "linux":
            fcntl.fcntl(reader, _F_SETPIPE_SZ, PIPE_BYTES)
        bounded, sieve = BoundedLog(log), Sieve()
        with self._lock:
            self._child = subprocess.Popen(
                command,
                stdout=writer,
                stderr=writer,
                pass_fds=(held.fileno(),),
                env=without_key(os.environ),
                preexec_fn=die_with_parent,  # noqa: PLW1509 - the other thread takes no lock the child needs
            )
            os.close(writer)
            if self._ended:
                self._child.terminate()
        follow_leash()
        for data in _pieces(reader):
            if kept := sieve.feed(data):
                bounded.put(kept)
                self._heard(kept)
        code = self._child.wait()
        bounded.close()
        return code


def _pieces(reader: int) -> Iterator[bytes]:
    """What comes through the pipe, to its end. A signal that arrives just before a blocking read would be
    looked at only after it, which may be half a minute later; the byte it writes wakes us (measured: one stop
    in ten waited)."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([reader, woken], [], [])
        if woken in ready:
            os.read(woken, READ_BYTES)
        if reader in ready:
            if not (data := os.read(reader, READ_BYTES)):
                return
            yield data


def main(words: Sequence[str]) -> int:
    """`python -m gengfu.broker_leash FOLDER LOG INGEST PROGRAM …`"""
    folder, log, ingest, *command = words
    leash = BrokerLeash(ingest)
    signal.signal(signal.SIGHUP, leash.reload)
    signal.signal(signal.SIGTERM, leash.end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        wait_free(Path(folder), "broker", FORMER_WAIT_S)
        with lock(Path(folder), "broker") as held:
            return leash.run(command, Path(log), held)
    except FolderTaken as error:
        sys.stderr.write(f"gengfu: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
