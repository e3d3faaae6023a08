"""Other numbers of a rule for a place or a device, with who made them and why.

The way back forgets them: the rules hold everywhere as they are written.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_override",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=8), nullable=False),
        sa.Column(
            "scope", sa.String(length=16), nullable=False, comment="area | building | dwelling | device"
        ),
        sa.Column("code", sa.String(length=200), nullable=False, comment="of the place, or the device's uid"),
        sa.Column(
            "raise",
            sa.String(length=32),
            server_default="",
            nullable=False,
            comment="with its unit; empty: as it is",
        ),
        sa.Column("clear", sa.String(length=32), server_default="", nullable=False),
        sa.Column("hold", sa.String(length=32), server_default="", nullable=False),
        sa.Column("clear_hold", sa.String(length=32), server_default="", nullable=False),
        sa.Column(
            "off",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="the rule does not hold there",
        ),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True, comment="null: for good"),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True, comment="ended by somebody before its time"),
        sa.Column("ended_by", sa.String(length=64), server_default="", nullable=False),
        sa.Column("end_reason", sa.String(length=300), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_override")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("rule_override")
