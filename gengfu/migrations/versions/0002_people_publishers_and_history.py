"""Publishers, substitutes, channels, stays and history.

Every column is added in place: on SQLite a table that others refer to must not be made anew.

The first release cannot list a contact without a name, and a migration has no key to seal one. So the way
back deletes erased contacts with their bindings and channels; what names them elsewhere by number (messages
sent, looks) stays and names nobody. It also deletes what the first release has no tables for, and says how
much in the log. Not guaranteed on SQLite: that a new contact never gets the number of a deleted one.
"""

import sqlalchemy as sa
import structlog
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refusal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.String(length=8),
            nullable=False,
            comment="login | topic | mark: how far the log is read",
        ),
        sa.Column(
            "who", sa.String(length=200), nullable=False, comment="user name, else client id, as they gave it"
        ),
        sa.Column(
            "topic", sa.String(length=300), server_default="", nullable=False, comment="the first refused"
        ),
        sa.Column(
            "address",
            sa.String(length=64),
            server_default="",
            nullable=False,
            comment="the last it came from",
        ),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal")),
        sa.UniqueConstraint("kind", "who", name="uq_refusal_kind"),
    )
    op.create_index("ix_refusal_last_us", "refusal", ["last_us"], unique=False)

    op.create_table(
        "site_secret",
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("purpose", name=op.f("pk_site_secret")),
    )
    op.create_table(
        "substitution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False, comment="who is away"),
        sa.Column("substitute_id", sa.Integer(), nullable=False, comment="who stands in"),
        sa.Column(
            "role", sa.String(length=32), server_default="", nullable=False, comment="empty: in every role"
        ),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("cancelled_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_substitution_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["substitute_id"], ["contact.id"], name=op.f("fk_substitution_substitute_id_contact")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_substitution")),
    )
    op.create_index("ix_substitution_contact_id", "substitution", ["contact_id"], unique=False)

    op.create_table(
        "device_channel",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False, comment="a sensing point: l1, ch2, n"),
        sa.Column("label", sa.String(length=200), server_default="", nullable=False),
        sa.Column("breaker_a", sa.Float(), nullable=True),
        sa.Column("cable_a", sa.Float(), nullable=True),
        sa.Column("insulation", sa.String(length=16), server_default="unknown", nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_device_channel_device_id_device")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_channel")),
        sa.UniqueConstraint("device_id", "channel", name="uq_device_channel_device_id"),
    )
    op.create_table(
        "placement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("dwelling_id", sa.Integer(), nullable=True),
        sa.Column("building_id", sa.Integer(), nullable=True),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["building_id"], ["building.id"], name=op.f("fk_placement_building_id_building")
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_placement_device_id_device")),
        sa.ForeignKeyConstraint(
            ["dwelling_id"], ["dwelling.id"], name=op.f("fk_placement_dwelling_id_dwelling")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement")),
    )
    op.create_index("ix_placement_device_id", "placement", ["device_id"], unique=False)
    op.create_index("ix_placement_dwelling_id", "placement", ["dwelling_id"], unique=False)

    op.create_table(
        "publisher",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False, comment="its MQTT user name"),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="device | gateway"),
        sa.Column("device_id", sa.Integer(), nullable=True, comment="of a device that publishes for itself"),
        sa.Column("label", sa.String(length=200), server_default="", nullable=False),
        sa.Column(
            "password_hash",
            sa.String(length=300),
            nullable=False,
            comment="as the broker's password file writes it",
        ),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("rotated_us", sa.BigInteger(), nullable=True),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_publisher_device_id_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publisher")),
        sa.UniqueConstraint("name", name=op.f("uq_publisher_name")),
    )
    op.create_index("ix_publisher_device_id", "publisher", ["device_id"], unique=False)

    op.create_table(
        "publisher_prefix",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("publisher_id", sa.Integer(), nullable=False),
        sa.Column(
            "prefix",
            sa.String(length=300),
            nullable=False,
            comment="literal; the topic itself and all below it",
        ),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["publisher.id"], name=op.f("fk_publisher_prefix_publisher_id_publisher")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publisher_prefix")),
    )
    op.create_index("ix_publisher_prefix_prefix", "publisher_prefix", ["prefix"], unique=False)
    op.create_index("ix_publisher_prefix_publisher_id", "publisher_prefix", ["publisher_id"], unique=False)

    op.add_column(
        "binding",
        sa.Column(
            "delay_s",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="after the others of the step",
        ),
    )
    op.add_column(
        "binding",
        sa.Column(
            "quiet_from",
            sa.Integer(),
            nullable=True,
            comment="minute of the site's day from which lesser things wait",
        ),
    )
    op.add_column(
        "binding",
        sa.Column(
            "quiet_until",
            sa.Integer(),
            nullable=True,
            comment="minute of the site's day; below quiet_from: past midnight",
        ),
    )

    op.add_column(
        "contact",
        sa.Column(
            "erased_us",
            sa.BigInteger(),
            nullable=True,
            comment="what was known of the person is gone; the code stays",
        ),
    )

    op.add_column(
        "contact_channel", sa.Column("added_us", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("contact_channel", sa.Column("removed_us", sa.BigInteger(), nullable=True))

    op.add_column("device", sa.Column("vendor", sa.String(length=64), server_default="", nullable=False))
    op.add_column("device", sa.Column("model", sa.String(length=64), server_default="", nullable=False))
    op.add_column(
        "device",
        sa.Column(
            "serial", sa.String(length=64), server_default="", nullable=False, comment="as printed on it"
        ),
    )
    op.add_column(
        "device", sa.Column("installed_on", sa.String(length=10), nullable=True, comment="ISO date")
    )
    op.add_column(
        "device",
        sa.Column(
            "installed_by",
            sa.String(length=64),
            server_default="",
            nullable=False,
            comment="a code, not a name",
        ),
    )
    op.add_column(
        "device",
        sa.Column(
            "change_id",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="newest registry_change of it",
        ),
    )
    op.create_index("ix_device_change_id", "device", ["change_id"], unique=False)

    op.add_column(
        "user",
        sa.Column(
            "password_us",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="older sessions have ended",
        ),
    )
    op.create_index("ix_binding_role", "binding", ["role"], unique=False)
    op.execute(
        "UPDATE contact_channel SET added_us = "
        "(SELECT created_us FROM contact WHERE contact.id = contact_channel.contact_id)"
    )
    op.execute(
        "UPDATE contact SET erased_us = COALESCE((SELECT MAX(ended_us) FROM binding "
        "WHERE binding.contact_id = contact.id), created_us) WHERE LENGTH(name_sealed) = 0"
    )
    op.execute(
        "UPDATE contact_channel SET removed_us = COALESCE((SELECT erased_us FROM contact "
        "WHERE contact.id = contact_channel.contact_id), added_us) WHERE LENGTH(address_sealed) = 0"
    )
    op.execute(
        "INSERT INTO placement (device_id, dwelling_id, building_id, since_us, until_us) "
        "SELECT id, dwelling_id, building_id, registered_us, retired_us FROM device"
    )


UNKNOWN_BEFORE = (
    "publisher_prefix",
    "publisher",
    "placement",
    "device_channel",
    "substitution",
    "site_secret",
    "refusal",
)
ERASED = "SELECT id FROM contact WHERE erased_us IS NOT NULL"


def downgrade() -> None:
    _say_what_goes()
    for table in ("binding", "contact_channel"):
        op.execute(f"DELETE FROM {table} WHERE contact_id IN ({ERASED})")  # noqa: S608
    op.execute("DELETE FROM contact_channel WHERE removed_us IS NOT NULL")  # else they would be used again
    op.execute(f"DELETE FROM substitution WHERE contact_id IN ({ERASED}) OR substitute_id IN ({ERASED})")  # noqa: S608
    op.execute("DELETE FROM contact WHERE erased_us IS NOT NULL")
    op.drop_index("ix_device_change_id", table_name="device")
    op.drop_index("ix_binding_role", table_name="binding")
    for table, columns in {
        "device": ("change_id", "installed_by", "installed_on", "serial", "model", "vendor"),
        "contact_channel": ("removed_us", "added_us"),
        "contact": ("erased_us",),
        "binding": ("quiet_until", "quiet_from", "delay_s"),
        '"user"': ("password_us",),
    }.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    for table in UNKNOWN_BEFORE:
        op.drop_table(table)


def _say_what_goes() -> None:
    """Counts, so that nobody learns it from what is missing."""
    connection = op.get_bind()
    counts = {table: connection.scalar(sa.text(f"SELECT COUNT(*) FROM {table}")) for table in UNKNOWN_BEFORE}  # noqa: S608
    counts["erased contacts"] = connection.scalar(sa.text(f"SELECT COUNT(*) FROM ({ERASED}) AS gone"))  # noqa: S608
    if lost := {name: count for name, count in counts.items() if count}:
        structlog.get_logger().warning("downgrade_deletes", **lost)
