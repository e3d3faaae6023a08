"""When an alarm was taken into its incident, by our own clock: what was said since is judged by that.

What is there already counts as taken in when its device says that it was raised. The way back forgets it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

_SAID = "when alerts took it in, by our clock; raised_us is by the device's"


def upgrade() -> None:
    column = sa.Column("taken_us", sa.BigInteger(), nullable=False, server_default="0", comment=_SAID)
    op.add_column("incident_alarm", column)
    op.execute("UPDATE incident_alarm SET taken_us = raised_us")


def downgrade() -> None:
    op.execute("ALTER TABLE incident_alarm DROP COLUMN taken_us")
