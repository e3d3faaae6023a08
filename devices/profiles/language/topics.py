"""Topics as profile files write them, `shellies/{model}-{id:[0-9A-F]{6}}/online`: text to `TopicPattern`.

`{name}` takes one level or a part of one, `{name:regex}` what fits (`level_regex`), `{name+}` one or more
levels. Where several parts of one level could take a sign, the first takes it; each takes at most 64.

Errors: ValueError with a sentence that says what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from devices.profiles.compiling.compiled import TopicPattern
from devices.profiles.language.level_regex import (
    CHOICES_BESIDE_MAX,
    ONE_LEVEL,
    OPEN_MAX,
    SHORT,
    Fitting,
    fitting_of,
)
from devices.profiles.language.paths import NAME

TOPIC_MAX: Final = 1000
"""Characters of a topic; a longer one is nobody's (chosen; MQTT allows 65,535 octets)."""
_HEAD: Final = re.compile(rf"\{{({NAME})(\}}|\+\}}|:)")
_PLAIN: Final = re.compile(r"[\w-]+", re.ASCII)
_ESCAPED_OR_BRACE: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[{}]")


class _Capture(NamedTuple):
    """A blank of a topic. `fitting` None: one or more levels."""

    name: str
    fitting: Fitting | None


_Part = str | _Capture


def topic_of(text: str, kind: int) -> TopicPattern:
    """The pattern of a topic of the message kind with number `kind`."""
    if not text or len(text) > TOPIC_MAX:
        raise ValueError(f"a topic of {len(text)} characters; 1 to {TOPIC_MAX} are allowed")
    levels = _levels(text)
    captures = [part for level in levels for part in level if isinstance(part, _Capture)]
    names = [capture.name for capture in captures]
    if len(set(names)) < len(names):
        raise ValueError(f"topic `{text}`: each name is allowed once")
    if sum(capture.fitting is None for capture in captures) > 1:
        raise ValueError(f"topic `{text}`: `{{name+}}` is allowed once")
    pattern = "/".join(_regex(text, level) for level in levels)
    return TopicPattern(text, _filter(levels), re.compile(pattern), kind)


def find_topic(topics: Sequence[TopicPattern], topic: str) -> list[tuple[TopicPattern, dict[str, str]]]:
    """All patterns that take the whole topic, in order, with what they cut out of it. Never raises."""
    if len(topic) > TOPIC_MAX:
        return []
    found = ((each, each.pattern.fullmatch(topic)) for each in topics)
    return [(each, match.groupdict()) for each, match in found if match is not None]


class Topics:
    """The patterns of a profile, of which only those are tried that may take a topic by its number of levels,
    its beginning and its last level: a twentieth of the time for a profile of twenty patterns."""

    def __init__(self, topics: Sequence[TopicPattern]) -> None:
        self._all = [_Outline.of(one) for one in topics]
        self._of_depth: dict[int, tuple[_Outline, ...]] = {}

    def find(self, topic: str) -> list[tuple[TopicPattern, dict[str, str]]]:
        """As `find_topic`."""
        if len(topic) > TOPIC_MAX:
            return []
        depth = topic.count("/")
        some = self._of_depth.get(depth)
        if some is None:
            some = tuple(
                one for one in self._all if one.depth == depth or (one.is_open and one.depth <= depth)
            )
            self._of_depth[depth] = some
        found = []
        for one in some:
            if topic.startswith(one.begins) and topic.endswith(one.ends):
                match = one.topic.pattern.fullmatch(topic)
                if match is not None:
                    found.append((one.topic, match.groupdict()))
        return found


class _Outline(NamedTuple):
    """What is the same in all topics that a pattern takes; `is_open`: they may have more levels than `depth`
    says."""

    topic: TopicPattern
    depth: int
    is_open: bool
    begins: str
    ends: str

    @classmethod
    def of(cls, topic: TopicPattern) -> _Outline:
        is_open = topic.filter.endswith("#")
        begins = re.split(r"[+#]", topic.filter, maxsplit=1)[0]
        last = topic.text.rpartition("/")[2]
        ends = "" if {"{", "}"} & set(last) else last
        return cls(topic, topic.filter.count("/"), is_open, begins, ends)


def _levels(text: str) -> list[list[_Part]]:
    levels: list[list[_Part]] = [[]]
    for part in _parts(text):
        if isinstance(part, _Capture):
            levels[-1].append(part)
            continue
        first, *more = part.split("/")
        levels[-1] += [first] if first else []
        levels += [[level] if level else [] for level in more]
    return levels


def _parts(text: str) -> Iterator[_Part]:
    at = 0
    while at < len(text):
        brace = text.find("{", at)
        literal = text[at:] if brace < 0 else text[at:brace]
        if literal:
            yield _literal(text, literal)
        if brace < 0:
            return
        head = _HEAD.match(text, brace)
        if head is None:
            raise ValueError(
                f"topic `{text}`: `{text[brace:][:20]}` is no blank; "
                "`{name}`, `{name+}` and `{name:regex}` are, names of letters, digits and `_`"
            )
        at = head.end()
        if head[2] == ":":
            end = _closing(text, at)
            yield _Capture(head[1], fitting_of(text[at:end]))
            at = end + 1
        else:
            yield _Capture(head[1], ONE_LEVEL if head[2] == "}" else None)


def _literal(text: str, literal: str) -> str:
    for sign in "+#}\0":
        if sign in literal:
            raise ValueError(
                f"topic `{text}`: `{sign}` is not allowed; `{{name}}` takes one level, "
                "`{name+}` one or more"
            )
    return literal


def _closing(text: str, at: int) -> int:
    """Where the brace that was opened before `at` is closed: behind as many as were opened since."""
    depth = 1
    for found in _ESCAPED_OR_BRACE.finditer(text, at):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth == 0:
            return found.start()
    raise ValueError(f"topic `{text}`: a brace is not closed")


def _regex(text: str, level: list[_Part]) -> str:
    if any(isinstance(part, _Capture) and part.fitting is None for part in level):
        if len(level) > 1:
            raise ValueError(f"topic `{text}`: `{{name+}}` must be a whole level")
        return f"(?P<{level[0].name}>[^/]+(?:/[^/]+)*)" if isinstance(level[0], _Capture) else ""
    varying = sum(part.fitting.varying for part in level if isinstance(part, _Capture) and part.fitting)
    if varying > OPEN_MAX:
        raise ValueError(
            f"topic `{text}`: at most {OPEN_MAX} blanks and repetitions are allowed in one level"
        )
    choices = sum(part.fitting.choices for part in level if isinstance(part, _Capture) and part.fitting)
    if varying > 1 and choices > CHOICES_BESIDE_MAX:
        raise ValueError(
            f"topic `{text}`: beside several blanks or repetitions at most {CHOICES_BESIDE_MAX} "
            "groups and optional parts are allowed in one level"
        )
    most = "" if varying <= 1 else str(SHORT)
    return "".join(_piece(part, most) for part in level)


def _piece(part: _Part, most: str) -> str:
    if isinstance(part, str):
        return re.escape(part)
    assert part.fitting is not None
    return f"(?P<{part.name}>{part.fitting.bounded(most)})"


def _filter(levels: list[list[_Part]]) -> str:
    """The narrowest MQTT filter that takes all that the pattern takes."""
    written = []
    for level in levels:
        if any(isinstance(part, _Capture) and part.fitting is None for part in level):
            written.append("#")  # what follows it may stand at any depth
            break
        words = [part if isinstance(part, str) else _word(part) for part in level]
        written.append("+" if None in words else "".join(map(str, words)))
    return "/".join(written)


def _word(capture: _Capture) -> str | None:
    """The one text that a capture takes; None where it takes several."""
    text = "".join(capture.fitting.parts) if capture.fitting else ""
    return text if _PLAIN.fullmatch(text) else None
