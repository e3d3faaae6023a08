"""What the alerts process is told by the configuration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Set once when the process starts.

    `link_key` signs one-tap links, `answers_url` is what they start with. `clock_ratio` divides every delay
    of an escalation: 1 in real use. `timezone` is the IANA name of the site's zone. `send_timeout_s` bounds
    one hand-over; `senders` is how many run at once, urgent and lesser together.
    """

    link_key: bytes
    answers_url: str
    clock_ratio: float = 1.0
    timezone: str = "Asia/Shanghai"
    send_timeout_s: float = 10.0
    senders: int = 64
