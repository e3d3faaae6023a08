"""The tables of docs/rules.md, made from the shipped rules and the kinds: `python -m tests.docs.rules_page`
writes them into the page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import FieldInfo

from gengfu.shipped import as_written, shipped_catalogue
from gengfu.written import toml_text
from rules.kernels.flag import FlagRule
from rules.kernels.place_rule import PlaceRule
from rules.kernels.silence import SilenceRule
from rules.kinds import KINDS, Rule
from rules.quantity import Level, Samples, Span
from rules.rule import BaseRule, HeldRule, JudgedRule

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
RULES_HEAD = ("rule", "what", "severity", "watches", "kind", "raised", "hold", "ends")
KEYS_HEAD = ("of", "key", "allowed", "left out", "such as")


def rules_table() -> list[str]:
    """A line for each shipped rule, in the order of the catalogue."""
    return _table(RULES_HEAD, [_of_rule(rule) for rule in shipped_catalogue().rule])


def keys_table() -> list[str]:
    """A line for each key: those of all kinds, those of kinds that hold or have a level, and each kind's."""
    groups: list[tuple[str, type[BaseRule], type[BaseRule] | None]] = [
        ("all kinds", BaseRule, None),
        ("a hold", HeldRule, BaseRule),
        ("a level", JudgedRule, HeldRule),
    ]
    for name, kind in KINDS.items():
        base = next(one for one in (JudgedRule, HeldRule, BaseRule) if issubclass(kind, one))
        groups.append((f"`{name}`", kind, base))
    rows = [_of_key(name, kind, field) for name, kind, base in groups for field in _own(kind, base)]
    return _table(KEYS_HEAD, rows)


def kinds_line() -> str:
    """Which kinds have the keys of a hold and of a level."""
    level = [f"`{name}`" for name, kind in KINDS.items() if issubclass(kind, JudgedRule)]
    hold = [
        f"`{name}`"
        for name, kind in KINDS.items()
        if issubclass(kind, HeldRule) and not issubclass(kind, JudgedRule)
    ]
    return f"A hold and a level: {', '.join(level)}. A hold: {', '.join(hold)}."


def _of_rule(rule: Rule) -> tuple[str, ...]:
    facts = as_written(rule)
    name = f"`{facts['kernel']}`"
    raised, hold, ends = _told(rule, facts)
    metrics = ", ".join(f"`{one.name_on_wire}`" for one in rule.metrics)
    if facts["kernel"] == "bound":
        metrics = f"`{facts['metric']}`"
    if facts.get("where", "any") != "any":
        metrics += {
            "dwelling": " in a dwelling",
            "building": " outside dwellings",
            "circuit": " of a circuit",
        }[str(facts["where"])]
    return f"`{rule.name}`", rule.title.en, str(rule.severity), metrics, name, raised, hold, ends


def _told(rule: Rule, facts: Mapping[str, Any]) -> tuple[str, str, str]:
    """When it is raised, after how long, and what ends it."""
    if isinstance(rule, JudgedRule):
        over, under = ("≤", ">") if rule.below else ("≥", "<")
        others = "".join(f", {name} {limits['raise']}" for name, limits in facts["insulation"].items())
        clear = f"{under} {facts.get('clear')} for {facts.get('clear_hold')}"
        return f"{over} {facts['raise']}{others}", _hold(facts), "a person" if rule.latched else clear
    if isinstance(rule, HeldRule):
        return "1", _hold(facts), "a person" if rule.latched else f"0 for {facts['clear_hold']}"
    if isinstance(rule, FlagRule):
        return "1", "", f"a person, then 0 for {facts['clear_hold']}"
    if isinstance(rule, PlaceRule):
        sides = f"{', '.join(rule.anchor)} with {', '.join(rule.partner)}"
        return sides, f"within {facts['within']}", "a person"
    if isinstance(rule, SilenceRule):
        return *_silent(facts), "heard again"
    if facts["kernel"] == "dark":
        return f"≥ {facts['raise']} silent", facts["hold"], f"< {facts['clear']}"
    if facts["kernel"] == "gate":
        return f"no alarm: {', '.join(facts['gates'])} are off without TN-S or TT", "", ""
    return f"no alarm: up to {facts['quiet']} is quiet", "", ""


def _hold(facts: Mapping[str, Any]) -> str:
    return facts["hold"] if facts["samples"] == "1 of 1" else f"{facts['hold']}, {facts['samples']}"


def _silent(facts: Mapping[str, Any]) -> tuple[str, str]:
    times = f"its limit × {facts['times']}" if "times" in facts else "its limit"
    more = f", and {facts['more']}" if "more" in facts else ""
    return "silent", f"{times}, at least {facts['after']}{more}"


def _own(kind: type[BaseRule], base: type[BaseRule] | None) -> list[FieldInfo]:
    known = {field.name for field in msgspec.structs.fields(base)} if base else set()
    kernel = [] if base else [KERNEL]
    return kernel + [field for field in msgspec.structs.fields(kind) if field.name not in known]


KERNEL = FieldInfo("kernel", "kernel", Enum("Kernel", {name: name for name in KINDS}))


def _of_key(name: str, kind: type[BaseRule], field: FieldInfo) -> tuple[str, ...]:
    usual = (
        "" if field.required else "may be" if _default(field) in (UNSET, (), {}) else _code(_default(field))
    )
    return name, f"`{field.encode_name}`", _allowed(field), usual, _example(kind, field)


def _default(field: FieldInfo) -> Any:
    factory: Any = field.default_factory
    return field.default if factory is msgspec.NODEFAULT else factory()


def _allowed(field: FieldInfo) -> str:
    """In words, by the type."""
    kinds, metas = _parts(field.type)
    found = [_ALLOWED[kind] for kind in kinds if kind in _ALLOWED]
    words = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Enum)]
    found += [", ".join(f"`{one.value}`" for one in kind) for kind in words]
    if field.encode_name == "metric":
        return "a metric, or a list of them" if tuple in kinds else "a metric"
    if field.encode_name in _TEXTS:
        return _TEXTS[field.encode_name]
    limits = [f"from {one.ge}" for one in metas if one.ge is not None]
    limits += [f"to {one.le}" for one in metas if one.le is not None]
    return " ".join([", or ".join(found), *limits])


def _parts(kind: Any) -> tuple[list[Any], list[Meta]]:
    """The types that may stand there, and what is asked of them."""
    if get_origin(kind) is Annotated:
        inner, *metas = get_args(kind)
        kinds, more = _parts(inner)
        return kinds, [*more, *metas]
    if get_origin(kind) in (Union, UnionType):
        parts = [_parts(one) for one in get_args(kind) if one not in (UnsetType, NoneType)]
        return [one for kinds, _ in parts for one in kinds], [one for _, metas in parts for one in metas]
    return [get_origin(kind) or kind], []


_ALLOWED: dict[Any, str] = {
    Span: "a time of 0 s or more",
    Level: "a level with its unit",
    Samples: "`N of M`, M up to 8",
    bool: "`true`, `false`",
    int: "a whole number",
    tuple: "names of rules",
    str: "a text",
}
_TEXTS: dict[str, str] = {
    "name": "a capital letter, and up to 7 more or digits",
    "title": "texts `en` and `zh-CN`",
    "source": "a text for each number",
    "from_hour": "an hour, 0 to 23",
    "until_hour": "an hour, 0 to 23",
    "insulation": "`raise` and `clear` for `pvc`, `rubber`, `xlpe`",
    "counts": "`rises`, `band`, `unfounded`",
    "stuck": "metrics",
    "noise": "a level for each metric",
}


def _example(kind: type[BaseRule], field: FieldInfo) -> str:
    """As the first shipped rule has it that says it."""
    if field.encode_name in ("title", "source"):
        return ""
    for rule in shipped_catalogue().rule:
        value = as_written(rule).get(field.encode_name) if isinstance(rule, kind) else None
        if value is not None and (field.required or getattr(rule, field.name, None) != _default(field)):
            return _code(value)
    return ""


def _code(value: Any) -> str:
    return f"`{toml_text(str(value) if isinstance(value, Samples | Enum) else value)}`"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return [_line(head), _line(("---",) * len(head)), *map(_line, rows)]


def _line(cells: tuple[str, ...]) -> str:
    return re.sub(r" +", " ", f"| {' | '.join(cells)} |")


def section(heading: str) -> str:
    """The text below a heading of the page, up to the next of its rank or above."""
    rank = heading.split(" ", 1)[0]
    text = PAGE.read_text(encoding="utf-8")
    return re.split(
        rf"^#{{1,{len(rank)}}} ", text.partition(f"\n{heading}\n")[2], maxsplit=1, flags=re.MULTILINE
    )[0]


def tables(text: str) -> list[str]:
    """The lines of tables in a text."""
    return [line for line in text.splitlines() if line.startswith("|")]


def write() -> None:
    """Puts the tables into the page, in place of those that are there."""
    text = PAGE.read_text(encoding="utf-8")
    for heading, lines in (("## The rules", rules_table()), ("### Keys", keys_table())):
        old = section(heading)
        body = [line for line in old.splitlines() if not line.startswith("|")]
        at = next((n for n, line in enumerate(body) if line == "<!-- table -->"), len(body))
        text = text.replace(old, "\n".join([*body[: at + 1], *lines, *body[at + 1 :]]) + "\n")
    PAGE.write_text(text, encoding="utf-8")


def _all_numbers(kind: type[BaseRule]) -> Iterator[str]:
    """The keys that are times, levels or numbers: those that need a source."""
    for field in msgspec.structs.fields(kind):
        kinds, _ = _parts(field.type)
        if field.encode_name not in ("title", "source") and {Span, Level, Samples, int, Mapping} & set(kinds):
            yield field.encode_name


def numbers(kind: type[BaseRule]) -> set[str]:
    """The same as a set."""
    return set(_all_numbers(kind))


if __name__ == "__main__":
    write()
