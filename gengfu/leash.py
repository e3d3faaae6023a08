"""A process that must not outlive its supervisor: it holds the reading end of a pipe nobody writes to.

When the supervisor ends, even by kill -9, the pipe closes and the process stops itself in order.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gengfu.folder import FORMER_WAIT_S, FolderTaken, lock, wait_free

LEASH: Final = "GENGFU_LEASH_FD"
_PR_SET_PDEATHSIG: Final = 1


def follow_leash() -> None:
    """Sends this process SIGTERM when the supervisor is gone; does nothing without a leash."""
    fd = os.environ.pop(LEASH, "")
    if not fd:
        return

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(int(fd), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="leash", daemon=True).start()


def walk(folder: Path, name: str, command: Sequence[str]) -> int:
    """Runs a foreign program (mosquitto) that knows no leash, and ends it when ours is let go.

    The program holds the lock `name` of `folder` for its own life: two on one folder would overwrite what
    the other saved. On Linux it also ends when this process is killed; elsewhere it then lives on, and the
    lock keeps a second one away. Gives the program's exit code. Raises FolderTaken.
    """
    ended = threading.Event()
    child: subprocess.Popen[bytes] | None = None

    def end(*_: object) -> None:
        ended.set()
        if child:
            child.terminate()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wait_free(folder, name, FORMER_WAIT_S)
    with lock(folder, name) as held:
        child = subprocess.Popen(
            command,
            pass_fds=(held.fileno(),),
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no other thread runs yet
        )
        if ended.is_set():
            child.terminate()
        follow_leash()
        return child.wait()


def die_with_parent() -> None:
    """In the child before its program runs: Linux then sends it SIGTERM when this process ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def main(words: Sequence[str]) -> int:
    """`python -m gengfu.leash FOLDER NAME PROGRAM …`"""
    folder, name, *command = words
    try:
        return walk(Path(folder), name, command)
    except FolderTaken as error:
        sys.stderr.write(f"gengfu: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
