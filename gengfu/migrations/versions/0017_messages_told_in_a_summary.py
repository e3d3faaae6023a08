"""Which messages a summary told, so that one tap on its link can answer for all of them.

The way back forgets it: links of summaries open nothing then.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    said = "the message whose summary told it; of that one its own"
    op.add_column("notification", sa.Column("told_in", _ID, comment=said))


def downgrade() -> None:
    op.execute("ALTER TABLE notification DROP COLUMN told_in")
