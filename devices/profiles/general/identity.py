"""Which device a message is of: templates, and names that stand for a device."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final

from devices.profiles.compiling.compiled import Kind, Pattern, Way
from devices.profiles.general.findings import Raw, Tree
from devices.profiles.general.naming import UID_MAX, uid_of
from devices.profiles.general.reaching import Bound, finder
from devices.profiles.language.templates import fill
from devices.profiles.memory import Memory
from devices.profiles.profile import Points

ALIASES: Final = "alias"
USES_MAX: Final = 200_000
"""Topics whose device an alias decides that are remembered as such (chosen, as many as the decoder's)."""
WAITING_MAX: Final = 10_000
"""Names kept of devices that nobody has registered (chosen: a tenth of what a memory has room for)."""
TEXT_LENGTH_MAX: Final = 200
"""Characters of a label, model and the like (chosen)."""


def registered_in(points: Points) -> Callable[[str], bool]:
    """Whether somebody has registered a uid."""
    return lambda uid: points.row(uid, "") >= 0


def registered_before(points: Points) -> Callable[[str], bool]:
    """The same of the name that a device has without its alias; nobody has where all are (`Everybody`)."""
    return (lambda _: False) if getattr(points, "everybody", False) else registered_in(points)


def topic_uid(topic: str) -> str:
    """The uid of a device that says nothing of itself: its topic, shortened to a digest where it is long."""
    uid = f"topic:{topic}"
    if len(uid) <= UID_MAX and uid.isprintable():
        return uid
    digest = hashlib.sha256(topic.encode(errors="replace")).hexdigest()[:32]
    return f"topic:{clean(topic)[:120]}#{digest}"


def clean(text: str) -> str:
    """Text without control characters and without outer blanks, cut to what a label may have."""
    text = text[:TEXT_LENGTH_MAX].strip()
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)


class Identity:
    """Whose a message is, and what aliases stand for. Bounded as its memory is."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._waiting: dict[str, None] | None = None
        """Names that may be of devices nobody has registered, oldest first; None: not looked at yet."""
        self._topics: dict[str, dict[str, None]] = {}
        self._used = 0
        self._renamed: list[str] = []

    def uid(self, kind: Kind, bound: Bound, tree: Tree, topic: str, is_known: Callable[[str], bool]) -> str:
        """What the alias stands for, else the first template with a value, else the topic.

        Where somebody has registered the device under the latter, it stays who it is, whatever is registered
        under the former: a message that says names must not move a registered device's readings to another,
        nor make a stranger of it. `is_known`: whether a uid is registered under that name.
        """
        own = uid_of(kind.device, bound, tree, tree) or topic_uid(topic)
        if kind.alias is None:
            return own
        uid = self._by_alias(fill(kind.alias, bound, finder(tree, tree)), topic)
        return own if not uid or (uid != own and is_known(own)) else uid

    def knows(self, alias: str, uid: str, is_known: Callable[[str], bool], *, renames: bool) -> bool:
        """An alias stands for a device from now on. False where it does not: it is a registered device's, and
        not `renames`; or there is no room.

        Of names of devices that nobody has registered the newest `WAITING_MAX` are kept, for those who look
        for new devices; so invented names leave room for those that count.
        """
        before = self._memory.get(ALIASES, alias)
        if before == uid:
            return True
        if before and not renames and is_known(before):
            return False
        if self._waiting is None:
            self._waiting = dict.fromkeys(self._memory.table(ALIASES))
        self._waiting.pop(alias, None)
        if not is_known(uid):
            self._make_room(self._waiting, is_known)
            self._waiting[alias] = None
        return self._stands_for(alias, uid)

    def _make_room(self, waiting: dict[str, None], is_known: Callable[[str], bool]) -> None:
        while len(waiting) >= WAITING_MAX:
            oldest = next(iter(waiting))
            del waiting[oldest]
            if not is_known(self._memory.get(ALIASES, oldest)):
                self._stands_for(oldest, "")

    def _stands_for(self, alias: str, uid: str) -> bool:
        if not self._memory.set(ALIASES, alias, uid):
            return False
        topics = self._topics.pop(alias, {})
        self._used -= len(topics)
        self._renamed += topics
        return True

    def renamed(self) -> list[str]:
        """The topics that have come to stand for another device since this was last asked."""
        topics, self._renamed = self._renamed, []
        return topics

    def _by_alias(self, alias: str | None, topic: str) -> str:
        if not alias:
            return ""
        topics = self._topics.get(alias)
        if topics is None or topic not in topics:
            if self._used >= USES_MAX:  # as if all were renamed: what is remembered of them is met anew
                self._renamed += [one for some in self._topics.values() for one in some]
                self._topics.clear()
                self._used = 0
            self._topics.setdefault(alias, {})[topic] = None
            self._used += 1
        return self._memory.get(ALIASES, alias)


def nowhere(_way: Way) -> Raw:
    """For templates filled without a payload."""
    return None


def texts(
    patterns: Sequence[tuple[str, Pattern]], bound: Bound, find: Callable[[Way], Any]
) -> list[tuple[str, str]]:
    """The texts that a table of templates says, cleaned; those without a value are left out."""
    filled = [(key, fill(pattern, bound, find)) for key, pattern in patterns]
    return [(key, clean(text)) for key, text in filled if text and text.strip()]
