"""Points that are older than a server keeps. InfluxDB refuses them with words of its retention policy, and of
every line, so they are not looked for one by one: the boundary is found, and what lies behind it is not sent.
"""

from __future__ import annotations

import re
import threading
from typing import Final

from ingest.store.influx.server import Answer, Post, Refused

_WORDS: Final = re.compile(r"(beyond|outside) retention policy(?!.*Upper Bound)")
"""Not those of what is too far ahead."""
_OLDEST: Final = -(2**63)


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
