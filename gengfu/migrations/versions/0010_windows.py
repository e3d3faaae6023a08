"""Silences, drills and commissioning windows, and their ends.

The way back forgets them: what a window held back or diverted is told as if there were none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bounded_window",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="silence | drill | commissioning"),
        sa.Column("scope", sa.Text(), nullable=False, comment="area | building | stair | dwelling | device"),
        sa.Column("place_id", sa.Integer(), nullable=False, comment="in the registry; 0 for a device"),
        sa.Column("code", sa.Text(), nullable=False, comment="of the place, or the device's uid"),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounded_window")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_bounded_window_until_us", "bounded_window", ["until_us"])
    op.create_table(
        "bounded_window_end",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("window_id", sa.Integer(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False, comment="gengfu: its time was over"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["window_id"],
            ["bounded_window.id"],
            name=op.f("fk_bounded_window_end_window_id_bounded_window"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounded_window_end")),
        sa.UniqueConstraint("window_id", name="uq_bounded_window_end_window_id"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("bounded_window_end")
    op.drop_index("ix_bounded_window_until_us", table_name="bounded_window")
    op.drop_table("bounded_window")
