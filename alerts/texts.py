"""What messages say, in zh-CN and English: what, where, since when, on what evidence, what to do, who else
was told. Pure.

The words are those of `alerts/texts.toml` and of a site's own file; here is what fills their places and which
of them are taken. The link travels beside the text. Neighbours learn the flat and what to do, and nothing of
the people in it; of others who were told everybody learns the roles and no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from alerts.case import Hazard
from alerts.evidence import CHINESE, Both, evidence_words, evidence_words_outside
from alerts.hazards import ISOLATING
from alerts.plain_words import at_device
from alerts.readers import KIND, LATE, NAMED_MAX, NAMED_ROLES, ROLE_ORDER
from alerts.sayings import word
from alerts.sms_length import sms_length
from alerts.text_file import Texts, shipped_texts
from alerts.text_form import Text, filled, phrase
from devices.model import Medium, Role, Severity
from rules.transition import Mark, Why

_WORKING: Final = frozenset({"worker", "station", "desk"})
"""Who goes there, or sends somebody."""
_RESIDENTS: Final = frozenset({"family", "neighbour"})
"""Who is never told what a desk is: its texts may name telephones and breakers."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What a message is about. `since` and `newest` are local wall-clock texts (`alerts.times`; no newest: an
    empty one), `place` words, `answered` role words.

    `saying` is why it is sent now: alarm, call, next, escalated, unanswered, repeat, help, isolate, more,
    more_unanswered (news that nobody has answered), moved (its detector is elsewhere), deadline, overdue,
    all_clear.
    `asker` is the role that asked for help, or what a deadline waits for. `rules`, `detectors` and `title`
    are the grounds (`alerts.evidence`). `devices` are the names of those in alarm where the place alone does
    not say which, worst first; `others` the alarms that `more` and `more_unanswered` speak of, newest first.
    `on_stair`: it happens in the common parts of a stair. `moved_to`: the words for where the only detector
    is registered now, None where it is here, empty where that is no place we know.
    `told` are the roles of the others who were told; `medium` is how this message goes, `beside` how many
    characters go with it in a short message: its link, and what an exercise begins with.
    """

    saying: str
    severity: Severity
    hazard: Hazard
    role: Role
    place: str
    since: str
    rules: frozenset[str]
    detectors: int
    tags: frozenset[str]
    answered: tuple[str, ...] = ()
    asker: str = ""
    title: Why | None = None
    devices: tuple[str, ...] = ()
    others: tuple[Both, ...] = ()
    newest: str = ""
    on_stair: bool = False
    moved_to: str | None = None
    told: frozenset[str] = frozenset()
    medium: Medium = Medium.PUSH
    beside: int = 0


class Said(NamedTuple):
    """A message, its pieces by the names of `alerts.channels.channel.PARTS`, for templates of providers, and
    the names of the texts that it was made of."""

    text: str
    parts: Mapping[str, str]
    used: tuple[str, ...]


def say(telling: Telling, language: str, texts: Texts | None = None) -> Said:
    """The message for one contact. Without `texts` by the shipped ones."""
    words = _Words(telling, language, texts or shipped_texts())
    return words.all_clear() if telling.saying == "all_clear" else words.alarm()


def compose(telling: Telling, language: str, texts: Texts | None = None) -> str:
    """The text of `say`."""
    return say(telling, language, texts).text


def parts_of(telling: Telling, language: str, texts: Texts | None = None) -> Mapping[str, str]:
    """The pieces of `say`."""
    return say(telling, language, texts).parts


class _Words:
    """Fills the texts for one telling in one language."""

    def __init__(self, telling: Telling, language: str, texts: Texts) -> None:
        self._t = telling
        self._language = CHINESE if language == CHINESE else "en"
        self._comma = "、" if language == CHINESE else ", "
        self._texts = texts
        self._kind = KIND[telling.role]
        self._used: list[str] = []

    def alarm(self) -> Said:
        values = {
            "what": self._what(),
            "where": self._where(),
            **self._times(),
            "evidence": self._evidence(),
            "why_now": self._why_now(),
            "todo": self._todo(),
            "others": self._others(),
        }
        message = self._find(f"message.{self._kind}", "message.bound")
        parts = {
            "severity": str(self._t.severity),
            "what": values["evidence"],
            "where": values["where"],
            "since": self._t.newest or self._t.since,
            "do": values["todo"],
            "why_now": values["why_now"],
            "others": values["others"],
        }
        return Said(self._fitted(message, values), parts, tuple(self._used))

    def all_clear(self) -> Said:
        message = self._find("message.all_clear")
        parts = {
            "severity": str(self._t.severity),
            "what": self._phrase("what.clear"),
            "where": self._where(),
            "since": self._t.newest or self._t.since,
            "do": "",
            "why_now": "",
            "others": "",
        }
        return Said(self._joined(message, {"where": self._t.place}), parts, tuple(self._used))

    def _fitted(self, message: Text, values: Mapping[str, str]) -> str:
        """Who else was told is not read out, and falls away where a short message would need one more."""
        whole = self._joined(message, values)
        if self._t.medium not in {Medium.SMS, Medium.VOICE} or not values["others"]:
            return whole
        short = self._joined(message, {**values, "others": ""})
        beside = " " * self._t.beside
        costs = sms_length(whole + beside).segments > sms_length(short + beside).segments
        return short if costs or self._t.medium is Medium.VOICE else whole

    def _joined(self, message: Text, values: Mapping[str, str]) -> str:
        said = (filled(sentence, values) for sentence in message)
        return ("" if self._language == CHINESE else " ").join(one for one in said if one)

    def _what(self) -> str:
        what = self._phrase(f"what.{self._t.severity}")
        return self._phrase("what.again", what=what) if Mark.SECOND_FIRE in self._t.tags else what

    def _times(self) -> dict[str, str]:
        """A neighbour needs to know of now."""
        if self._t.role is Role.NEIGHBOUR:
            return {"since": self._t.newest or self._t.since, "newest": ""}
        return {"since": self._t.since, "newest": self._t.newest}

    def _evidence(self) -> str:
        """life_safety, smoke 3: late smoke is marked with its age; the time it is from is said beside it."""
        t = self._t
        words = evidence_words_outside if t.role is Role.NEIGHBOUR else evidence_words
        said = words(t.rules, t.detectors, t.hazard, t.severity, self._language, t.title)
        if Mark.AGE_UNKNOWN in t.tags:
            return self._phrase("evidence.undated", evidence=said)
        return self._phrase("evidence.late", evidence=said) if Mark.LATE in t.tags else said

    def _where(self) -> str:
        t = self._t
        here = at_device((t.place, t.place), self._listed(t.devices))[self._language != CHINESE]
        if t.moved_to is None:
            return here
        goes_there = t.moved_to and self._kind in _WORKING
        there = t.moved_to or self._phrase("where.elsewhere")
        return self._phrase("where.moved_to" if goes_there else "where.moved", where=here, there=there)

    def _why_now(self) -> str:
        saying = self._t.saying
        if saying == "help":
            return self._phrase("why_now.help", who=word(self._t.asker, self._language))
        if saying in {"unanswered", "escalated"}:
            return self._unanswered()
        if saying in LATE:
            return self._phrase(f"why_now.{saying}", awaited=word(self._t.asker, self._language))
        also = self._listed([other[self._language != CHINESE] for other in self._t.others])
        return self._phrase(f"why_now.{saying}", also=also)

    def _unanswered(self) -> str:
        unconfirmed = self._t.severity is not Severity.P0_PLUS and self._t.saying == "unanswered"
        name = "why_now.unanswered" if unconfirmed else "why_now.no_answer"
        if not self._t.answered:
            return self._phrase(name)
        who = self._comma.join(word(role, self._language) for role in self._t.answered)
        return self._phrase(f"{name}.received", who=who)

    def _todo(self) -> str:
        mine = f"todo.{self._t.severity}.{self._kind}"
        said = self._phrase(
            *([f"{mine}.stair"] if self._t.on_stair else []),
            f"{mine}.{self._t.hazard}",
            mine,
            *([f"todo.{self._t.severity}.desk"] if self._kind not in _RESIDENTS else []),
            "todo.other",
        )
        isolate = self._t.tags & ISOLATING and self._kind in _WORKING
        return self._phrase("todo.isolate", todo=said) if isolate else said

    def _others(self) -> str:
        """The roles of the others, those first who help; never a name."""
        roles = [role for role in ROLE_ORDER if role in self._t.told and role is not self._t.role]
        said = self._comma.join(word(role, self._language) for role in roles[:NAMED_ROLES])
        more = "等" if self._language == CHINESE else " and more"
        return said + more if len(roles) > NAMED_ROLES else said

    def _listed(self, words: Sequence[str]) -> str:
        """The first `NAMED_MAX`, and how many more."""
        named, rest = self._comma.join(words[:NAMED_MAX]), len(words) - NAMED_MAX
        if rest <= 0:
            return named
        return named + (f"，另有{rest}处" if self._language == CHINESE else f" and {rest} more")

    def _find(self, *names: str) -> Text:
        """The first of these texts that there is; none of them says nothing."""
        for name in names:
            if (text := self._texts.find(name, self._language)) is not None:
                self._used.append(name)
                return text
        return ()

    def _phrase(self, *names: str, **values: str) -> str:
        text = self._find(*names)
        return phrase(text, values) if text else ""
