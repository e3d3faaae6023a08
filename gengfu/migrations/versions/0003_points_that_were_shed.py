"""Points that were shed, by device. The way back forgets how many there were."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shed",
        sa.Column("device", sa.Text(), nullable=False, comment="uid, also of a stranger"),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="journal record up to which it is counted"),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_shed")),
    )


def downgrade() -> None:
    op.drop_table("shed")
