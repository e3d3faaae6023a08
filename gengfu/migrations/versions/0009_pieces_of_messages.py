"""The pieces of a message beside its text, for providers that fill approved templates, and its language.

The way back forgets them: what is still to be sent goes out as text.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_COLUMNS = (("language", "zh-CN", None), ("parts", "{}", "pieces of the text, a JSON object"))


def upgrade() -> None:
    for name, default, said in _COLUMNS:
        column = sa.Column(name, sa.Text(), nullable=False, server_default=default, comment=said)
        op.add_column("notification", column)


def downgrade() -> None:
    for name, _, _ in _COLUMNS:
        op.execute(f"ALTER TABLE notification DROP COLUMN {name}")
