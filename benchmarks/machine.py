"""What the operating system says of processes: CPU time, memory, bytes, and whether the machine rests.

Linux's /proc. CPU times have the resolution of its clock, 10 ms: over some seconds that is nothing.

Raises OSError where a process is gone or there is no /proc.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

IDLE_PERCENT: Final = 15.0
"""Of one core: a machine that does less rests (chosen: a desktop's idle noise)."""
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """CPU seconds the process has used, user and system, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(pid: int) -> float:
    """The process's resident memory in MB (10⁶ bytes), shared pages included."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


def bytes_read(pid: int) -> int:
    """Bytes the process got from `read`, of files and sockets alike; what it got from `recv` is not in it."""
    return int(Path(f"/proc/{pid}/io").read_text().split()[1])


def children(pid: int) -> list[int]:
    """The processes that the process's threads started and that have not been waited for."""
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def family(pid: int) -> list[int]:
    """The process and all below it."""
    return [pid, *(one for child in children(pid) for one in family(child))]


def cores() -> int:
    """How many cores this process and those it starts may use."""
    return len(os.sched_getaffinity(0))


def busy_s() -> float:
    """CPU seconds that all processes together have used since the machine started."""
    return busy_ticks(Path("/proc/stat").read_text()) / _TICKS


def stolen_s() -> float:
    """CPU seconds that the host of a virtual machine gave to others while this one wanted them."""
    return _whole(Path("/proc/stat").read_text())[7] / _TICKS


def busy_ticks(stat: str) -> int:
    """Of the text of /proc/stat. Guests' time is in `user` and `nice` already; waiting for a disk is rest,
    and what the host has stolen nobody here has used. Pure."""
    user, nice, system, _idle, _iowait, irq, softirq, _steal, *_guests = _whole(stat)
    return user + nice + system + irq + softirq


def _whole(stat: str) -> list[int]:
    """The line of all cores together."""
    return [int(ticks) for ticks in stat.split("\n", 1)[0].split()[1:]]


def wait_idle(patience_s: float, look_s: float = 1.0) -> float:
    """Returns when the machine has rested for `look_s`, or after `patience_s`.

    Gives what it did at the last look, in percent of one core: above IDLE_PERCENT it never rested.
    """
    deadline = time.monotonic() + patience_s
    while True:
        before, start = busy_s(), time.monotonic()
        time.sleep(look_s)
        percent = 100 * (busy_s() - before) / (time.monotonic() - start)
        if percent < IDLE_PERCENT or time.monotonic() >= deadline:
            return percent
