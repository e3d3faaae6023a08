"""Who is there: what presence messages mean, and whom they mean besides the device that they come from."""

from __future__ import annotations

from typing import Final, NamedTuple

from devices.model import Quality
from devices.profiles.compiling.compiled import MISSING, Goodbye
from devices.profiles.general.findings import Tree
from devices.profiles.general.reaching import reach, safe_word
from devices.profiles.memory import Memory

ABSENT: Final = "absent"
"""Table: uid → "1" for devices that were said to be offline."""
PARENTS: Final = "parent"
"""Table: uid → uid of what it is heard through."""


class Notice(NamedTuple):
    """A presence message: whether somebody is there."""

    online: bool
    children: bool


class Attendance:
    """Which devices are absent, and who is heard through whom. All of it stands in the memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._children: dict[str, set[str]] = {}

    def restored(self) -> None:
        """The memory has been given its notes back."""
        self._children.clear()
        for child, parent in self._memory.table(PARENTS).items():
            self._children.setdefault(parent, set()).add(child)

    @property
    def anybody_absent(self) -> bool:
        """Whether it is worth asking `is_absent`."""
        return bool(self._memory.table(ABSENT))

    def is_absent(self, uid: str) -> bool:
        """Whether the device was said to be offline and has not been heard since."""
        return uid in self._memory.table(ABSENT)

    def heard_through(self, child: str, parent: str) -> None:
        """The child's messages come through the parent."""
        before = self._memory.get(PARENTS, child)
        if parent in (before, child) or not self._memory.set(PARENTS, child, parent):
            return
        if before in self._children:
            self._children[before].discard(child)
            if not self._children[before]:
                del self._children[before]
        self._children.setdefault(parent, set()).add(child)

    def children_present(self, parent: str) -> list[str]:
        """Those heard through a parent that are not absent, in order of their uid."""
        return sorted(child for child in self._children.get(parent, ()) if not self.is_absent(child))

    def marked(self, uid: str, *, online: bool) -> None:
        """The device is there, or is not."""
        self._memory.set(ABSENT, uid, "" if online else "1")


def notice_of(goodbye: Goodbye, tree: Tree) -> Notice | str | None:
    """What a presence message says; None where it says nothing (also a sleepy device's goodbye), or the value
    that is neither of the profile's words."""
    if type(tree) is dict and tree.get("stale_death") is True:
        return None  # a node's will of a session before the present one
    if goodbye.always:
        online = goodbye.always == "online"
    else:
        raw = tree if goodbye.way is None else reach(goodbye.way, tree, tree)
        if raw is MISSING:
            return None
        word = safe_word(raw)
        if word not in goodbye.online and word not in goodbye.offline:
            said = raw[:80] if type(raw) is str else type(raw).__name__
            return f"neither online nor offline: {said}"
        online = word in goodbye.online
    if goodbye.sleepy and not online:
        return None
    return Notice(online, goodbye.children)


def quality_of(*, by_parent: bool) -> int:
    """A child is absent because its parent is: nobody has heard it say so."""
    return int(Quality.STALE) if by_parent else 0
