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
    Text,
    UniqueConstraint,
    false,
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
    Index("ix_area_parent_id", "parent_id"),
)

building = Table(
    "building",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("area_id", ForeignKey("area.id"), nullable=False),
    Column("code", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("floors", Integer, nullable=False),
    Index("ix_building_area_id", "area_id"),
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
    Column("stair_id", ForeignKey("stair.id"), comment="for devices in the common parts of a stair"),
    Column("building_id", ForeignKey("building.id"), comment="for devices outside stairs and dwellings"),
    Column("breaker_a", Float),
    Column("cable_a", Float),
    Column("insulation", String(16), nullable=False, server_default="unknown", comment="pvc|rubber|xlpe"),
    Column("earthing", String(16), nullable=False, server_default="unknown", comment="tn-c|tn-s|tt"),
    Column("max_silence_s", Integer, comment="how long it may say nothing; null: as it says itself"),
    Column("vendor", String(64), nullable=False, server_default=""),
    Column("model", String(64), nullable=False, server_default=""),
    Column("serial", String(64), nullable=False, server_default="", comment="as printed on it"),
    Column("installed_on", String(10), comment="ISO date"),
    Column("installed_by", String(64), nullable=False, server_default="", comment="a code, not a name"),
    Column("registered_us", BigInteger, nullable=False),
    Column("registered_by", String(64), nullable=False),
    Column("retired_us", BigInteger),
    Column("change_id", Integer, nullable=False, server_default="0", comment="newest registry_change of it"),
    Index("ix_device_dwelling_id", "dwelling_id"),
    Index("ix_device_stair_id", "stair_id"),
    Index("ix_device_change_id", "change_id"),
)
"""A device hangs in a dwelling, on a stair outside its dwellings, or in a building outside both.

`change_id` is set by every write to a device or its channels, and by every move of its building: who holds
devices in memory reads only what is newer than what they know, whether one row changed or a hundred
thousand."""

device_channel = Table(
    "device_channel",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device_id", ForeignKey("device.id"), nullable=False),
    Column("channel", String(32), nullable=False, comment="a sensing point: l1, ch2, n"),
    Column("label", String(200), nullable=False, server_default=""),
    Column("breaker_a", Float),
    Column("cable_a", Float),
    Column("insulation", String(16), nullable=False, server_default="unknown"),
    UniqueConstraint("device_id", "channel", name="uq_device_channel_device_id"),
)
"""What is known of one channel; what is not said here holds as for the device."""

placement = Table(
    "placement",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device_id", ForeignKey("device.id"), nullable=False),
    Column("dwelling_id", ForeignKey("dwelling.id")),
    Column("stair_id", ForeignKey("stair.id")),
    Column("building_id", ForeignKey("building.id")),
    Column("since_us", BigInteger, nullable=False),
    Column("until_us", BigInteger),
    Index("ix_placement_device_id", "device_id"),
    Index("ix_placement_dwelling_id", "dwelling_id"),
)
"""Where a device has been, one row a stay; the standing one has no end. `device` repeats it for speed."""

contact = Table(
    "contact",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", String(64), nullable=False, unique=True, comment="a handle without personal data"),
    Column("name_sealed", LargeBinary, nullable=False, comment="no bytes once erased"),
    Column("language", String(8), nullable=False, server_default="zh-CN"),
    Column("created_us", BigInteger, nullable=False),
    Column("erased_us", BigInteger, comment="what was known of the person is gone; the code stays"),
)

contact_channel = Table(
    "contact_channel",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("contact_id", ForeignKey("contact.id"), nullable=False),
    Column("medium", String(16), nullable=False),
    Column("carrier", String(16), nullable=False),
    Column("address_sealed", LargeBinary, nullable=False, comment="number or URL; no bytes once erased"),
    Column("address_index", LargeBinary, nullable=False, comment="blind index; no bytes once erased"),
    Column("rank", Integer, nullable=False, comment="lower is tried first"),
    Column("added_us", BigInteger, nullable=False, server_default="0"),
    Column("removed_us", BigInteger),
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
    Column("takes_unconfirmed", Boolean, nullable=False, server_default=false(), comment="fire_brigade only"),
    Column("delay_s", Integer, nullable=False, server_default="0", comment="after the others of the step"),
    Column("quiet_from", Integer, comment="minute of the site's day from which lesser things wait"),
    Column("quiet_until", Integer, comment="minute of the site's day; below quiet_from: past midnight"),
    Column("bound_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Index("ix_binding_place", "place_kind", "place_id"),
    Index("ix_binding_contact_id", "contact_id"),
    Index("ix_binding_role", "role"),
)

"""A row never changes but for its end: another order or other quiet hours are a new row. So what held when
stays readable."""

substitution = Table(
    "substitution",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("contact_id", ForeignKey("contact.id"), nullable=False, comment="who is away"),
    Column("substitute_id", ForeignKey("contact.id"), nullable=False, comment="who stands in"),
    Column("role", String(32), nullable=False, server_default="", comment="empty: in every role"),
    Column("from_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("cancelled_us", BigInteger),
    Index("ix_substitution_contact_id", "contact_id"),
)

publisher = Table(
    "publisher",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True, comment="its MQTT user name"),
    Column("kind", String(8), nullable=False, comment="device | gateway"),
    Column("device_id", ForeignKey("device.id"), comment="of a device that publishes for itself"),
    Column("label", String(200), nullable=False, server_default=""),
    Column("password_hash", String(300), nullable=False, comment="as the broker's password file writes it"),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("rotated_us", BigInteger),
    Column("revoked_us", BigInteger),
    Index("ix_publisher_device_id", "device_id"),
)

publisher_prefix = Table(
    "publisher_prefix",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("publisher_id", ForeignKey("publisher.id"), nullable=False),
    Column("prefix", String(300), nullable=False, comment="literal; the topic itself and all below it"),
    Index("ix_publisher_prefix_publisher_id", "publisher_id"),
    Index("ix_publisher_prefix_prefix", "prefix"),
)

refusal = Table(
    "refusal",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(8), nullable=False, comment="login | topic | mark: how far the log is read"),
    Column("who", String(200), nullable=False, comment="user name, else client id, as they gave it"),
    Column("topic", String(300), nullable=False, server_default="", comment="the first refused"),
    Column("address", String(64), nullable=False, server_default="", comment="the last it came from"),
    Column("count", BigInteger, nullable=False),
    Column("first_us", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
    UniqueConstraint("kind", "who", name="uq_refusal_kind"),
    Index("ix_refusal_last_us", "last_us"),
)
"""What the broker refused, as its log says it: one row for who and what, bounded in number by its writer."""

user = Table(
    "user",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("password_hash", String(200), nullable=False),
    Column(
        "password_us", BigInteger, nullable=False, server_default="0", comment="older sessions have ended"
    ),
    Column(
        "role", String(16), nullable=False, comment="operator | supervisor | installer | grid_worker | admin"
    ),
    Column("created_us", BigInteger, nullable=False),
    Column("disabled_us", BigInteger),
    Column("everywhere", Boolean, nullable=False, server_default=false(), comment="no area bounds it"),
    Column("contact_id", ForeignKey("contact.id"), comment="whom a grid worker's account acts as"),
)

user_area = Table(
    "user_area",
    metadata,
    Column("user_id", ForeignKey("user.id"), primary_key=True),
    Column("area_id", ForeignKey("area.id"), primary_key=True),
    Index("ix_user_area_area_id", "area_id"),
)
"""Where a user sees and acts: these areas with all below them. Without a row and without `everywhere`:
nowhere."""

user_session = Table(
    "user_session",
    metadata,
    Column("id", String(64), primary_key=True, comment="random; stands in the signed cookie too"),
    Column("user_id", ForeignKey("user.id"), nullable=False),
    Column("began_us", BigInteger, nullable=False),
    Index("ix_user_session_user_id", "user_id"),
)
"""The sessions of the console that stand: a cookie without its row is nobody's. Ending one takes the row
away."""

look = Table(
    "look",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("contact_id", Integer, nullable=False),
    Column("what", String(64), nullable=False),
    Index("ix_look_by_at_us", "by", "at_us"),
)

site_secret = Table(
    "site_secret",
    metadata,
    Column("purpose", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)
"""Random secrets of this site (what signs links and sessions), sealed like names: changing the key that seals
does not change them."""

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

rule_override = Table(
    "rule_override",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("rule", String(8), nullable=False),
    Column("scope", String(16), nullable=False, comment="area | building | dwelling | device"),
    Column("code", String(200), nullable=False, comment="of the place, or the device's uid"),
    Column("raise", String(32), nullable=False, server_default="", comment="with its unit; empty: as it is"),
    Column("clear", String(32), nullable=False, server_default=""),
    Column("hold", String(32), nullable=False, server_default=""),
    Column("clear_hold", String(32), nullable=False, server_default=""),
    Column("off", Boolean, nullable=False, server_default=false(), comment="the rule does not hold there"),
    Column("from_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, comment="null: for good"),
    Column("author", String(64), nullable=False),
    Column("reason", String(300), nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger, comment="ended by somebody before its time"),
    Column("ended_by", String(64), nullable=False, server_default=""),
    Column("end_reason", String(300), nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
"""Other numbers of a rule for a place or a device. A row never changes but for its end, so what held when
stays readable; and no number is used twice."""

series = Table(
    "series",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("uid", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("metric", Integer, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    UniqueConstraint("uid", "channel", "metric", name="uq_series_uid"),
)
"""Every series, numbered by ingest when first heard. Slots start at 1, 0 means none; none is used twice. The
rows of devices retired long ago go (`ingest.freeing`)."""

device_test = Table(
    "device_test",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("began_us", BigInteger, primary_key=True, comment="observed"),
    Column("received_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger, comment="observed; null: it runs, or nobody said when it ended"),
    Index("ix_device_test_began_us", "began_us"),
)
"""Every test that a registered device said: its test button was pressed. Written by ingest with the tick that
brought it; old rows, and those beyond `KEPT_A_DEVICE` of one device, go (`devices.registry.pressed`)."""
