"""Messages that are refused, or that nobody looks into: what is kept of them, and whom they show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from devices.model import Metric, Quality
from devices.profiles.compiling.compiled import Kind
from devices.profiles.formats.format import Unreadable
from devices.profiles.general.choosing import Candidate
from devices.profiles.general.findings import Tree
from devices.profiles.general.gathering import UNREAD, Gathering
from devices.profiles.general.heard import Heard
from devices.profiles.general.passed_over import PassedOver
from devices.profiles.general.rescuing import Flag, TrueFlags
from devices.profiles.general.usual_names import USUAL, Unread
from devices.profiles.profile import Reason
from devices.profiles.searching import Places, Searching

_SUSPECT: Final = int(Quality.SUSPECT)
_NOT_READ: Final = frozenset({"none", "octets"})


class Refusing:
    """Of the messages of one tick. True life flags in what is refused are readings, flagged `suspect`."""

    def __init__(
        self,
        gathering: Gathering,
        rescuing: Callable[[Kind], TrueFlags],
        passed_over: Callable[[], PassedOver],
        searching: Searching,
        own_uid: Callable[[Candidate, str, Tree], str],
    ) -> None:
        """`own_uid`: whose a message on a topic is, as far as its topic, or what can be told of its payload,
        says."""
        self._gathering, self._rescuing, self._passed_over = gathering, rescuing, passed_over
        self._searching, self._own_uid = searching, own_uid

    def unreadable(
        self,
        n: int,
        topic: str,
        source: int,
        candidates: Sequence[Candidate],
        payload: bytes,
        fault: Unreadable,
    ) -> None:
        """Refuses a message that nobody can read, but for the true life flags in its octets."""
        payload = self._searched(n, topic, payload, fault)
        if fault.reason is Reason.NO_CODEC:
            self._show(n, topic, source, candidates, fault)
        places = Places()
        for one in candidates:
            rescuing = self._rescuing(one.kind)
            flags = rescuing.true_flags(payload, one.captures, places=places)
            if flags:
                own = self._own_uid(one, topic, rescuing.told_of(payload))
                self._raised(n, topic, source, own, flags)
                return
        usual = next((one for one in candidates if not one.kind.said.echo), None)
        if usual is not None:
            self._named(n, topic, source, self._own_uid(usual, topic, None), payload)

    def in_part(
        self,
        n: int,
        topic: str,
        source: int,
        heard: Heard,
        payload: bytes,
        fault: Unreadable,
        *,
        silent: bool,
        unread: Sequence[Unread] = (),
    ) -> None:
        """Refuses a message of which a part was not looked into, and may hold a life flag. `silent`: it has
        no readings, else those of devices below it stand. `unread`: usual names in what could be read of it;
        a true one whose metric nothing else raises is a flag as well."""
        payload = self._searched(n, topic, payload, fault)
        flags = self._rescuing(heard.kind).true_flags(payload, heard.captures, heard.tree)
        codes = {one.column.code for one in flags}
        if not flags:
            codes.update(self._named(n, topic, source, heard.uid, payload))
        self._usual(n, topic, source, heard.uid, sorted(_true_in(unread) - codes))
        self._raised(n, topic, source, heard.uid, flags if silent else [one for one in flags if not one.uid])

    def passed_over(self, n: int, topic: str, source: int, uid: str, payload: bytes) -> None:
        """A message that says nothing of use; it is refused where it says a fire by name, and where it is
        too long to be searched now."""
        part = self._searching.part(payload, topic)
        if len(part) < len(payload):
            self._gathering.refuse(n, Reason.NOT_SEARCHED, _short(Reason.NOTHING_KNOWN, "passed over"))
        self._named(n, topic, source, uid, part)

    def besides(self, n: int, topic: str, source: int, uid: str, unread: Sequence[Unread]) -> None:
        """Usual names in a message that is understood, which its profile does not read: a true one is a flag,
        the others are said to whoever installs the device."""
        place = self._gathering.place(topic, uid, source)
        for code in sorted(_true_in(unread)):
            name = Metric(code).name_on_wire
            detail = f"{name} is true by a name that the profile does not read"
            self._gathering.refuse(n, Reason.NOTHING_KNOWN, detail)
            self._gathering.add(n, place, "", code, 1.0, _SUSPECT)
        names = ", ".join(sorted(one.name for one in unread))
        self._gathering.said.append((place, UNREAD, f"by a name that the profile does not read: {names}"))

    def _named(self, n: int, topic: str, source: int, uid: str, payload: bytes) -> list[int]:
        """Raises what a message says by a usual name, or by one of the profile's; gives the metrics."""
        codes = self._passed_over().true_flags(payload)
        self._usual(n, topic, source, uid, codes)
        return codes

    def _usual(self, n: int, topic: str, source: int, uid: str, codes: Collection[int]) -> None:
        for code in codes:
            name = Metric(code).name_on_wire
            detail = f"{name} is true in a message that is passed over"
            self._gathering.refuse(n, Reason.NOTHING_KNOWN, detail)
            self._gathering.add(n, self._gathering.place(topic, uid, source), "", code, 1.0, _SUSPECT)

    def _searched(self, n: int, topic: str, payload: bytes, fault: Unreadable) -> bytes:
        """Refuses a message; gives as much of it as is searched now."""
        part = self._searching.part(payload, topic)
        if len(part) == len(payload):
            self._gathering.refuse(n, fault.reason, fault.detail)
        else:
            self._gathering.refuse(n, Reason.NOT_SEARCHED, _short(fault.reason, fault.detail))
        return part

    def _show(
        self, n: int, topic: str, source: int, candidates: Sequence[Candidate], fault: Unreadable
    ) -> None:
        for one in candidates[:1]:
            place = self._gathering.place(topic, self._own_uid(one, topic, None), source)
            self._gathering.unread(n, place, fault)

    def _raised(self, n: int, topic: str, source: int, own: str, flags: Sequence[Flag]) -> None:
        for column, channel, uid in flags:
            place = self._gathering.place(topic, uid or own, source)
            self._gathering.add(n, place, channel, column.code, 1.0, _SUSPECT, 0, column.hold_us)


def is_passed_over(kind: Kind) -> bool:
    """Whether nobody looks into messages of a kind, though they are the device's own word."""
    return kind.said.format in _NOT_READ and not kind.said.echo


def _true_in(unread: Sequence[Unread]) -> set[int]:
    return {int(USUAL[one.name]) for one in unread if one.is_true}


def _short(reason: Reason, detail: str) -> str:
    return f"too much to search at once: only its beginning was searched; {reason}: {detail}"
