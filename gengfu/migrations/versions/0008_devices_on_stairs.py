"""Devices that hang on a stair (单元), outside its dwellings.

The way back hangs them into the stair's building, with their stays and their incidents: that is where the
release before registers them. SQLite adds a column with its foreign key in place, where making the table anew
would need the keys of other tables to be off, which no transaction can do.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES = ("device", "placement")
_SAID = {
    "device.stair_id": ("for devices in the common parts of a stair", None),
    "device.building_id": ("for devices outside stairs and dwellings", "for devices outside dwellings"),
    "incident.place": (
        "dwelling:ID | stair:ID | building:ID | device:UID", "dwelling:ID | building:ID | device:UID",
    ),
}  # fmt: skip
"""What columns say of themselves from now on, and said before. SQLite keeps none of it."""


def upgrade() -> None:
    for table in _TABLES:
        key = f"CONSTRAINT fk_{table}_stair_id_stair REFERENCES stair (id)"
        op.execute(f"ALTER TABLE {table} ADD COLUMN stair_id INTEGER {key}")
    op.create_index("ix_device_stair_id", "device", ["stair_id"])
    _say({name: now for name, (now, _) in _SAID.items()})


def downgrade() -> None:
    _say({name: before for name, (_, before) in _SAID.items() if before})
    for table in _TABLES:
        above = f"SELECT stair.building_id FROM stair WHERE stair.id = {table}.stair_id"  # noqa: S608
        op.execute(f"UPDATE {table} SET building_id = ({above}) WHERE stair_id IS NOT NULL")  # noqa: S608
    op.execute("UPDATE incident SET place = 'building:' || building_id WHERE place LIKE 'stair:%'")
    op.drop_index("ix_device_stair_id", table_name="device")
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN stair_id")


def _say(comments: dict[str, str]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for column, text in comments.items():
            op.execute(f"COMMENT ON COLUMN {column} IS '{text}'")
