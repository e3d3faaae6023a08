"""Tests of detectors: a row for each time that a device said its test button was pressed.

The way back forgets them. What tests ran then is noted elsewhere (`profile_note`) and stays, unread.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device_test",
        sa.Column("uid", sa.Text, nullable=False),
        sa.Column("began_us", sa.BigInteger, nullable=False, comment="observed"),
        sa.Column("received_us", sa.BigInteger, nullable=False),
        sa.Column("ended_us", sa.BigInteger, comment="observed; null: it runs, or nobody said when it ended"),
        sa.PrimaryKeyConstraint("uid", "began_us", name="pk_device_test"),
    )
    op.create_index("ix_device_test_began_us", "device_test", ["began_us"])


def downgrade() -> None:
    op.drop_table("device_test")
