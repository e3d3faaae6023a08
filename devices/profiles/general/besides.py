"""What a message says beside readings: who is there, what devices are called and heard through, proposals,
and what is to be answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from devices.profiles.compiling.compiled import Kind, Learns
from devices.profiles.formats.format import Unreadable
from devices.profiles.general.announced import Announced
from devices.profiles.general.choosing import Candidate
from devices.profiles.general.findings import At, Tree
from devices.profiles.general.gathering import Gathering
from devices.profiles.general.heard import Heard, observed
from devices.profiles.general.identity import Identity, texts, topic_uid
from devices.profiles.general.naming import uid_of
from devices.profiles.general.outside import PROPOSALS_MAX, Outside, proposal_of, reply_of
from devices.profiles.general.presence import Notice, notice_of
from devices.profiles.general.reaching import Bound, finder
from devices.profiles.general.walk import items_at
from devices.profiles.language.templates import fill
from devices.profiles.profile import Reason, Said

NAMES_MAX: Final = 4_096
"""Devices in one list of names (chosen: ten times the largest mesh of radios seen)."""


class Besides:
    """Of the messages of one tick. `outside` fills up with what is for others than the rules."""

    def __init__(
        self,
        gathering: Gathering,
        identity: Identity,
        announced: Announced,
        is_known: Callable[[str], bool],
        own_uid: Callable[[Candidate, str], str],
    ) -> None:
        """`is_known`: whether a uid is registered; `own_uid`: whose a message on a topic is, by its topic
        alone."""
        self.outside = Outside()
        self._gathering, self._identity, self._announced = gathering, identity, announced
        self._is_known, self._own_uid = is_known, own_uid

    def said(self, n: int, topic: str, place: int, heard: Heard, late: At | None, flags: int) -> bool:
        """Presence, names, proposals and the reply; whether there was any. Raises Unreadable for a presence
        word that the profile does not know."""
        kind, captures, tree, _ = heard
        means = False
        if kind.presence is not None:
            notice = notice_of(kind.presence, tree)
            if isinstance(notice, str):
                if not kind.items and kind.object is None:
                    raise Unreadable(Reason.NOTHING_KNOWN, notice)
            else:
                means = True
            if isinstance(notice, Notice):
                observed_us, of_time = observed(late)
                self._gathering.notice(n, place, notice, observed_us, flags | of_time)
        if kind.learns is not None:
            means = True
            self._learn(kind.learns, captures, tree)
        means |= self._proposed(kind, topic, tree)
        if kind.reply is not None:
            self.outside.replies += filter(None, [reply_of(kind.reply, captures, tree)])
        return means

    def _proposed(self, kind: Kind, topic: str, tree: Tree) -> bool:
        announces = kind.said.format == "home_assistant" and type(tree) is dict
        proposals = tree.get("proposals") if announces else None
        if type(proposals) is not list:
            return False
        made = list(filter(None, map(proposal_of, proposals[:PROPOSALS_MAX])))
        self.outside.proposals += self._announced.said(topic, made)
        return True

    def _learn(self, learns: Learns, captures: Bound, tree: Tree) -> None:
        """Takes a list of devices to heart."""
        for count, (item, bound) in enumerate(items_at(learns.each.steps, tree, captures)):
            if count >= NAMES_MAX:
                return
            find = finder(item, tree)
            uid = uid_of((learns.device,), bound, item, tree)
            alias = fill(learns.alias, bound, find)
            if uid and alias:
                self._identity.knows(alias, uid, self._is_known, renames=learns.renames)
                self.outside.said += [Said(uid, key, text) for key, text in texts(learns.about, bound, find)]

    def family(self, n: int, topic: str, source: int, heard: Heard, place: int, below: set[str]) -> None:
        """Who is heard through whom: the message's device through its parent, devices below a message
        through the parent too, or through the message's device where that has a name of its own and is none
        of them."""
        kind, captures, tree, uid = heard
        parent = uid_of((kind.parent,), captures, tree, tree) if kind.parent is not None else ""
        if parent and uid != parent:
            self._gathering.comings.parents.append((n, place, parent))
        if below:
            parent = parent or ("" if uid == topic_uid(topic) or uid in below else uid)
        if below and parent:
            for child in sorted(below - {parent}):
                self._gathering.comings.parents.append(
                    (n, self._gathering.place(topic, child, source), parent)
                )

    def cleared(self, topic: str, source: int, candidates: Sequence[Candidate]) -> None:
        """A retained message has ended: where it told of presence, the device has been removed; what it
        announced is withdrawn."""
        for one in candidates:
            if one.kind.said.format == "home_assistant":
                self.outside.proposals += self._announced.said(topic, ())
                return
            if one.kind.presence is not None and not one.kind.presence.always:
                place = self._gathering.place(topic, self._own_uid(one, topic), source)
                self._gathering.said.append((place, "presence", "removed"))
                return
