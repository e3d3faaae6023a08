"""Incidents that an operator has made parts of another.

The way back forgets which were; each is an incident of its own again, with its steps as they stand.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SAID = "the incident it is a part of; its own state, steps and links go on"


def upgrade() -> None:
    op.add_column("incident", sa.Column("merged_into", _ID, comment=_SAID))
    op.add_column("incident", sa.Column("merged_us", sa.BigInteger()))
    op.create_index("ix_incident_merged_into", "incident", ["merged_into"])


def downgrade() -> None:
    op.drop_index("ix_incident_merged_into", table_name="incident")
    op.execute("ALTER TABLE incident DROP COLUMN merged_us")
    op.execute("ALTER TABLE incident DROP COLUMN merged_into")
