"""What a profile file may say: its tables and keys, as types. docs/profiles.md explains them to integrators.

What paths and templates are, and what values mean, `meaning` says.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from devices.profiles.language.meaning import Group, Meaning, Path, Template, Time, Words

Duration = Annotated[
    str,
    Meta(pattern=r"^[0-9]+(s|min|h|d)\Z", description="a whole number and s, min, h or d, such as 25h"),
]
"""A whole number with its unit: `90s`, `25h`."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A table of the file: a key that is not named here is an error."""


class Presence(_Table, frozen=True):
    """Whether the device is there. The value at `path` (empty: the whole payload, text or JSON), or `is`
    always.

    `sleepy`: it says goodbye after every report, which means nothing. `children`: what is heard through it
    (`parent`) is as absent as it is, and comes back when each is heard itself. An empty payload means
    removed.
    """

    path: Path | None = None
    online: Words = []
    offline: Words = []
    sleepy: bool = False
    children: bool = False
    always: Literal["", "online", "offline"] = ""


class Names(_Table, frozen=True):
    """A list of devices, from which the profile learns what their topics are called: `alias` is what
    `Message.alias` looks up, `device` the uid it stands for.

    `renames`: only the gateway itself speaks on these topics, so a name may be given to another device while
    the one before is registered.
    """

    each: Path
    alias: Template
    device: Template
    renames: bool = False
    label: Template = ""
    vendor: Template = ""
    model: Template = ""
    firmware: Template = ""


class About(_Table, frozen=True):
    """What a message says of its device, beside readings."""

    label: Template = ""
    vendor: Template = ""
    model: Template = ""
    firmware: Template = ""


class Codec(_Table, frozen=True):
    """Octets in the payload that a codec plug-in reads: base64 or hex text at `path`, which becomes an object
    that vendor kinds (`[[object]]`) read. `name` `none`: there is no codec, and that is shown."""

    name: str
    path: Path
    encoding: Literal["base64", "hex"] = "base64"
    port: Path = ""


class Reply(_Table, frozen=True):
    """What the device waits for. Sent only where the site allows it (`ingest.replies_for`)."""

    topic: Template
    payload: Template


class Message(_Table, frozen=True):
    """One kind of message: on which topics, in which format, and what it means.

    `topics`: MQTT levels; `{name}` takes one level, `{name+}` one or more, `{name:regex}` a level or a part
    of one that fits. Of several kinds with the same topic the first whose `where` holds is taken: paths, and
    the values allowed there, or true / false for any / none. `format` `none`: what it says does not matter;
    with `echo` it is no word of the device's own (a command, a log of other messages). `octets`: nobody reads
    it, and that is shown.
    `seq_default`: the sequence number of a message without one. `object`: where a vendor's object stands,
    which the `[[object]]` kinds of all profiles may read. `device`: the uid; the first template that has a
    value. `anywhere`: also taken on any topic when the profile is named (`gengfu decode --profile`, or the
    site's own profile that `extends` this one with topics).
    """

    name: str
    topics: list[str] = []
    anywhere: bool = False
    where: dict[str, Words | bool] = {}
    format: Literal["json", "text", "csv", "senml", "sparkplug", "home_assistant", "none", "octets"] = "json"
    echo: bool = False
    separator: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    columns: list[str] = []
    device: list[Template] = []
    alias: Template = ""
    parent: Template = ""
    object: Path = ""
    codec: Codec | None = None
    time: list[Time] = []
    seq: Path = ""
    seq_default: Annotated[int, Meta(ge=0)] | None = None
    backfill: dict[str, Words | bool] = {}
    replayed: dict[str, Words | bool] = {}
    values: dict[str, Meaning] = {}
    group: list[Group] = []
    presence: Presence | None = None
    learns: Names | None = None
    about: About | None = None
    reply: Reply | None = None


class Object(_Table, frozen=True):
    """A vendor's object inside a carrier's message: LoRaWAN network servers hand on what their codecs made.
    Taken is the first whose `where` holds; of several `where` one is enough. A `fallback` is asked after
    all others."""

    name: str
    where: dict[str, Words | bool] | list[dict[str, Words | bool]]
    values: dict[str, Meaning] = {}
    group: list[Group] = []
    about: About | None = None
    max_silence: Duration = ""
    fallback: bool = False


class Expected(_Table, frozen=True):
    """A reading that a vector must yield; what is not said is not looked at, but for quality: none. A reading
    without a number (`sentinel`, `fault`, …) has no `value`."""

    metric: str
    value: float | bool | str | None = None
    device: str = ""
    channel: str = ""
    unit: str = ""
    role: str = ""
    observed_at: str = ""
    quality: list[str] = []


class Vector(_Table, frozen=True):
    """A message, or several in order, and all readings they yield, in any order; or the `rejected` reason.

    `payload`: text as it is; `hex`: octets. `before`: messages (`topic`, `payload` or `hex`) that come first
    and of which nothing is looked at. `partly`: further readings are allowed."""

    name: str
    topic: str
    payload: str = ""
    hex: str = ""
    retain: bool = False
    before: list[dict[str, str]] = []
    expect: list[Expected] = []
    rejected: str = ""
    partly: bool = False


class ProfileFile(_Table, frozen=True):
    """A whole file.

    `extends`: everything of that profile holds, with the tables of this file first; `parameters` are texts
    for `{$name}` in topics and templates, which a file that extends may set otherwise. `device` holds for
    messages that say none of their own; without any a device is `topic:<topic>`. `tz` is an IANA zone for
    times without one, `max_silence` how long a device may say nothing.
    """

    name: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9][a-z0-9_-]{0,63}\Z",
            description="lower-case letters, digits, - and _, at most 64",
        ),
    ]
    version: Annotated[int, Meta(ge=1, le=2_147_483_647)] = 1
    vendor: str = ""
    models: list[str] = []
    about: str = ""
    extends: str = ""
    parameters: dict[str, str] = {}
    tz: str = ""
    max_silence: Duration = ""
    device: list[Template] = []
    message: list[Message] = []
    object: list[Object] = []
    test: list[Vector] = []
