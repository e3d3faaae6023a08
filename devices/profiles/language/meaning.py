"""What a profile file may say of the items of a payload: values, and groups of them, as types.

A *path* leads into a payload: keys and positions joined by dots, `ENERGY.Power`, `rxInfo.0.rssi`. A key that
holds a dot stands in backquotes: `` `a.b`.c ``. It starts at the item of its group, at what the item
stands in with `^.` in front (`^^.` a level further out, and so on), or at the whole payload with `$.` in
front; `$` alone is the whole payload, the empty path the item itself. In `each` a step may be `{name}`, any
key, which binds the name, or `[]` / `[{n}]`, any position, which counts from 1 as `n`.

A *template* is text with `{…}` in it: `{name}` of a topic or of `each`, `{.path}` of the item, `{^.path}` of
what it stands in, `{$.path}` of the payload; behind it `|lower`, `|hex` (lower case, without `0x`, `-`, `:`
and blanks), or `+1`, `-1` for whole numbers. Where one of its names has no value the template has none.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Path = str
Template = str
Words = list[str | float | bool]
"""Values as a payload may hold them; text is compared without regard to case and outer blanks."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A table of the file: a key that is not named here is an error."""


class Time(_Table, frozen=True):
    """Where a time stands. `format`: `s`, `ms`, `us` since 1970 (numbers, or text that is one), `iso` (ISO
    8601, extended or basic), or a pattern of strptime. Without a zone of its own it is in `tz`, else in the
    profile's, else in the site's, and flagged `tz_assumed` in the last case. Before `earliest` it is
    nonsense."""

    path: Path
    format: str = "iso"
    tz: str = ""
    earliest: str = "2001-01-01"


class Operand(_Table, frozen=True):
    """A number elsewhere in the message. `remember`: where it is missing, the device's last one holds."""

    path: Path
    remember: bool = False


class Sign(_Table, frozen=True):
    """The sign of a number that comes without. Of a word in no list, or of none, the sign is unknown: the
    reading is `incomplete`. With a word of `signed` the number has its sign already. `remember` as in
    `Operand`."""

    path: Path
    negative: Words
    positive: Words
    signed: Words = []
    remember: bool = False


class When(_Table, frozen=True):
    """Under which circumstances a meaning holds: all of them. Paths; `has` and `any` want a value that is
    there (null counts), `lacks` that it is not."""

    has: list[Path] = []
    any: list[Path] = []
    lacks: list[Path] = []


class Value(_Table, frozen=True):
    """What one value means: a metric, and how the vendor's number becomes it.

    In this order: words (`true`, `false`, `enum`) or the number itself; `sentinels` (vendor's number or text:
    nothing measured); `faults` (texts: measuring failed) and `broken_below` (vendor's number: less is a
    broken wire, a `fault` as well); `bit`; `scale` and `offset`; `sign_from`; `multiply_by`; the unit
    (`unit`, or in band at `unit_path`; empty: behind the number, in its own text) to the metric's own;
    `low` … `high` (metric's unit; outside it is `out_of_range`); `invert`.

    A flag takes true, false, 1 and 0, for a life flag also any other number and the usual words; with
    `nonzero` any number but 0 is true. `const` is said whenever the path has a value. `default` is what a
    missing key means, for formats that leave out what has its default; otherwise missing is: not said. `null`
    is `fault` (measuring failed) or `skip`. `list_channel` is the channel of each item, where the value is a
    list of them (`ch{n}`). `needs`: paths without which the reading is `incomplete`. `hold_s`: the flag is
    said once and never taken back; it counts as false again after so long. `time` comes before the group's.
    `quality` names flags that hold always, e.g. `estimated`.
    """

    metric: str
    path: Path | None = None
    role: Literal["", "device"] = ""
    channel: Template = ""
    list_channel: Template = ""
    unit: str = ""
    unit_path: Path | None = None
    scale: float = 1.0
    offset: float = 0.0
    true: Words = []
    false: Words = []
    enum: dict[str, float] = {}
    nonzero: bool = False
    invert: bool = False
    bit: Annotated[int, Meta(ge=0, le=63)] | None = None
    const: float | bool | None = None
    default: float | bool | None = None
    sign_from: Sign | None = None
    multiply_by: Operand | None = None
    sentinels: Words = []
    faults: Words = []
    broken_below: float = float("-inf")
    low: float = float("-inf")
    high: float = float("inf")
    null: Literal["fault", "skip"] = "fault"
    needs: list[Path] = []
    when: When | None = None
    hold_s: Annotated[float, Meta(gt=0, le=86400)] | None = None
    time: list[Time] = []
    quality: list[str] = []


Meaning = str | Value | list[Value]
"""A metric's name where nothing else is to be said, a table, or several tables; those whose `when` and
`needs` hold all count."""


class Group(_Table, frozen=True):
    """Values of one kind of item. `each` leads to the items; empty: one item, the payload. Several paths: the
    items of all, for vendors that say the same thing at two places.

    `values`: by path below the item. `names`: by what the item calls itself, a template of `name`
    (`{key}`, `{.n}`); the value stands at `value`. A name with `*` or `?` is a pattern, tried after exact
    ones in order. `units`: by the unit in band at `unit`, for items that no name fits.
    """

    each: Path | list[Path] = ""
    name: Template = ""
    value: Path = ""
    unit: Path = ""
    values: dict[str, Meaning] = {}
    names: dict[str, Meaning] = {}
    units: dict[str, Meaning] = {}
    when: When | None = None
    time: list[Time] = []
    backfill: Path = ""
    stale: Path = ""
    device: list[Template] = []
    label: Template = ""
