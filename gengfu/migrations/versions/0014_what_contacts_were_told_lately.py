"""Finding what a contact was told in the last minute, in a storm too.

The way back finds it by looking at every message.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_notification_contact_id_created_us", "notification", ["contact_id", "created_us"])


def downgrade() -> None:
    op.drop_index("ix_notification_contact_id_created_us", table_name="notification")
