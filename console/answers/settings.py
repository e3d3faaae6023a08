"""What the public pages must be told when they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alerts.receipts_kept import Finds, nobody
from console.answers.outcome import WAIT_S


@dataclass(frozen=True, slots=True)
class AnswersSettings:
    """`link_key` is the key links are signed with; `clock` gives microseconds since 1970 UTC.

    `language` is for pages where no contact is known; times are shown in `timezone`. `wait_s`: how long a tap
    waits for its outcome. Addresses where providers post end with secrets made of `callback_key` (empty:
    there are none); `find` tells whose number a reply came from.
    """

    link_key: bytes
    clock: Callable[[], int]
    language: str = "zh-CN"
    timezone: str = "Asia/Shanghai"
    site_name: str = "Gengfu"
    wait_s: float = WAIT_S
    callback_key: bytes = b""
    find: Finds = nobody
