"""Where users see and act, whom a grid worker's account acts as, and sessions that can be ended.

Whoever had an account saw everything and goes on doing so; who is added from now on is given areas. Sessions of
before have no row: everybody logs in once more. The way back forgets the areas: an account that was bound to
some is disabled, because the release before would show it everything, and so is one of a role that it does
not know; administrators stay, or nobody could enable anybody.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ROLES = (
    "operator | supervisor | installer | grid_worker | admin", "operator | supervisor | admin"
)  # fmt: skip
"""What the column says of itself from now on, and said before. SQLite keeps none of it."""
_OURS = "role = 'admin' OR (everywhere AND role IN ('operator', 'supervisor'))"


def upgrade() -> None:
    op.add_column(
        "user",
        sa.Column(
            "everywhere", sa.Boolean, nullable=False, server_default=sa.false(), comment="no area bounds it"
        ),
    )
    op.execute('UPDATE "user" SET everywhere = true')
    key = "CONSTRAINT fk_user_contact_id_contact REFERENCES contact (id)"
    op.execute(f'ALTER TABLE "user" ADD COLUMN contact_id INTEGER {key}')
    _say("contact_id", "whom a grid worker''s account acts as")
    _say("role", _ROLES[0])
    op.create_table(
        "user_area",
        sa.Column("user_id", sa.Integer, sa.ForeignKey("user.id", name="fk_user_area_user_id_user")),
        sa.Column("area_id", sa.Integer, sa.ForeignKey("area.id", name="fk_user_area_area_id_area")),
        sa.PrimaryKeyConstraint("user_id", "area_id", name="pk_user_area"),
    )
    op.create_index("ix_user_area_area_id", "user_area", ["area_id"])
    op.create_table(
        "user_session",
        sa.Column("id", sa.String(64), nullable=False, comment="random; stands in the signed cookie too"),
        sa.Column(
            "user_id",
            sa.Integer,
            sa.ForeignKey("user.id", name="fk_user_session_user_id_user"),
            nullable=False,
        ),
        sa.Column("began_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_user_session"),
    )
    op.create_index("ix_user_session_user_id", "user_session", ["user_id"])
    op.create_index("ix_look_by_at_us", "look", ["by", "at_us"])
    op.create_index("ix_area_parent_id", "area", ["parent_id"])
    op.create_index("ix_building_area_id", "building", ["area_id"])


def downgrade() -> None:
    op.drop_index("ix_building_area_id", "building")
    op.drop_index("ix_look_by_at_us", "look")
    op.drop_index("ix_area_parent_id", "area")
    op.drop_table("user_session")
    op.drop_table("user_area")
    op.execute(f'UPDATE "user" SET disabled_us = 0 WHERE disabled_us IS NULL AND NOT ({_OURS})')  # noqa: S608
    op.execute('ALTER TABLE "user" DROP COLUMN contact_id')
    op.execute('ALTER TABLE "user" DROP COLUMN everywhere')
    _say("role", _ROLES[1])


def _say(column: str, text: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"COMMENT ON COLUMN \"user\".{column} IS '{text}'")
