"""The registry's tables. All rooms share this metadata, so that one Alembic chain covers them.

Columns that end in `_sealed` hold text encrypted by `devices.vault`; `_index` columns hold its blind
index. Times are int64 microseconds UTC (`_us`).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

area = Table(
    "area",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("parent_id", ForeignKey("area.id")),
    Column("level", String(16), nullable=False),
    Column("code", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
)

building = Table(
    "building",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("area_id", ForeignKey("area.id"), nullable=False),
    Column("code", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("floors", Integer, nullable=False),
)

stair = Table(
    "stair",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("building_id", ForeignKey("building.id"), nullable=False),
    Column("code", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
)

dwelling = Table(
    "dwelling",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("stair_id", ForeignKey("stair.id"), nullable=False),
    Column("floor", Integer, nullable=False),
    Column("flat", String(32), nullable=False),
    Column("code", String(64), nullable=False, unique=True, comment="door-plate code"),
    Column("attention_sealed", LargeBinary, comment="what helpers must know, e.g. lives alone, over 75"),
    Index("ix_dwelling_stair_id_floor", "stair_id", "floor"),
)

device = Table(
    "device",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uid", String(200), nullable=False, unique=True, comment="<namespace>:<native id>"),
    Column("kind", String(32), nullable=False, comment="smoke | electrical | other"),
    Column("profile", String(64), nullable=False),
    Column("label", String(200), nullable=False, server_default=""),
    Column("dwelling_id", ForeignKey("dwelling.id")),
    Column("building_id", ForeignKey("building.id"), comment="for devices outside dwellings"),
    Column("breaker_a", Float),
    Column("cable_a", Float),
    Column("insulation", String(16), nullable=False, server_default="unknown", comment="pvc|rubber|xlpe"),
    Column("earthing", String(16), nullable=False, server_default="unknown", comment="tn-c|tn-s|tt"),
    Column("registered_us", BigInteger, nullable=False),
    Column("registered_by", String(64), nullable=False),
    Column("retired_us", BigInteger),
    Index("ix_device_dwelling_id", "dwelling_id"),
)

contact = Table(
    "contact",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", String(64), nullable=False, unique=True, comment="a handle without personal data"),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("language", String(8), nullable=False, server_default="zh-CN"),
    Column("created_us", BigInteger, nullable=False),
)

contact_channel = Table(
    "contact_channel",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("contact_id", ForeignKey("contact.id"), nullable=False),
    Column("medium", String(16), nullable=False),
    Column("carrier", String(16), nullable=False),
    Column("address_sealed", LargeBinary, nullable=False, comment="number or URL"),
    Column("address_index", LargeBinary, nullable=False, comment="blind index of the normalised address"),
    Column("rank", Integer, nullable=False, comment="lower is tried first"),
    Index("ix_contact_channel_contact_id", "contact_id"),
    Index("ix_contact_channel_address_index", "address_index"),
)

binding = Table(
    "binding",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("contact_id", ForeignKey("contact.id"), nullable=False),
    Column("role", String(32), nullable=False),
    Column("place_kind", String(16), nullable=False),
    Column("place_id", Integer, nullable=False),
    Column("rank", Integer, nullable=False, server_default="1", comment="order within the role's chain"),
    Column("takes_unconfirmed", Boolean, nullable=False, server_default="0", comment="fire_brigade only"),
    Column("bound_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Index("ix_binding_place", "place_kind", "place_id"),
    Index("ix_binding_contact_id", "contact_id"),
)

user = Table(
    "user",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("password_hash", String(200), nullable=False),
    Column("role", String(16), nullable=False, comment="operator | supervisor | admin"),
    Column("created_us", BigInteger, nullable=False),
    Column("disabled_us", BigInteger),
)

look = Table(
    "look",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("contact_id", Integer, nullable=False),
    Column("what", String(64), nullable=False),
)

registry_change = Table(
    "registry_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("what", String(200), nullable=False),
    sqlite_autoincrement=True,
)
"""The newest id is the registry's version: processes reload what they hold when it grows."""

series = Table(
    "series",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("uid", String(200), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("metric", Integer, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    UniqueConstraint("uid", "channel", "metric", name="uq_series_uid"),
)
"""Every series ever heard, numbered by ingest when first heard. Slots start at 1; 0 means none."""
