"""The tables of alerts. Times are int64 microseconds UTC.

Text has no width here. PostgreSQL refuses what is wider and SQLite does not look: a width would be a trap on
the way of an alarm. What must be short is cut where it is written.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from devices.schema import metadata

Id = BigInteger().with_variant(Integer(), "sqlite")
"""A growing number: SQLite's are 64 bits wide anyway, and a flood of refused messages outruns 32 in weeks."""


def _called() -> tuple[Column[str], Column[str]]:
    """What a rule says of its alarms beside their evidence."""
    said = "fire | electrical | fault; empty: as the rule's name says"
    title = "what the rule calls it, in both languages; empty: as shipped"
    return (
        Column("hazard", Text, nullable=False, server_default="", comment=said),
        Column("title", Text, nullable=False, server_default="", comment=title),
    )


transition = Table(
    "transition",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("rule", Text, nullable=False),
    Column("to", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("uid", Text, nullable=False, comment="the triggering device"),
    Column("channel", Text, nullable=False),
    Column("topic", Text, nullable=False, server_default="", comment="only for strangers"),
    Column("slot", Integer, nullable=False),
    Column("device_id", Integer, nullable=False, comment="0: not registered"),
    Column("dwelling_id", Integer, nullable=False, comment="0: none"),
    Column("place", Integer, nullable=False, comment="dwelling of rules on places, else 0"),
    Column("at_us", BigInteger, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("age_s", Float, comment="null: unknown"),
    Column("why", Text, nullable=False),
    Column("marks", Text, nullable=False, comment="comma separated"),
    *_called(),
    sqlite_autoincrement=True,
)
"""Written by ingest, and by alerts for faults of the system; read by alerts by id. Never changed.

`why` and `title` are packed by `alerts/why_text.py`.
"""

engine_input = Table(
    "engine_input",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("incident_id", Id, nullable=False),
    sqlite_autoincrement=True,
)
"""Written by alerts, read by ingest at each tick."""

incident = Table(
    "incident",
    metadata,
    Column("id", Id, primary_key=True),
    Column("place", Text, nullable=False, comment="dwelling:ID | stair:ID | building:ID | device:UID"),
    Column("dwelling_id", Integer, nullable=False),
    Column("building_id", Integer, nullable=False),
    Column("hazard", Text, nullable=False, comment="fire | electrical | fault"),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("epoch", Integer, nullable=False, comment="grows when the escalation starts again from step 0"),
    Column("started_us", BigInteger, nullable=False, comment="start of this epoch"),
    Column("opened_us", BigInteger, nullable=False),
    Column("confirmed_us", BigInteger),
    Column("false_alarm_us", BigInteger),
    Column("arrived_us", BigInteger),
    Column("fed_back_by", Text),
    Column("closed_us", BigInteger),
    Column("cause", Text),
    Column("disposition", Text),
    Column("tags", Text, nullable=False, server_default="", comment="comma separated"),
    Column("merged_into", Id, comment="the incident it is a part of; its own state, steps and links go on"),
    Column("merged_us", BigInteger),
    Index("ix_incident_state", "state"),
    Index("ix_incident_place", "place"),
    Index("ix_incident_merged_into", "merged_into"),
    sqlite_autoincrement=True,
)

incident_alarm = Table(
    "incident_alarm",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False),
    Column("rule", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("uid", Text, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("severity", Text, nullable=False),
    Column("raised_us", BigInteger, nullable=False),
    Column("cleared_us", BigInteger),
    Column("why", Text, nullable=False),
    *_called(),
    Column(
        "taken_us",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="when alerts took it in, by our clock; raised_us is by the device's",
    ),
    UniqueConstraint("incident_id", "rule", "subject", name="uq_incident_alarm_incident_id"),
    Index("ix_incident_alarm_subject", "subject"),
)
"""The evidence of incidents. `why` as in `transition`, a stranger's with its topic."""

incident_change = Table(
    "incident_change",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False, index=True),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("by", Text, nullable=False, comment="user:LOGIN | contact:CODE | gengfu"),
    Column("via", Text, nullable=False),
    Column("text", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""The timeline, and the order in which live pages catch up (its id is the Last-Event-ID).

`text` is a packed saying (`alerts/sayings.py`), rendered in the reader's language.
"""

step = Table(
    "step",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("n", Integer, nullable=False, comment="which repetition, from 0"),
    Column("due_us", BigInteger, nullable=False),
    Column("state", Text, nullable=False, comment="pending | done | stopped"),
    Column("ended_us", BigInteger),
    UniqueConstraint("incident_id", "epoch", "name", "n", name="uq_step_incident_id"),
    Index("ix_step_state_due_us", "state", "due_us"),
)

notification = Table(
    "notification",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True, comment="incident/epoch/step/n/contact/medium"),
    Column("incident_id", ForeignKey("incident.id"), nullable=False, index=True),
    Column("contact_id", Integer, nullable=False),
    Column("channel_id", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("rank", Integer, nullable=False, comment="of the severity: lower goes first"),
    Column("medium", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("language", Text, nullable=False, server_default="zh-CN"),
    Column("parts", Text, nullable=False, server_default="{}", comment="pieces of the text, a JSON object"),
    Column("created_us", BigInteger, nullable=False),
    Column(
        "state",
        Text,
        nullable=False,
        comment="sending | waiting | accepted | undelivered | dead; held, rolled: told together",
    ),
    Column("attempts", Integer, nullable=False),
    Column("next_try_us", BigInteger, nullable=False),
    Column("accepted_us", BigInteger),
    Column("delivered_us", BigInteger, comment="the provider's receipt: on the telephone"),
    Column("read_us", BigInteger, comment="the provider's receipt: read, or the call was picked up"),
    Column("told_in", Id, comment="the message whose summary told it; of that one its own"),
    Index("ix_notification_state_next", "state", "next_try_us"),
    Index("ix_notification_contact_id_created_us", "contact_id", "created_us"),
    sqlite_autoincrement=True,
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notification_id", ForeignKey("notification.id"), nullable=False, index=True),
    Column("n", Integer, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("outcome", Text, nullable=False, comment="started | accepted | failed | unknown"),
    Column("detail", Text, nullable=False),
    Column("carrier", Text, comment="with receipt"),
    Column("receipt", Text, comment="what the provider calls the message in its receipts"),
    Column("ask_us", BigInteger, comment="when to ask the provider what became of it; null: never"),
    UniqueConstraint("notification_id", "n", name="uq_attempt_notification_id"),
    Index("ix_attempt_receipt", "receipt"),
    Index("ix_attempt_ask_us", "ask_us"),
)
"""`unknown` marks a try that a crash cut off: the next one may be a duplicate (contract 2) and is counted.
`slow` (`alerts/slow.py`) is one under way, `started`, after which the contact's next way was begun."""

act = Table(
    "act",
    metadata,
    Column("id", Id, primary_key=True),
    Column("once_key", Text, nullable=False, unique=True, comment="a repeated tap is one act"),
    Column("incident_id", Id, nullable=False, index=True),
    Column("actor", Text, nullable=False, comment="contact:ID | user:LOGIN"),
    Column("role", Text, nullable=False, comment="a contact's role or a user's role"),
    Column("act", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False, server_default="", comment="'' | done | refused | noted"),
    Column("reason", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
"""What people answered. Written by answers and console, decided by alerts in id order."""

cursor = Table(
    "cursor",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
"""How far alerts has read `transition` and `act`; moved in the transaction that holds the effects."""

system_fault = Table(
    "system_fault",
    metadata,
    Column("code", Text, primary_key=True),
    Column("severity", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("told_us", BigInteger),
    Column("settled", Boolean, nullable=False, server_default=false()),
)
"""Standing faults of the system or the registry (no duty desk, dwelling with nobody reachable)."""

pulse = Table(
    "pulse",
    metadata,
    Column("name", Text, primary_key=True, comment="of the process"),
    Column("at_us", BigInteger, nullable=False),
    Column("trouble", Text, nullable=False, comment="empty while it is well"),
)
"""Every process says every few seconds that it works; who stays silent is shown to operators as a fault."""
