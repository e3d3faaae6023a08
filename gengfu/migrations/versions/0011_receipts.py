"""What came back of messages: delivered, read, failed, answered.

The way back forgets it. A message that was not delivered counts as accepted there, which it was.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COLUMNS = {
    "notification": (
        ("delivered_us", sa.BigInteger, "the provider's receipt: on the telephone"),
        ("read_us", sa.BigInteger, "the provider's receipt: read, or the call was picked up"),
    ),
    "attempt": (
        ("carrier", sa.Text, "with receipt"),
        ("receipt", sa.Text, "what the provider calls the message in its receipts"),
        ("ask_us", sa.BigInteger, "when to ask the provider what became of it; null: never"),
    ),
}
_STATES = (
    "sending | waiting | accepted | undelivered | dead; held, rolled: told together",
    "sending | waiting | accepted | dead",
)
"""What the column says of itself from now on, and said before. SQLite keeps none of it."""


def upgrade() -> None:
    for table, columns in _COLUMNS.items():
        for name, kind, said in columns:
            op.add_column(table, sa.Column(name, kind(), comment=said))
    op.create_index("ix_attempt_receipt", "attempt", ["receipt"])
    op.create_index("ix_attempt_ask_us", "attempt", ["ask_us"])
    _say(_STATES[0])
    _make_receipt()
    op.create_table(
        "receipt_unread",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False, comment="none of the provider's shapes"),
        sa.Column("body", sa.Text(), nullable=False, comment="its beginning, numbers masked"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_unread")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "channel_proof",
        sa.Column("channel_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "delivered_us", sa.BigInteger(), comment="when the newest message that was delivered was sent"
        ),
        sa.Column("bounced_us", sa.BigInteger(), comment="when the newest message that was not was sent"),
        sa.Column("first_us", sa.BigInteger(), comment="since when none has been delivered"),
        sa.Column("times", sa.Integer(), nullable=False, comment="not delivered since then"),
        sa.Column("detail", sa.Text(), nullable=False, comment="why the last was not"),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_channel_proof")),
    )


def _make_receipt() -> None:
    op.create_table(
        "receipt",
        sa.Column("id", _ID, nullable=False),
        sa.Column("once_key", sa.Text(), nullable=False, comment="one posted again is the same"),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column(
            "receipt", sa.Text(), nullable=False, comment="the provider's name of our message; empty: a reply"
        ),
        sa.Column(
            "own_id", sa.Text(), nullable=False, comment="our name of it, where the provider sends it back"
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="delivered | read | failed | answered | reply"),
        sa.Column("at_us", sa.BigInteger(), nullable=False, comment="as the provider says"),
        sa.Column("heard_us", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("keys", sa.Text(), nullable=False, comment="pressed in a call"),
        sa.Column(
            "act", sa.Text(), nullable=False, comment="what the keys or the reply mean; empty: nothing known"
        ),
        sa.Column("text", sa.Text(), nullable=False, comment="of a reply, until it is an act"),
        sa.Column(
            "contacts", sa.Text(), nullable=False, comment="ids of whose number a reply came from, by comma"
        ),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False, comment="empty: undecided"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("once_key", name=op.f("uq_receipt_once_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_receipt_receipt", "receipt", ["receipt"])
    op.create_index("ix_receipt_outcome_heard_us", "receipt", ["outcome", "heard_us"])


def downgrade() -> None:
    for table in ("channel_proof", "receipt_unread", "receipt"):
        op.drop_table(table)
    op.execute("UPDATE notification SET state = 'accepted' WHERE state = 'undelivered'")
    _say(_STATES[1])
    op.drop_index("ix_attempt_ask_us", table_name="attempt")
    op.drop_index("ix_attempt_receipt", table_name="attempt")
    for table, columns in _COLUMNS.items():
        for name, _, _ in columns:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")


def _say(states: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"COMMENT ON COLUMN notification.state IS '{states}'")
