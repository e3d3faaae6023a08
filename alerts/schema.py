"""The tables of alerts. Times are int64 microseconds UTC."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from devices.schema import metadata

transition = Table(
    "transition",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("rule", String(16), nullable=False),
    Column("to", String(8), nullable=False),
    Column("severity", String(4), nullable=False),
    Column("subject", String(240), nullable=False),
    Column("uid", String(200), nullable=False, comment="the triggering device"),
    Column("channel", String(32), nullable=False),
    Column("topic", String(300), nullable=False, server_default="", comment="only for strangers"),
    Column("slot", Integer, nullable=False),
    Column("device_id", Integer, nullable=False, comment="0: not registered"),
    Column("dwelling_id", Integer, nullable=False, comment="0: none"),
    Column("place", Integer, nullable=False, comment="dwelling of rules on places, else 0"),
    Column("at_us", BigInteger, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("age_s", Float, comment="null: unknown"),
    Column("why", Text, nullable=False),
    Column("marks", String(120), nullable=False, comment="comma separated"),
    sqlite_autoincrement=True,
)
"""Written by ingest, read by alerts by id. Never changed. `why` is packed by `alerts/why_text.py`."""

engine_input = Table(
    "engine_input",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("rule", String(16), nullable=False),
    Column("slot", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("incident_id", Integer, nullable=False),
    sqlite_autoincrement=True,
)
"""Written by alerts, read by ingest at each tick."""

incident = Table(
    "incident",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("place", String(240), nullable=False, comment="dwelling:ID | building:ID | device:UID"),
    Column("dwelling_id", Integer, nullable=False),
    Column("building_id", Integer, nullable=False),
    Column("hazard", String(16), nullable=False, comment="fire | electrical | fault"),
    Column("severity", String(4), nullable=False),
    Column("state", String(16), nullable=False),
    Column("epoch", Integer, nullable=False, comment="grows when the escalation starts again from step 0"),
    Column("started_us", BigInteger, nullable=False, comment="start of this epoch"),
    Column("opened_us", BigInteger, nullable=False),
    Column("confirmed_us", BigInteger),
    Column("false_alarm_us", BigInteger),
    Column("arrived_us", BigInteger),
    Column("fed_back_by", String(80)),
    Column("closed_us", BigInteger),
    Column("cause", String(300)),
    Column("disposition", String(32)),
    Column("tags", String(120), nullable=False, server_default="", comment="comma separated"),
    Index("ix_incident_state", "state"),
    Index("ix_incident_place", "place"),
    sqlite_autoincrement=True,
)

incident_alarm = Table(
    "incident_alarm",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False),
    Column("rule", String(16), nullable=False),
    Column("subject", String(240), nullable=False),
    Column("uid", String(200), nullable=False),
    Column("slot", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("severity", String(4), nullable=False),
    Column("raised_us", BigInteger, nullable=False),
    Column("cleared_us", BigInteger),
    Column("why", Text, nullable=False),
    UniqueConstraint("incident_id", "rule", "subject", name="uq_incident_alarm_incident_id"),
)
"""The evidence of incidents. `why` as in `transition`, a stranger's with its topic."""

incident_change = Table(
    "incident_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False, index=True),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("by", String(80), nullable=False, comment="user:LOGIN | contact:CODE | gengfu"),
    Column("via", String(16), nullable=False),
    Column("text", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""The timeline, and the order in which live pages catch up (its id is the Last-Event-ID).

`text` is a packed saying (`alerts/sayings.py`), rendered in the reader's language.
"""

step = Table(
    "step",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("name", String(32), nullable=False),
    Column("n", Integer, nullable=False, comment="which repetition, from 0"),
    Column("due_us", BigInteger, nullable=False),
    Column("state", String(8), nullable=False, comment="pending | done | stopped"),
    Column("ended_us", BigInteger),
    UniqueConstraint("incident_id", "epoch", "name", "n", name="uq_step_incident_id"),
    Index("ix_step_state_due_us", "state", "due_us"),
)

notification = Table(
    "notification",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(120), nullable=False, unique=True, comment="incident/epoch/step/n/contact/medium"),
    Column("incident_id", ForeignKey("incident.id"), nullable=False, index=True),
    Column("contact_id", Integer, nullable=False),
    Column("channel_id", Integer, nullable=False),
    Column("role", String(32), nullable=False),
    Column("severity", String(4), nullable=False),
    Column("rank", Integer, nullable=False, comment="of the severity: lower goes first"),
    Column("medium", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("link", String(300), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("state", String(12), nullable=False, comment="sending | waiting | accepted | dead"),
    Column("attempts", Integer, nullable=False),
    Column("next_try_us", BigInteger, nullable=False),
    Column("accepted_us", BigInteger),
    Index("ix_notification_state_next", "state", "next_try_us"),
    sqlite_autoincrement=True,
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("notification_id", ForeignKey("notification.id"), nullable=False, index=True),
    Column("n", Integer, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("outcome", String(12), nullable=False, comment="started | accepted | failed | unknown"),
    Column("detail", String(300), nullable=False),
    UniqueConstraint("notification_id", "n", name="uq_attempt_notification_id"),
)
"""`unknown` marks a try that a crash cut off: the next one may be a duplicate (contract 2) and is counted."""

act = Table(
    "act",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("once_key", String(64), nullable=False, unique=True, comment="a repeated tap is one act"),
    Column("incident_id", Integer, nullable=False, index=True),
    Column("actor", String(80), nullable=False, comment="contact:ID | user:LOGIN"),
    Column("role", String(32), nullable=False, comment="a contact's role or a user's role"),
    Column("act", String(16), nullable=False),
    Column("note", String(300), nullable=False),
    Column("via", String(16), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("outcome", String(8), nullable=False, server_default="", comment="'' | done | refused | noted"),
    Column("reason", String(300), nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
"""What people answered. Written by answers and console, decided by alerts in id order."""

cursor = Table(
    "cursor",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("position", BigInteger, nullable=False),
)
"""How far alerts has read `transition` and `act`; moved in the transaction that holds the effects."""

system_fault = Table(
    "system_fault",
    metadata,
    Column("code", String(64), primary_key=True),
    Column("severity", String(4), nullable=False),
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
    Column("name", String(16), primary_key=True, comment="of the process"),
    Column("at_us", BigInteger, nullable=False),
    Column("trouble", String(200), nullable=False, comment="empty while it is well"),
)
"""Every process says every few seconds that it works; who stays silent is shown to operators as a fault."""
