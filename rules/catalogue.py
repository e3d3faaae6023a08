"""The catalogue: the text of a rule file to checked rules. Reading the file is the caller's.

Errors:
* CatalogueError: the text is not TOML or a rule is wrong; it names the file, the line where it can be found,
  the key and what is allowed. Nothing is taken from a file that has one error.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Literal, NamedTuple, TypeVar, get_args

import msgspec
from msgspec import Struct

from devices.model import Metric
from rules.kernels.gate import GateRule
from rules.kinds import KINDS, Rule, conflicts, references
from rules.plain_words import plain
from rules.quantity import Level, Samples, Span, parse_level, parse_samples, parse_span
from rules.rule import BaseRule, Limits, Title

R = TypeVar("R", bound=BaseRule)


class CatalogueError(Exception):
    """The rule file cannot be used; the text says where and what is allowed."""


class Catalogue(Struct, frozen=True, forbid_unknown_fields=True):
    """All rules, in the order of their files."""

    version: Literal[1]
    rule: tuple[Rule, ...]

    def of(self, kind: type[R]) -> list[R]:
        """The rules of one kernel, in the order of the file."""
        return [rule for rule in self.rule if isinstance(rule, kind)]

    def gated(self) -> frozenset[str]:
        """The rules that hold only where the circuit has an earth conductor."""
        return frozenset(name for rule in self.of(GateRule) for name in rule.gates)

    def order(self) -> dict[str, int]:
        """Each rule's place in the file: the order of transitions of one reading."""
        return {rule.name: n for n, rule in enumerate(self.rule)}


MOST_A_METRIC: Final = 200
"""Rules that may watch one metric (chosen; a series' pairs are counted in a byte)."""
_AT: Final = re.compile(r" - at `\$(?P<path>.*)`$")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.+?)`")
_MISSING: Final = re.compile(r"Object missing required field `(.+?)`")
_TAG: Final = re.compile(r"Invalid value '(.*)'$")

_CHOICE: Final = re.compile(r"Invalid enum value '?(.*?)'?$")
_CHOICES: Final[dict[str, type[StrEnum]]] = {
    field.encode_name: kind
    for rule in KINDS.values()
    for field in msgspec.structs.fields(rule)
    for kind in (field.type, *get_args(field.type))
    if isinstance(kind, type) and issubclass(kind, StrEnum)
}
"""The words that may stand under a key, where these are few."""
_VERSIONS: Final = ("1",)


class RuleFile(NamedTuple):
    """The text of a rule file, and what errors call it."""

    name: str
    text: str


def parse_catalogue(text: str, name: str) -> Catalogue:
    """The rules in `text`; `name` is what errors call the file. Raises CatalogueError."""
    return parse_files([RuleFile(name, text)])


def parse_files(files: Sequence[RuleFile], own: RuleFile | None = None) -> Catalogue:
    """The rules of several files, in their order, as one catalogue.

    `own` is a site's file: a rule there takes the place of the one with its name, and others come last.
    Raises CatalogueError for the first thing that is wrong.
    """
    found: dict[str, _Stated] = {}
    for file in files:
        for name, stated in _parse(file).items():
            if name in found:
                raise _twice(stated)
            found[name] = stated
    if own:
        found |= _parse(own)
    for stated in found.values():
        _check_references(stated, found)
    _check_number(found.values())
    for name, key, problem in conflicts([stated.rule for stated in found.values()]):
        raise _wrong(found[name], key, problem)
    return Catalogue(version=1, rule=tuple(stated.rule for stated in found.values()))


class _Stated(NamedTuple):
    """A rule and where it stands: the file, and the number among its rules."""

    rule: Rule
    file: RuleFile
    n: int


def _parse(file: RuleFile) -> dict[str, _Stated]:
    try:
        tree = tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{file.name}: not TOML: {error}") from None
    try:
        catalogue = msgspec.convert(tree, Catalogue, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise CatalogueError(_explain(str(error), tree, file.text, file.name)) from None
    found: dict[str, _Stated] = {}
    for n, rule in enumerate(catalogue.rule):
        stated = _Stated(rule, file, n)
        if rule.name in found:
            raise _twice(stated)
        found[rule.name] = stated
    return found


def _twice(stated: _Stated) -> CatalogueError:
    return _wrong(
        stated, "name", f"two rules are called {stated.rule.name}; every rule needs a name of its own"
    )


def _wrong(stated: _Stated, key: str, problem: str) -> CatalogueError:
    place = _place(stated.file.text, stated.file.name, stated.n, key)
    return CatalogueError(f"{place}: key `{key}`: {problem}")


def wrong_rule(file: RuleFile, name: str, said: str) -> CatalogueError:
    """An error of the rule of that name in `file`; `said` begins with its key: "key `within`: …"."""
    key = re.match(r"key `(.+?)`: ", said)
    names = [str(one.get("name")) for one in tomllib.loads(file.text)["rule"]]
    place = _place(file.text, file.name, names.index(name), key[1] if key else "")
    return CatalogueError(f"{place}: rule {name}: {said}")


def _check_number(stated: Iterable[_Stated]) -> None:
    """That no metric is watched by more rules than are counted in a byte."""
    watched: Counter[Metric] = Counter()
    for one in stated:
        watched.update(one.rule.metrics)
        if watched and max(watched.values()) > MOST_A_METRIC:
            raise _wrong(
                one, "metric", f"more than {MOST_A_METRIC} rules watch one metric; fewer are allowed"
            )


def _check_references(stated: _Stated, all_rules: Mapping[str, _Stated]) -> None:
    """That the rules it names are there, and can be named."""
    for key, names, kinds in references(stated.rule):
        allowed = [name for name, other in all_rules.items() if isinstance(other.rule, kinds)]
        for name in names:
            there = all_rules.get(name)
            if name not in allowed and there and there.file != stated.file:  # a site's own took its place
                said = f"{stated.rule.name} of {stated.file.name} names {name} under `{key}`"
                fitting = ", ".join(kind for kind, struct in KINDS.items() if issubclass(struct, kinds))
                raise _wrong(there, "kernel", f"{said}; allowed: {fitting}")
            if name not in allowed:
                raise _wrong(stated, key, f"no rule {name}; allowed: {', '.join(allowed)}")


def _decode(kind: type, value: object) -> object:
    if kind is Span:
        return parse_span(value)
    if kind is Level:
        return parse_level(value)
    if kind is Samples:
        return parse_samples(value)
    raise TypeError(f"a rule has a field of type {kind}, which no file can hold")


def _explain(message: str, tree: dict[str, Any], text: str, name: str) -> str:
    """msgspec's sentence with file, line, key and what is allowed."""
    at = _AT.search(message)
    path = at["path"] if at else ""
    said = message[: at.start()] if at else message
    found = re.match(r"\.rule\[(\d+)\](?:\.(.+))?", path)
    n = int(found[1]) if found else None
    key = (found[2] if found else path.lstrip(".")) or ""
    if own := re.match(r"key `(.+?)`: ", said):  # the rule's own check names its key
        return f"{_place(text, name, n, own[1])}: {said}"
    if unknown := _UNKNOWN.match(said):
        allowed = ", ".join(_allowed(tree, n, key))
        full = f"{key}.{unknown[1]}" if key else unknown[1]
        return f"{_place(text, name, n, unknown[1])}: unknown key `{full}`; allowed here: {allowed}"
    if missing := _MISSING.match(said):
        return f"{_place(text, name, n, key)}: key `{missing[1]}` is missing{_instead(missing[1])}"
    if key == "kernel" and (tag := _TAG.match(said)):
        said = f"`{tag[1]}` is unknown; allowed: {', '.join(KINDS)}"
    elif value := _CHOICE.match(said):
        said = f"`{value[1]}` is unknown; allowed: {', '.join(_choices(key))}"
    key = _whole(tree, n, key)
    return f"{_place(text, name, n, key)}: key `{key}`: {plain(said, _choices(key))}"


def _choices(key: str) -> tuple[str, ...]:
    """The words that may stand under a key, where these are few."""
    if key == "kernel":
        return tuple(KINDS)
    return _VERSIONS if key == "version" else tuple(_CHOICES.get(key, ()))


def _instead(key: str) -> str:
    """What to write where a key is missing."""
    if key == "version":
        return "; write version = 1"
    return f"; allowed: {', '.join(_choices(key))}" if _choices(key) else ""


def _whole(tree: dict[str, Any], n: int | None, key: str) -> str:
    """The key as the file has it: msgspec does not say which source it is, and nothing of a list of rules."""
    if key.startswith("source[") and n is not None:
        said = tree["rule"][n]["source"]
        return "source." + next(
            (one for one, text in said.items() if not text or not isinstance(text, str)), ""
        )
    return key.replace("[...]", "") or "rule"


def _allowed(tree: dict[str, Any], n: int | None, key: str) -> list[str]:
    if n is None:
        return list(Catalogue.__struct_encode_fields__)
    parts: dict[str, type[Struct]] = {"title": Title, "insulation": Limits}
    kind = parts.get(re.split(r"[.\[]", key)[0], KINDS[tree["rule"][n]["kernel"]])
    tag = ["kernel"] if issubclass(kind, BaseRule) else []
    return tag + list(kind.__struct_encode_fields__)


def _place(text: str, name: str, rule: int | None, key: str) -> str:
    """`name, line N` of the key, else of its rule, else just the file."""
    lines = text.splitlines()
    heads = [n for n, line in enumerate(lines) if re.match(r"\s*\[\[\s*rule\s*\]\]", line)]
    if rule is None or rule >= len(heads):
        start, end = 0, heads[0] if heads else len(lines)
    else:
        start, end = heads[rule], (*heads, len(lines))[rule + 1]
    if key.startswith("source."):
        start = next((n for n in range(start, end) if re.match(r"\s*\[.*\bsource\s*\]", lines[n])), start)
    last = re.escape(key.rsplit(".", 1)[-1].split("[", 1)[0])
    for n in range(start, end):
        if last and re.match(rf"\s*(\[.*\b)?{last}\s*[\]=]|.*[{{,]\s*{last}\s*=", lines[n]):
            return f"{name}, line {n + 1}"
    return f"{name}, line {start + 1}" if rule is not None else name
