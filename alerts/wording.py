"""The words for a turn's pages. Where they fail, a plain warning goes out instead: nobody is left untold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Final

from alerts.answered import answered_roles
from alerts.case import Case
from alerts.docket import UNROUTED_TAG
from alerts.evidence import CHINESE, Both, alarm_words, alarm_words_outside, grounds_of
from alerts.follow_up import word_us
from alerts.gate import Page, exercise_in
from alerts.news import unsaid
from alerts.places import stair_in
from alerts.plain_words import at_device, plain_warning, since_text
from alerts.text_file import Texts, shipped_texts
from alerts.texts import Telling, say
from alerts.times import times_of
from alerts.whereabouts import Whereabouts
from alerts.whom import UNHEARD
from alerts.windows import WindowKind
from devices.model import Role, Severity

EXERCISES: Final[Mapping[str, Both]] = {
    WindowKind.DRILL: ("【演练】", "DRILL. "),
    WindowKind.COMMISSIONING: ("【调试】", "COMMISSIONING TEST. "),
}
"""What a message of an exercise begins with."""


@dataclass(frozen=True, slots=True)
class Worded:
    """A page with its words, whole and in pieces (`alerts.texts.Said`). `case_id` may still be negative."""

    case_id: int
    page: Page
    severity: str
    rank: int
    text: str
    parts: Mapping[str, str] = field(default_factory=dict)
    hazard: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """Writes texts in the contact's language and the site's time; `failed` is told of every failure.

    `texts` are those that hold, `link_chars` is how long links are.
    """

    where: Whereabouts
    now_us: int
    zone: tzinfo
    failed: Callable[[Exception], None]
    texts: Texts = field(default_factory=shipped_texts)
    link_chars: int = 0

    def of(self, case_id: int, case: Case) -> list[Worded]:
        """The new pages of a case with their texts."""
        severity, rank, hazard = str(case.incident.severity), rank_of(case), case.incident.hazard
        said: dict[tuple[str, ...], tuple[str, Mapping[str, str]]] = {}
        worded = []
        for page in case.pages:
            same = page.saying, page.step, page.to.role, page.to.language, page.way.medium
            if same not in said:  # who has all of this in common hears the same
                said[same] = self._words(case, page)
            worded.append(Worded(case_id, page, severity, rank, *said[same], hazard))
        return worded

    def _words(self, case: Case, page: Page) -> tuple[str, Mapping[str, str]]:
        """Of an exercise every text says first that it is one, a provider's template with what happened."""
        head = EXERCISES.get(exercise_in(case.incident.place))
        said = head[page.to.language != CHINESE] if head else ""
        text, parts = self._said(case, page, self.link_chars + len(said))
        if not said:
            return text, parts
        return said + text, {**parts, "what": said + parts.get("what", ""), "drill": said}

    def _said(self, case: Case, page: Page, beside: int) -> tuple[str, Mapping[str, str]]:
        language = page.to.language
        try:
            if page.saying != "plain" and UNROUTED_TAG not in case.incident.tags:
                place = self.where.words(case, language)
                devices = self.where.devices(case)
                telling = telling_of(case, page, place, self.now_us, self.zone, devices)
                telling = replace(telling, moved_to=self._moved_to(case, language), beside=beside)
                said = say(telling, language, self.texts)
                return said.text, said.parts
        except Exception as error:
            self.failed(error)
        uid = next((a.uid for a in case.alarms), case.incident.place)
        text = plain_warning(case.incident.severity, uid, language)
        return text, {"severity": str(case.incident.severity), "where": uid}

    def _moved_to(self, case: Case, language: str) -> str | None:
        """Where its detector is registered now; rather that it is elsewhere than no message."""
        try:
            return self.where.moved_to(case, language)
        except Exception as error:
            self.failed(error)
            return ""


def rank_of(case: Case) -> int:
    """In which order its messages go: those of an exercise never before those of a real fire, nor from what
    carriers keep for one."""
    rank = case.incident.severity.rank
    return max(rank, Severity.P1.rank) if exercise_in(case.incident.place) else rank


def telling_of(
    case: Case, page: Page, place: str, now_us: int, zone: tzinfo, devices: Mapping[str, str]
) -> Telling:
    """What the message for this page is about. `devices` are names by uid where a device must be named."""
    incident = case.incident
    evidence = case.active() or case.alarms
    grounds = grounds_of(evidence)
    times = times_of(incident.opened_us, case.alarms)
    unheard = page.saying == UNHEARD
    news = unsaid(case, word_us(case, page.step) if unheard else now_us)
    called = alarm_words_outside if page.to.role is Role.NEIGHBOUR else alarm_words
    return Telling(
        saying=page.saying,
        severity=incident.severity,
        hazard=incident.hazard,
        role=page.to.role,
        place=place,
        since=since_text(times.since_us, now_us, zone),
        newest=since_text(times.newest_us, now_us, zone) if times.newest_us is not None else "",
        rules=grounds.rules,
        detectors=grounds.detectors,
        title=grounds.title,
        tags=incident.tags,
        answered=tuple(sorted(answered_roles(case, ()))),
        asker=page.step.partition(":")[2],
        devices=tuple(dict.fromkeys(devices.values())),
        on_stair=stair_in(incident.place) > 0,
        others=tuple(dict.fromkeys(at_device(called(a), devices.get(a.uid, "")) for a in news)),
        told=_told_beside(case, page.to.contact_id),
        medium=page.way.medium,
    )


def _told_beside(case: Case, contact_id: int) -> frozenset[str]:
    """The roles of everybody else who was told since it began, or began again."""
    epoch = case.incident.epoch
    return frozenset(str(t.role) for t in case.told if t.epoch == epoch and t.contact_id != contact_id)
