"""Messages that are about no incident: tests of contacts, and daily reports.

The way back forgets them; what their receipts proved of a way stays in `channel_proof`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    states = "waiting | sending | accepted | undelivered | failed | refused: for good | withdrawn"
    op.create_table(
        "memo",
        sa.Column("id", _ID, nullable=False),
        _text("key", "memo/KIND/…: one with the same key is the same"),
        _text("kind", "test | silent | report"),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        _text("medium"),
        _text("language"),
        _text("text"),
        _text("parts", "pieces of the text, a JSON object"),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        _text("made_by", "a login, or gengfu"),
        sa.Column("due_us", sa.BigInteger(), nullable=False, comment="of the next try"),
        sa.Column("until_us", sa.BigInteger(), nullable=False, comment="no try begins after it"),
        _text("state", states),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_us", sa.BigInteger(), comment="of the last try"),
        sa.Column("accepted_us", sa.BigInteger()),
        sa.Column("delivered_us", sa.BigInteger(), comment="the provider's receipt: on the telephone"),
        sa.Column(
            "read_us", sa.BigInteger(), comment="the provider's receipt: read, or the call was picked up"
        ),
        sa.Column("answered_us", sa.BigInteger(), comment="by a reply, or a key pressed in the call"),
        sa.Column("carrier", sa.Text(), comment="with receipt"),
        sa.Column("receipt", sa.Text(), comment="what the provider calls the message in its receipts"),
        sa.Column(
            "ask_us",
            sa.BigInteger(),
            comment="when to ask the provider what became of it; null: never",
        ),
        sa.Column(
            "detail",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="why it was not taken or delivered",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memo")),
        sa.UniqueConstraint("key", name=op.f("uq_memo_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_memo_state_due_us", "memo", ["state", "due_us"])
    for name in ("channel_id", "contact_id", "receipt", "ask_us"):
        op.create_index(f"ix_memo_{name}", "memo", [name])


def downgrade() -> None:
    op.drop_table("memo")


def _text(name: str, comment: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, comment=comment)
