"""Overrides as people write them, made into what the rules take: the numbers of one, or a file of many.

A file is TOML, a table `[[override]]` for each:

    [[override]]
    rule = "O3"
    device = "own:riser-2"         # or building, dwelling, area = "CODE"
    raise = "36 A"                 # and, as wanted: clear, hold, clear_hold; or off = true
    from = 2026-11-01              # left out: from ever
    until = "2026-12-01T08:00"     # left out: for good
    author = "gw-3"
    reason = "new riser"

Errors:
* OverrideError: what is wrong, with its key; of a file with its name and line, and nothing of it is taken.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from rules.catalogue import Catalogue
from rules.kernels.bound import BoundRule
from rules.kernels.dark_rule import DarkRule
from rules.kernels.flag import FlagRule
from rules.kernels.gate import GateRule
from rules.kernels.place_rule import PlaceRule
from rules.kernels.silence import SilenceRule
from rules.loosening import check_end
from rules.overrides import Override, OverrideError, Overrides, Scope, check_override
from rules.quantity import parse_level, parse_span
from rules.rule import BaseRule, HeldRule

Resolve = Callable[[Scope, str], frozenset[int]]
"""The registry ids of what a code names: of an area the grids below it, of a device its own; empty where it
is unknown."""

EVER_US: Final = 0
"""The beginning of an override that says none: 1970, before all readings."""
WORDS: Final = {"raise": parse_level, "clear": parse_level, "hold": parse_span, "clear_hold": parse_span}
"""The keys of an override's numbers."""
_FIELDS: Final = {"raise": "raise_at", "clear": "clear_below", "hold": "hold", "clear_hold": "clear_hold"}
_TEXTS: Final = ("rule", *Scope, *WORDS, "author", "reason")
_OWN: Final = "say its numbers in the site's own rule file"
_INSTEAD: Final[Mapping[type[BaseRule], str]] = {
    FlagRule: f"a life flag has no level; {_OWN}, or mend, replace or retire the device",
    PlaceRule: f"it has no level of its own; {_OWN}, or override the rules that meet in it",
    SilenceRule: "say how long a device may be silent: gengfu device set UID --max-silence SECONDS",
    DarkRule: f"it is about whole buildings; {_OWN}",
    GateRule: "say how the circuit is earthed: gengfu device set UID --earthing tt",
    BoundRule: "it raises no alarm and keeps others from false ones; nothing can be changed",
}
"""What to do where a kind takes no override."""
KEYS: Final = ("rule", *Scope, *WORDS, "off", "from", "until", "author", "reason")
"""What a file may say of an override."""


class _At(Exception):
    """A fault with the key it is about, before file and line are known."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key


def numbers_of(words: Mapping[str, str]) -> dict[str, Any]:
    """The numbers of an override by the names of its fields; `words` by the keys of WORDS, empty for none.

    Raises OverrideError.
    """
    found: dict[str, Any] = {}
    for key, text in words.items():
        if text:
            try:
                found[_FIELDS[key]] = WORDS[key](text)
            except ValueError as error:
                raise OverrideError(f"key `{key}`: {error}") from None
    return found


def rule_to_override(catalogue: Catalogue, name: str) -> HeldRule:
    """The rule of that name. Raises OverrideError where there is none, or where it takes no other numbers."""
    rules = {rule.name: rule for rule in catalogue.of(HeldRule)}
    if name in rules:
        return rules[name]
    other = next((rule for rule in catalogue.rule if rule.name == name), None)
    problem = "is no rule" if other is None else f"takes no override: {_INSTEAD[type(other)]}"
    raise OverrideError(f"key `rule`: `{name}` {problem}; allowed: {', '.join(rules)}")


def parse_overrides(
    text: str,
    name: str,
    resolve: Resolve,
    catalogue: Catalogue | None = None,
    *,
    timezone: str = "Asia/Shanghai",
    bounded: bool = False,
) -> Overrides:
    """The overrides in `text`, numbered from 1 in their order; `name` is what errors call the file.

    With `catalogue` each is checked against its rule, with `bounded` also that what loosens a rule that
    guards lives, or those above it, ends in time; a trial needs no such bound. Author and reason may be left
    out. Times without an offset are in `timezone`.

    Raises OverrideError: `NAME, line N: key `K`: …`.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OverrideError(f"{name}: not TOML: {error}") from None
    entries = tree.pop("override", [])
    if tree:
        raise OverrideError(f"{name}: unknown key `{next(iter(tree))}`; allowed here: override")
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise OverrideError(f"{name}: key `override`: tables [[override]] are allowed")
    found: list[Override] = []
    for n, entry in enumerate(entries):
        try:
            one = _parse(n + 1, entry, resolve, timezone)
            if catalogue is not None:
                rule = rule_to_override(catalogue, one.rule)
                check_override(one, rule, catalogue.of(BoundRule))
                if bounded:
                    check_end(one, rule, found)
        except _At as fault:
            raise OverrideError(f"{_place(text, name, n, fault.key)}: {fault}") from None
        except OverrideError as error:
            key = re.match(r"key `(.+?)`", str(error))
            raise OverrideError(f"{_place(text, name, n, key[1] if key else '')}: {error}") from None
        found.append(one)
    return Overrides.of(found)


def _parse(number: int, entry: Mapping[str, Any], resolve: Resolve, timezone: str) -> Override:
    for key, value in entry.items():
        if key not in KEYS:
            raise _At(key, f"unknown key `{key}`; allowed here: {', '.join(KEYS)}")
        if key in _TEXTS and not isinstance(value, str):
            raise _At(key, f"key `{key}`: is not a text; a text in quotation marks is allowed")
    if "rule" not in entry:
        raise _At("rule", "key `rule`: is missing")
    scopes = [scope for scope in Scope if scope in entry]
    if len(scopes) != 1:
        said = "is missing" if not scopes else "is one too many"
        raise _At(scopes[1] if scopes else "", f"key `{scopes[1] if scopes else Scope.DEVICE}`: {said}; "
                  f"one of {', '.join(Scope)} is allowed")  # fmt: skip
    off = entry.get("off", False)
    if not isinstance(off, bool):
        raise _At("off", "key `off`: true or false is allowed")
    [scope] = scopes
    code = entry[scope]
    ids = resolve(scope, code)
    if not ids:
        raise _At(scope, f"key `{scope}`: `{code}` is not known; the code of a registered {scope} is allowed")
    return Override(
        id=number,
        rule=entry["rule"],
        scope=scope,
        ids=ids,
        from_us=_instant("from", entry["from"], timezone) if "from" in entry else EVER_US,
        until_us=_instant("until", entry["until"], timezone) if "until" in entry else None,
        author=entry.get("author", "unnamed"),
        reason=entry.get("reason", "trial"),
        off=off,
        **numbers_of({key: entry.get(key, "") for key in WORDS}),
    )


def _instant(key: str, value: object, timezone: str) -> int:
    """Microseconds UTC of a TOML date or time, or of a text in ISO form."""
    try:
        at = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
        if isinstance(at, date) and not isinstance(at, datetime):
            at = datetime.combine(at, time())
        if not isinstance(at, datetime):
            raise ValueError
        if at.tzinfo is None:
            at = at.replace(tzinfo=ZoneInfo(timezone))
        return round(at.timestamp() * 1_000_000)
    except (ValueError, OverflowError, OSError):
        raise _At(key, f"key `{key}`: `{value}` is no time; such as 2026-03-01T08:00 is allowed") from None


def _place(text: str, name: str, number: int, key: str) -> str:
    """`NAME, line N` of a key of that override, else of the override, else just the file."""
    lines = text.splitlines()
    heads = [n for n, line in enumerate(lines) if re.match(r"\s*\[\[\s*override\s*\]\]", line)]
    if number >= len(heads):
        return name
    end = (*heads, len(lines))[number + 1]
    written = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=") if key else None
    at = next((n for n in range(heads[number], end) if written and written.match(lines[n])), heads[number])
    return f"{name}, line {at + 1}"
