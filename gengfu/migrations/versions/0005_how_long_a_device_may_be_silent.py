"""How long a device may be silent, where a person says it.

The way back forgets it: what the device says of itself counts again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "device",
        sa.Column(
            "max_silence_s",
            sa.Integer(),
            nullable=True,
            comment="how long it may say nothing; null: as it says itself",
        ),
    )


def downgrade() -> None:
    op.execute("ALTER TABLE device DROP COLUMN max_silence_s")
