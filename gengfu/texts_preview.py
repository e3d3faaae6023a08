"""Messages as people would read them: of an example, or of an incident that is there. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from alerts.carried import carried
from alerts.case import Case, Hazard
from alerts.cases import load_cases
from alerts.channels.carriers import Accounts
from alerts.channels.templates import Reading
from alerts.exercise import may_be_told
from alerts.gate import Page, agreed, confirmed, real
from alerts.sms_length import SmsLength, sms_length
from alerts.text_file import Texts
from alerts.text_rules import LANGUAGES
from alerts.text_samples import ROLES, example
from alerts.texts import say
from alerts.whereabouts import Whereabouts
from alerts.wording import Wording
from devices.bound import Bound, Way
from devices.model import Carrier, Medium, Role, Severity

_NO_LINK_ENDS: str = "x" * 22
"""In place of what makes a link genuine: a preview is no key to an incident."""
_ACCOUNTS: Mapping[Medium, tuple[Carrier, ...]] = {
    Medium.PUSH: (Carrier.WECOM_APP,),
    Medium.SMS: (Carrier.ALIYUN_SMS, Carrier.TENCENT_SMS),
    Medium.VOICE: (Carrier.ALIYUN_VOICE, Carrier.TENCENT_VOICE),
    Medium.EMAIL: (Carrier.SMTP,),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be shown: `role`, `language` and `medium` narrow it, None and empty do not."""

    saying: str = "alarm"
    role: Role | None = None
    language: str = ""
    medium: Medium | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """One message. `carrier` empty: by any that takes the text as it is. `length` is that of what is read."""

    severity: Severity
    role: Role
    language: str
    medium: Medium
    carrier: str
    reading: Reading
    length: SmsLength


@dataclass(frozen=True, slots=True)
class Studio:
    """What previews are made with: the texts that hold, the site's accounts, where one-tap pages are."""

    texts: Texts
    accounts: Accounts
    answers_url: str
    timezone: str

    def examples(
        self, asked: Asked, severity: Severity, hazard: Hazard | None, told: frozenset[str]
    ) -> Iterator[Preview]:
        """An example alarm, for each kind of reader; `told` are the roles that it tells."""
        link = self._link(1234, 56)
        roles = (*ROLES, Role.FIRE_BRIGADE) if severity is Severity.P0_PLUS else ROLES
        for role, language, medium in product(
            (asked.role,) if asked.role else roles,
            (asked.language,) if asked.language else LANGUAGES,
            (asked.medium,) if asked.medium else Medium,
        ):
            telling = example(
                severity, role, language, saying=asked.saying, hazard=hazard, medium=medium, told=told,
                beside=len(link),
            )  # fmt: skip
            said = say(telling, language, self.texts)
            for carrier in self._carriers(medium):
                message = said.text, said.parts
                yield self._preview(severity, role, language, medium, carrier, message, link)

    def of_incident(
        self, connection: Connection, number: int, asked: Asked, now_us: int
    ) -> list[Preview] | None:
        """What each role bound to an incident would be told of it now, by the ways it has; None where there
        is no such incident. No names: of those in one role with one language and way one is shown."""
        case = load_cases(connection, ids=(number,)).get(number)
        if case is None:
            return None
        where = Whereabouts(connection, now_us)
        shown: dict[tuple[Role, str, Medium, Carrier], Preview] = {}
        people = may_be_told(case.incident, where.bound(case.incident))
        for bound, way in ((one, way) for one in people for way in one.ways):
            key = bound.role, bound.language, way.medium, way.carrier
            page = _page(case, bound, way, asked.saying)
            if key not in shown and page is not None and self._wanted(asked, bound, way):
                shown[key] = self._worded(case, page, where, now_us)
        return list(shown.values())

    def _wanted(self, asked: Asked, bound: Bound, way: Way) -> bool:
        return (
            asked.role in {None, bound.role}
            and asked.language in {"", bound.language}
            and asked.medium in {None, way.medium}
        )

    def _worded(self, case: Case, page: Page, where: Whereabouts, now_us: int) -> Preview:
        link = self._link(case.incident.id, page.to.contact_id)

        def failed(error: Exception) -> None:
            raise error

        wording = Wording(where, now_us, ZoneInfo(self.timezone), failed, self.texts, len(link))
        [worded] = wording.of(case.incident.id, replace(case, pages=(page,)))
        return self._preview(
            case.incident.severity, page.to.role, page.to.language, page.way.medium, page.way.carrier,
            (worded.text, worded.parts), link,
        )  # fmt: skip

    def _preview(
        self,
        severity: Severity,
        role: Role,
        language: str,
        medium: Medium,
        carrier: Carrier | None,
        message: tuple[str, Mapping[str, str]],
        link: str,
    ) -> Preview:
        account = self.accounts.by_carrier.get(carrier) if carrier else None
        reading = carried(carrier or Carrier.WEBHOOK, account, message, link, language)
        length = sms_length(reading.text)
        return Preview(severity, role, language, medium, carrier or "", reading, length)

    def _carriers(self, medium: Medium) -> tuple[Carrier | None, ...]:
        """Those with an account here, and one that takes the text as it is."""
        mine = (one for one in _ACCOUNTS[medium] if one in self.accounts.by_carrier)
        return (None, *mine)

    def _link(self, incident_id: int, contact_id: int) -> str:
        return f"{self.answers_url.rstrip('/')}/a/{incident_id}-{contact_id}-{_NO_LINK_ENDS}"


def _page(case: Case, bound: Bound, way: Way, saying: str) -> Page | None:
    """The page that would be made, through the gate; None for a station that may not be told."""
    incident = case.incident
    leave = real(incident.id, incident.tags)
    asker = {"help": ":grid_worker", "deadline": ":arrived", "overdue": ":arrived"}.get(saying, "")
    of_station = None
    if bound.role is Role.MICRO_STATION:
        of_station = leave
    elif bound.role is Role.FIRE_BRIGADE:
        of_station = confirmed(leave, incident.severity) or agreed(leave, bound)
    if of_station is None and bound.role in {Role.MICRO_STATION, Role.FIRE_BRIGADE}:
        return None
    return Page(incident.id, incident.epoch, saying + asker, 0, bound, way, saying, of_station)
