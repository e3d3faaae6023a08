"""What the console must be told when it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from alerts.views import AlarmLine
from console.answers.outcome import WAIT_S
from console.chart_limits import Limits, LooksAt, looks_at_nothing, no_limits
from console.people_seam import Seam
from ingest.store.histories import Histories
from rules.transition import Why

SESSION_S: Final = 12 * 3600
"""A session ends this long after the login: one night's shift (chosen)."""
IDLE_S: Final = 3600
"""A session ends when nothing was asked with it for so long: no page was open (chosen)."""

Off = Callable[[Connection, Sequence[AlarmLine]], Mapping[tuple[str, str], Why]]


def _none_off(connection: Connection, alarms: Sequence[AlarmLine]) -> Mapping[tuple[str, str], Why]:
    return {}


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """`session_key` signs cookies (32 secret bytes); `clock` gives microseconds since 1970 UTC.

    `language` (zh-CN or en) is what pages speak until the reader switches; times are shown in `timezone`.
    `https_only` marks the cookie Secure and must be true where the console is reached over TLS.
    `off` says of alarms that stand which are of a rule that is off where they are, and why, by rule and
    subject: only a person ends those. `poll_s` is how often the process looks for changes (chosen: 0.1 s,
    far below what an eye notices); `wait_s` is how long an act waits for its outcome. `histories` are the
    site's points (None: pages show no values); `limits` says where rules raise on a series, `looks_at` what a
    rule looks at. `seam` opens masked names and one number at a time, nothing else that is sealed.
    """

    session_key: bytes
    clock: Callable[[], int]
    language: str = "zh-CN"
    timezone: str = "Asia/Shanghai"
    site_name: str = "Gengfu"
    https_only: bool = False
    poll_s: float = 0.1
    wait_s: float = WAIT_S
    off: Off = _none_off
    histories: Histories | None = None
    limits: Limits = no_limits
    looks_at: LooksAt = looks_at_nothing
    seam: Seam = field(default_factory=Seam)
