"""A profile file → `Compiled`: read once when a profile is loaded, so that nothing is looked up at run time.

Errors: ProfileFault (`faulty`), naming the place in the file and what is allowed there.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from devices.profiles.compiling.clocks import Zones
from devices.profiles.compiling.columns import Columns
from devices.profiles.compiling.compiled import (
    Compiled,
    CompiledObject,
    Goodbye,
    Kind,
    Learns,
    Pattern,
    TopicPattern,
)
from devices.profiles.compiling.faulty import Place, ProfileFault
from devices.profiles.compiling.items import items_of
from devices.profiles.language.file import About, Message, Names, Object, Presence, ProfileFile, Reply
from devices.profiles.language.load import family_of
from devices.profiles.language.paths import names_bound
from devices.profiles.language.topics import topic_of

__all__ = ["ProfileFault", "compile_profile"]

_SECONDS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_NO_TREE: Final = ("text", "none", "octets")
"""Formats without keys that a condition could look at."""
_MEANS_BY_ITSELF: Final = ("none", "octets", "home_assistant", "sparkplug")
_NOT_READ: Final = ("none", "octets")
"""Formats whose messages may be taken without values."""


_Says = About | Names
"""What says something of a device: both have the same four keys for it."""


def compile_profile(file: ProfileFile, *, site_tz: str, codecs: Collection[str] | None = None) -> Compiled:
    """The profile ready for use. `site_tz` is the zone of times that name none; `codecs` are the codecs there
    are (None: not checked).

    Raises ProfileFault for the first thing that is wrong.
    """
    zones = Zones(file.tz, site_tz)
    columns = Columns(zones)
    root = Place(())
    topics: list[TopicPattern] = []
    kinds: list[Kind] = []
    for n, message in enumerate(file.message):
        place = root.at("message", n)
        _check(place, message, codecs)
        own = _topics(place.at("topics"), message.topics, n)
        topics += own
        kinds.append(_kind(place, file, message, own, columns, zones, n))
    _check_profile(root, file, topics)
    return Compiled(
        name=file.name,
        version=file.version,
        vendor=file.vendor,
        models=tuple(file.models),
        max_silence_s=seconds_of(file.max_silence),
        columns=tuple(columns.all),
        kinds=tuple(kinds),
        topics=tuple(topics),
        anywhere=tuple(n for n, message in enumerate(file.message) if message.anywhere),
        objects=tuple(
            one
            for n, each in enumerate(file.object)
            for one in _objects(root.at("object", n), file, each, zones)
        ),
        family=family_of(file),
    )


def seconds_of(duration: str) -> float:
    """`25h` in seconds; 0 for empty text."""
    digits = duration.rstrip("smindh")
    return int(digits) * _SECONDS[duration[len(digits) :]] if digits else 0.0


def _kind(
    place: Place,
    file: ProfileFile,
    message: Message,
    topics: tuple[TopicPattern, ...],
    columns: Columns,
    zones: Zones,
    number: int,
) -> Kind:
    captures = {name for topic in topics for name in topic.pattern.groupindex}
    if not message.anywhere:  # else the topics may be another file's
        place = Place(place.parts, frozenset(captures))
    codec = message.codec
    return Kind(
        number=number,
        name=message.name,
        where=place.at("where").choices(message.where),
        said=message,
        device=place.at("device").patterns(message.device) or Place(("device",)).patterns(file.device),
        alias=place.at("alias").pattern_if(message.alias),
        parent=place.at("parent").pattern_if(message.parent),
        object=place.at("object").way_if(message.object),
        codec_way=place.at("codec", "path").way(codec.path) if codec else None,
        codec_port=place.at("codec", "port").way_if(codec.port) if codec else None,
        clocks=zones.clocks(place.at("time"), message.time),
        seq=place.at("seq").way_if(message.seq),
        backfill=place.at("backfill").choices(message.backfill),
        replayed=place.at("replayed").choices(message.replayed),
        items=items_of(place, message.values, message.group, columns, zones),
        presence=_presence(place.at("presence"), message.presence),
        learns=_learns(place.at("learns"), message.learns),
        about=_about(place.at("about"), message.about),
        reply=_reply(place.at("reply"), message.reply),
        max_silence_s=seconds_of(file.max_silence),
    )


def _objects(place: Place, file: ProfileFile, said: Object, zones: Zones) -> list[CompiledObject]:
    """The object, once for each `where` that is enough; the columns are the same."""
    place = Place(place.parts, frozenset())
    wheres = said.where if isinstance(said.where, list) else [said.where]
    if not (wheres and all(wheres)):
        raise place.at("where").fault("is empty: it would take every vendor's objects; a condition is needed")
    if not (said.values or said.group):
        raise place.at("values").fault("is missing: an object means something")
    columns = Columns(zones)
    items = items_of(place, said.values, said.group, columns, zones)
    one = CompiledObject(
        profile=file.name,
        name=said.name,
        where=(),
        items=items,
        columns=tuple(columns.all),
        about=_about(place.at("about"), said.about),
        max_silence_s=seconds_of(said.max_silence or file.max_silence),
        fallback=said.fallback,
    )
    return [replace(one, where=place.at("where").choices(where)) for where in wheres]


def _presence(place: Place, presence: Presence | None) -> Goodbye | None:
    if presence is None:
        return None
    online, offline = place.words(presence.online), place.words(presence.offline)
    if presence.always and (online or offline or presence.path is not None):
        raise place.at("always").fault("has no meaning beside path, online and offline")
    if not presence.always and not (online or offline):
        raise place.fault("says nothing; words in online or offline, or always, are allowed")
    if online & offline:
        raise place.at("offline").fault("has words that stand in online as well")
    return Goodbye(
        way=None if presence.path is None else place.at("path").way(presence.path),
        online=online,
        offline=offline,
        sleepy=presence.sleepy,
        children=presence.children,
        always=presence.always,
    )


def _learns(place: Place, names: Names | None) -> Learns | None:
    if names is None:
        return None
    each = place.at("each").way(names.each, wild=True)
    place = place.with_names(names_bound(each))
    alias, device = place.at("alias").pattern(names.alias), place.at("device").pattern(names.device)
    return Learns(each, alias, device, _about(place, names), renames=names.renames)


def _about(place: Place, says: _Says | None) -> tuple[tuple[str, Pattern], ...]:
    if says is None:
        return ()
    said = ((key, getattr(says, key)) for key in ("label", "vendor", "model", "firmware"))
    return tuple((key, place.at(key).pattern(text)) for key, text in said if text)


def _reply(place: Place, reply: Reply | None) -> tuple[Pattern, Pattern] | None:
    if reply is None:
        return None
    return place.at("topic").pattern(reply.topic), place.at("payload").pattern(reply.payload)


def _check(place: Place, message: Message, codecs: Collection[str] | None) -> None:
    if not (message.topics or message.anywhere):
        raise place.at("topics").fault("is empty; one or more topics, or `anywhere = true`, are allowed")
    if message.where and message.format in _NOT_READ:
        raise place.at("where").fault(f"has no meaning with format `{message.format}`: nothing is read")
    if message.echo and message.format != "none":
        raise place.at("echo").fault(
            "is allowed with format `none` only: what is read is the device's own word"
        )
    for path in message.where:
        if message.format in _NO_TREE and path not in ("", "$"):
            raise place.at("where", path).fault(
                f"format `{message.format}` has no keys; the path `$` is allowed"
            )
    if message.format != "csv" and (message.columns or message.separator != ","):
        key = "columns" if message.columns else "separator"
        raise place.at(key).fault("is allowed with format `csv` only")
    if message.codec and codecs is not None and message.codec.name not in {*codecs, "none"}:
        raise place.at("codec", "name").fault(
            f"no codec `{message.codec.name}`; there are {', '.join(sorted({*codecs, 'none'}))}"
        )
    says = (
        *(message.values, message.group, message.presence, message.learns, message.about),
        *(message.object, message.codec, message.reply, message.format in _MEANS_BY_ITSELF),
    )
    if not any(says):
        raise place.at("values").fault(
            "is missing: a message means something, or is taken with format `none` to be passed over"
        )


def _topics(place: Place, texts: list[str], kind: int) -> tuple[TopicPattern, ...]:
    return tuple(place.at(n).read(functools.partial(topic_of, text, kind)) for n, text in enumerate(texts))


def _check_profile(root: Place, file: ProfileFile, topics: list[TopicPattern]) -> None:
    if not (file.message or file.object):
        raise root.fault("the file says nothing; [[message]] or [[object]] tables are needed")
    if not file.extends:  # the tables of a file come before those of the one it extends, and may hide them
        _check_hidden(root, file)
    captures = frozenset(name for topic in topics for name in topic.pattern.groupindex)
    if not any(message.anywhere for message in file.message):
        Place(("device",), captures).patterns(file.device)


def _check_hidden(root: Place, file: ProfileFile) -> None:
    """Kinds of one name, and kinds that no message reaches because an earlier one takes all of a topic."""
    seen: dict[str, int] = {}
    taken: dict[tuple[str, str], int] = {}
    for n, message in enumerate(file.message):
        place = root.at("message", n)
        if message.name in seen:
            raise place.at("name").fault(f"message[{seen[message.name]}] is called `{message.name}` as well")
        seen[message.name] = n
        for t, topic in enumerate(message.topics):
            for where in ("{}", repr(sorted(message.where.items(), key=str))):
                if (topic, where) in taken:
                    raise place.at("topics", t).fault(
                        f"message[{taken[topic, where]}] takes all of `{topic}`; another `where` is needed"
                    )
        for topic in message.topics:
            where = repr(sorted(message.where.items(), key=str)) if message.where else "{}"
            taken.setdefault((topic, where), n)
