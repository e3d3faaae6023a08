"""What the alerts process is told by the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field

from alerts.plans import Policies, shipped_policies


@dataclass(frozen=True, slots=True)
class Settings:
    """Set once when the process starts.

    `link_key` signs one-tap links, `answers_url` is what they start with. `clock_ratio` divides every delay
    of an escalation: 1 in real use. `policies` say whom to tell when; a `policies_file` is read in their
    place and followed (`alerts/following_policies.py`). `timezone` is the IANA name of the site's zone.
    `send_timeout_s` bounds one hand-over; `senders` is how many run at once, urgent and lesser together.
    `messages_per_minute` is how many lesser messages one contact gets before further ones come as a summary.
    """

    link_key: bytes
    answers_url: str
    clock_ratio: float = 1.0
    policies: Policies = field(default_factory=shipped_policies)
    policies_file: str = ""
    timezone: str = "Asia/Shanghai"
    send_timeout_s: float = 10.0
    senders: int = 64
    messages_per_minute: int = 6
