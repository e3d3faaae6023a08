"""What the alerts process is told by the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field

from alerts.pace import MOST
from alerts.plans import Policies, shipped_policies
from alerts.text_file import Texts, shipped_texts


@dataclass(frozen=True, slots=True)
class Settings:
    """Set once when the process starts.

    `link_key` signs one-tap links, `answers_url` is what they start with. `clock_ratio` divides every delay
    of an escalation: 1 in real use. `policies` say whom to tell when; a `policies_file` is read in their
    place and followed (`alerts/following_policies.py`). `texts` and `texts_file` are the same of what
    messages say. `timezone` is the IANA name of the site's zone.
    `send_timeout_s` bounds one hand-over. Of `senders` half are for urgent ones; one provider has half of
    either under way at most, and all providers together have eight times as many.
    `messages_per_minute` is how many lesser messages one contact gets before further ones come as a summary.
    `lesser_at_once` is how many lesser alarms a turn takes (`alerts/pace.py`).
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
    lesser_at_once: int = MOST
    texts: Texts = field(default_factory=shipped_texts)
    texts_file: str = ""
