"""What profiles have learnt of devices, what devices say of themselves, and which propose themselves.

The way back forgets it: profiles learn it again from their devices, and a flag that waits to count as false stays
true until a person resets it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "profile_note",
        sa.Column("profile", sa.Text(), nullable=False, comment="empty: of ingest itself"),
        sa.Column("table", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("profile", "table", "key", name=op.f("pk_profile_note")),
    )
    op.create_table(
        "device_said",
        sa.Column("uid", sa.Text(), nullable=False, comment="also of a stranger"),
        sa.Column(
            "key",
            sa.Text(),
            nullable=False,
            comment="label, vendor, model, firmware, parent, max_silence, ...",
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("said_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uid", "key", name=op.f("pk_device_said")),
    )
    op.create_table(
        "proposal",
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, comment="a JSON object of texts"),
        sa.Column("seen_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_proposal")),
    )


def downgrade() -> None:
    op.drop_table("proposal")
    op.drop_table("device_said")
    op.drop_table("profile_note")
