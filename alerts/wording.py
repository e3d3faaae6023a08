"""The words for a turn's pages. Where they fail, a plain warning goes out instead: nobody is left untold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo

from alerts.case import Case
from alerts.docket import UNROUTED_TAG
from alerts.escalation import answered_roles
from alerts.evidence import alarm_words, grounds_of
from alerts.gate import Page
from alerts.news import unsaid
from alerts.texts import Telling, at_device, compose, plain_warning, since_text
from alerts.whereabouts import Whereabouts


@dataclass(frozen=True, slots=True)
class Worded:
    """A page with its words. `case_id` may still be negative."""

    case_id: int
    page: Page
    severity: str
    rank: int
    text: str


@dataclass(frozen=True, slots=True)
class Wording:
    """Writes texts in the contact's language and the site's time; `failed` is told of every failure."""

    where: Whereabouts
    now_us: int
    zone: tzinfo
    failed: Callable[[Exception], None]

    def of(self, case_id: int, case: Case) -> list[Worded]:
        """The new pages of a case with their texts."""
        severity = case.incident.severity
        return [
            Worded(case_id, page, str(severity), severity.rank, self._text(case, page)) for page in case.pages
        ]

    def _text(self, case: Case, page: Page) -> str:
        language = page.to.language
        try:
            if page.saying != "plain" and UNROUTED_TAG not in case.incident.tags:
                place = self.where.words(case, language)
                devices = self.where.devices(case)
                telling = telling_of(case, page, place, self.now_us, self.zone, devices)
                return compose(telling, language)
        except Exception as error:
            self.failed(error)
        uid = next((a.uid for a in case.alarms), case.incident.place)
        return plain_warning(case.incident.severity, uid, language)


def telling_of(
    case: Case, page: Page, place: str, now_us: int, zone: tzinfo, devices: Mapping[str, str]
) -> Telling:
    """What the message for this page is about. `devices` are names by uid where a device must be named."""
    incident = case.incident
    evidence = case.active() or case.alarms
    grounds = grounds_of(evidence)
    since = min((a.raised_us for a in evidence), default=incident.opened_us)
    return Telling(
        saying=page.saying,
        severity=incident.severity,
        hazard=incident.hazard,
        role=page.to.role,
        place=place,
        since=since_text(since, now_us, zone),
        rules=grounds.rules,
        detectors=grounds.detectors,
        title=grounds.title,
        tags=incident.tags,
        answered=tuple(sorted(answered_roles(case, ()))),
        asker=page.step.partition(":")[2],
        devices=tuple(dict.fromkeys(devices.values())),
        others=tuple(
            dict.fromkeys(at_device(alarm_words(a), devices.get(a.uid, "")) for a in unsaid(case, now_us))
        ),
    )
