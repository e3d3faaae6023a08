"""What an alarm speaks of and is called, where its rule says so, and a way to find alarms by their subject.

The way back forgets what they are called: alarms of a site's own rules are then told by their names again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = ("transition", "incident_alarm")
_COLUMNS = (
    ("hazard", "fire | electrical | fault; empty: as the rule's name says"),
    ("title", "what the rule calls it, in both languages; empty: as shipped"),
)


def upgrade() -> None:
    for table in _TABLES:
        for name, said in _COLUMNS:
            op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default="", comment=said))
    op.create_index("ix_incident_alarm_subject", "incident_alarm", ["subject"])


def downgrade() -> None:
    op.drop_index("ix_incident_alarm_subject", table_name="incident_alarm")
    for table in _TABLES:
        for name, _ in _COLUMNS:
            op.execute(f'ALTER TABLE "{table}" DROP COLUMN {name}')
