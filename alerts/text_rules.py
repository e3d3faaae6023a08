"""Which texts there are, what may stand in each, and what life safety asks of them. Pure.

Names are words with dots between: `message.bound`, `what.P0`, `why_now.call`, `todo.P0.neighbour.stair`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from alerts.case import Hazard
from alerts.text_form import Text, fixed_in, holds
from devices.model import Severity

LANGUAGES: Final = ("zh-CN", "en")
READERS: Final = ("family", "neighbour", "worker", "station", "desk")
"""Whom texts are for (`alerts.readers.KIND` says which role is which)."""
MESSAGES: Final = ("bound", *READERS, "all_clear", "summary")
SURE: Final = frozenset({"what", "where", "since", "evidence", "todo", "count", "kinds"})
"""Places that are never empty."""
_TOLD: Final = ("what", "where", "since", "evidence", "todo", "why_now", "others")


class TextRule(NamedTuple):
    """`places` may stand in the text, `needed` of them must be said; `sentences`: it is a list of them."""

    places: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    sentences: bool = False


_MESSAGE_RULES: Final = {
    "neighbour": TextRule(_TOLD, ("what", "where", "why_now", "todo"), True),
    "all_clear": TextRule(("where",), ("where",), True),
    "summary": TextRule(("count", "since", "kinds"), ("count", "kinds"), True),
}
_BOUND: Final = TextRule((*_TOLD, "newest"), ("what", "where", "since", "evidence", "why_now", "todo"), True)
_WHY_NOW: Final = {
    **dict.fromkeys(("call", "next", "repeat", "isolate", "moved", "unanswered", "no_answer"), ()),
    **dict.fromkeys(("help", "unanswered.received", "no_answer.received"), ("who",)),
    **dict.fromkeys(("more", "more_unanswered"), ("also",)),
    **dict.fromkeys(("deadline", "overdue"), ("awaited",)),
}


def _rules() -> Iterator[tuple[str, TextRule]]:
    for reader in MESSAGES:
        yield f"message.{reader}", _MESSAGE_RULES.get(reader, _BOUND)
    for severity in Severity:
        yield f"what.{severity}", TextRule()
    yield "what.again", _phrase("what")
    yield "what.clear", TextRule()
    yield "evidence.late", _phrase("evidence")
    yield "evidence.undated", _phrase("evidence")
    yield "where.moved", _phrase("where", "there")
    yield "where.moved_to", _phrase("where", "there")
    yield "where.elsewhere", TextRule()
    for saying, places in _WHY_NOW.items():
        yield f"why_now.{saying}", _phrase(*places)
    for severity in Severity:
        for reader in READERS:
            yield f"todo.{severity}.{reader}", TextRule()
            for about in (*Hazard, "stair"):
                yield f"todo.{severity}.{reader}.{about}", TextRule()
    yield "todo.other", TextRule()
    yield "todo.isolate", _phrase("todo")


def _phrase(*places: str) -> TextRule:
    return TextRule(places, places)


RULES: Final = dict(_rules())
"""Every text that there is or that a site may add."""

_PHONE: Final = re.compile(r"\d(?:[ .()\-‐-―－]?\d){5,}")
"""Six digits and more; 110, 119, 120 and the five-digit numbers of services are none."""
_BREAKER: Final = re.compile(
    r"断路器|空气?开关?|电闸|拉闸|总闸|配电箱|breaker|fuse ?box|switchboard", re.IGNORECASE
)
_EXERCISE: Final = re.compile(
    r"演练|演习|调试|测试|模拟|\bdrill|\bexercise|\btest|\brehears|\bsimulat", re.IGNORECASE
)
_ALL_CLEAR: Final = re.compile(
    r"解除|误报|虚警|假警|已(?:经)?(?:结束|扑灭|排除)|一切正常|平安无事|没事|取消"
    r"|无需|无须|毋需|毋须|勿需|不必|不需要|不用(?!电梯|水)"
    r"|\ball[ -]?clear|\bfalse[ -]?(?:alarm|alert)|(?<!time )\bis over\b|\b(?:has|have) ended|\bstand down"
    r"|\bnot (?:a )?real\b|\bno need|\bno action (?:is )?(?:needed|required|necessary)"
    r"|\b(?:nobody|no ?one) needs?|\bneed not|\bneedn['’]t"
    r"|\b(?:do not|don['’]t|not) need|\bnothing to do|\bdo nothing|(?<!not )(?<!n['’]t )(?<!never )\bignore",
    re.IGNORECASE,
)
"""What calls a fire off, in the words of both languages."""
_CLEAR: Final = re.compile(r"\bclear", re.IGNORECASE)
"""How no fire begins; further on smoke may leave a stair clear."""
_ANSWER: Final = r"(?:回复|按|reply|answer|press)"
_ANSWER_TWO: Final = re.compile(
    rf"({_ANSWER}[^。.!！]{{0,30}}?(?<!\d)2(?!\d)[^。.!！\d]{{0,20}}?)(?:误报|false(?: alarm)?)"
    rf"|(?:误报|false alarm)(?=[^。.!！]{{0,12}}?{_ANSWER}[^。.!！\d]{{0,6}}2(?!\d))",
    re.IGNORECASE,
)
"""How to answer that it is a false alarm (`alerts.replying`) calls nothing off."""
_OF_OTHERS: Final = re.compile(r"\.(?:bound|family|worker|station|desk)(?:\.|$)")
_RESIDENTS: Final = re.compile(
    r"^todo\.(?:other$|.*\.(?:family|neighbour)(?:\.|$))|^message\.(?:bound|family|neighbour)$"
)
"""What residents are told to do: `todo.other` too, where there is no text for them (`alerts.texts`)."""
_OF_FIRE: Final = re.compile(
    r"^(?:what\.(?:P0\+?|again)|todo\.(?:P0\+?\..*|isolate)|why_now\..*|evidence\..*)$|^message\.(?!all_clear$|summary$)"
)
"""Texts that fires are told with."""


def faults_of(name: str, text: Text) -> Iterator[str]:
    """What life safety has against this text."""
    rule, fixed = RULES[name], fixed_in(text)
    sure = SURE if rule.sentences else rule.places
    for place in rule.needed:
        if not holds(text, place, sure):
            yield f"does not always say {{{place}}}; a sentence that cannot fall away must have it"
    if not _OF_OTHERS.search(name) and _PHONE.search(fixed):
        yield "holds a telephone number, and neighbours read it; leave it out"
    if _RESIDENTS.match(name) and _BREAKER.search(fixed):
        yield "sends residents to a breaker; they are told to switch off heavy loads or to leave"
    if name.startswith(f"todo.{Severity.P0_PLUS}.") and _RESIDENTS.match(name) and "119" not in fixed:
        yield "does not say 119; of a confirmed fire residents are told to call it"
    if (_OF_FIRE.match(name) or not name.startswith("todo.")) and _EXERCISE.search(fixed):
        yield "speaks of a drill or test; what is real must not read like an exercise"
    if _OF_FIRE.match(name) and (called_off := _calls_off(name, fixed)):
        yield f"says `{called_off}`, and fires are told with it; a fire must not read like an all-clear"


def _calls_off(name: str, fixed: str) -> str:
    """The words that call a fire off; empty where there are none."""
    found = _ALL_CLEAR.search(_ANSWER_TWO.sub(r"\1", fixed))
    if found is None and name.startswith("what."):
        found = _CLEAR.search(fixed)
    return found[0] if found else ""
