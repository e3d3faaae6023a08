"""A process that must not outlive its supervisor: it holds the reading end of a pipe nobody writes to.

When the supervisor ends, even by kill -9, the pipe closes and the process stops itself in order.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
from typing import Final

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


def die_with_parent() -> None:
    """In the child before its program runs: Linux then sends it SIGTERM when this process ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
