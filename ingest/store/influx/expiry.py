"""Points that are older than a server keeps. InfluxDB refuses them with words of its retention policy, and of
every line, so they are not looked for one by one: the boundary is found, and what lies behind it is not sent.
VictoriaMetrics drops them without a word, and says in its flags how long it keeps what.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Final

from ingest.store.influx.server import Answer, Post, Refused

_WORDS: Final = re.compile(r"(beyond|outside) retention policy(?!.*Upper Bound)")
"""Not those of what is too far ahead."""
_OLDEST: Final = -(2**63)
SOON_NS: Final = 3600 * 10**9
"""What expires within this time is not sent any more (chosen: it would be gone before it was read back)."""
_FLAG: Final = re.compile(r'^-retentionPeriod="?(\d+(?:\.\d+)?)([hdwy]?)"?\s*$', re.MULTILINE)
_NOT_THE_STORE: Final = ("-storageNode", "-remoteWrite.url")
"""What has these flags passes points on to others, who keep them for another time."""
_HOURS: Final = {"h": 1, "d": 24, "w": 7 * 24, "y": 365 * 24, "": 31 * 24}
"""Of VictoriaMetrics' units; a number without one is of months."""


@dataclass(frozen=True, slots=True)
class Retention:
    """For how long VictoriaMetrics keeps what it has; `given`: the value of -retentionPeriod, empty where it
    was not set."""

    keeps_s: int
    given: str = ""

    def __str__(self) -> str:
        hours = self.keeps_s // 3600
        long = f"{hours} hours" if hours < 48 else f"{hours // 24} days"
        return f"{long} (-retentionPeriod{f'={self.given}' if self.given else ' is not set'})"


def retention_of(flags: str) -> Retention | None:
    """Out of what VictoriaMetrics gives at /flags, which are those that were set. None where it does not
    say."""
    if found := _FLAG.search(flags):
        return Retention(int(float(found[1]) * _HOURS[found[2]] * 3600), found[1] + found[2])
    if not flags.startswith("-") or "-retentionPeriod" in flags or any(f in flags for f in _NOT_THE_STORE):
        return None
    return Retention(_HOURS[""] * 3600)


class Expiry:
    """`before_ns`: nothing of this time and before is taken; it only moves forward. For several threads."""

    def __init__(self) -> None:
        self.before_ns = _OLDEST
        self._lock = threading.Lock()

    def is_why(self, answer: Answer) -> bool:
        """Whether something was refused for its age."""
        return isinstance(answer, Refused) and _WORDS.search(answer.why) is not None

    def apart(self, lines: bytes) -> bytes:
        """The lines that are not too old."""
        kept = [line for line in lines.splitlines(keepends=True) if _time_of(line) > self.before_ns]
        return b"".join(kept)

    def moved(self, now_ns: int, keeps_s: int) -> None:
        """Of a server that drops without a word what is older than this: behind that boundary nothing is
        sent, nor what expires soon."""
        with self._lock:
            self.before_ns = max(self.before_ns, now_ns - keeps_s * 10**9 + SOON_NS)

    def learn(self, lines: bytes, post: Post) -> None:
        """Finds the boundary with one line at a time, among lines of which some are refused for their age."""
        by_time = {_time_of(line): line for line in lines.splitlines(keepends=True)}
        times = sorted(by_time)
        old, young = -1, len(times)
        while young - old > 1:
            middle = (old + young) // 2
            if self.is_why(post(by_time[times[middle]])):
                old = middle
            else:
                young = middle
        if old >= 0:
            with self._lock:
                self.before_ns = max(self.before_ns, times[old])


def _time_of(line: bytes) -> int:
    return int(line.rsplit(b" ", 1)[1])
