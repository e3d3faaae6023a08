"""The forms: which columns the sheet of each part of the registry has. Key columns come first.

Column names are those of the commands' options. A form's values are tuples in the order of its columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

from devices.model import AreaLevel, PlaceKind, Role
from devices.profiles.shipped import PROFILE_NAMES
from devices.registry import contacts, tree
from devices.registry.attention import ATTENTION_MAX, check_attention
from devices.registry.bindings import DELAY_MAX_S
from devices.registry.device_checks import (
    EARTHINGS,
    INSULATIONS,
    KINDS,
    LABEL_MAX,
    NAMEPLATE_MAX,
    SILENCE_MAX_S,
    SILENCE_MIN_S,
    check_channel,
    check_uid,
)
from devices.registry.errors import among, check_code, check_handle, check_note, check_words
from devices.sheets.cells import guarded
from devices.sheets.columns import (
    REQUIRED,
    Column,
    amperes,
    day,
    one_of_words,
    quiet,
    show_number,
    show_quiet,
    show_truth,
    show_way,
    truth,
    way,
    whole,
    words,
)
from devices.sheets.shown import (
    is_hours,
    is_plain_code,
    is_recent_day,
    is_short_number,
    is_word_of,
)

Key = str | tuple[str, ...]
"""What names a row: its one key value, or a tuple of them."""
WAYS_MAX: Final = 20
"""Ways to reach one contact that a sheet has columns for (chosen)."""


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of sheet. The first `keys` columns name the row: no two rows have the same. `fixed` columns say
    for good where or what something is: no command changes them, so no sheet does."""

    name: str
    keys: int
    columns: tuple[Column, ...]
    fixed: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of its columns as a header writes them."""
        return [f"{one.name}_1 … {one.name}_{one.many}" if one.many else one.name for one in self.columns]

    def key(self, values: tuple[Any, ...]) -> Key:
        """What names the row: the one key value, or a tuple of them."""
        return cast("str", values[0]) if self.keys == 1 else values[: self.keys]

    def place(self, column: str) -> int:
        """The index of a column in the form's values."""
        return next(n for n, one in enumerate(self.columns) if one.name == column)


def _code(name: str, what: str, default: object = REQUIRED) -> Column:
    return Column(name, words(lambda text: check_code(text, what)), guarded, default, clear=is_plain_code)


def _handle(name: str, what: str, default: object = REQUIRED) -> Column:
    return Column(name, words(lambda text: check_handle(text, what)), guarded, default, clear=is_plain_code)


def _words(name: str, longest: int, *, personal: bool = False) -> Column:
    allowed = f"1 to {longest} printable characters"
    return Column(
        name, words(lambda text: check_words(text, longest, name), allowed), guarded, personal=personal
    )


def _note(name: str, longest: int) -> Column:
    return Column(name, words(lambda text: check_note(text, longest, name)), guarded, default="")


def _choice(name: str, allowed: tuple[str, ...], default: object = REQUIRED) -> Column:
    check = words(lambda text: among(text, allowed, name), f"one of {', '.join(allowed)}")
    return Column(name, check, guarded, default, clear=is_word_of(allowed))


def _member(name: str, kind: type[StrEnum]) -> Column:
    check = words(lambda text: one_of_words(kind, text), f"one of {', '.join(kind)}")
    return Column(name, check, guarded, clear=is_word_of(kind))


def _number(name: str, take: Callable[[str], Any], default: object = REQUIRED) -> Column:
    return Column(name, take, show_number, default, clear=is_short_number)


def _circuit() -> tuple[Column, ...]:
    return (
        _number("breaker_a", amperes, default=None),
        _number("cable_a", amperes, default=None),
        _choice("insulation", INSULATIONS, default="unknown"),
    )


FORMS: Final[dict[str, Form]] = {
    form.name: form
    for form in (
        Form(
            "area",
            1,
            (
                _code("code", "area"),
                _choice("level", tuple(AreaLevel)),
                _words("name", tree.NAME_MAX),
                _code("parent", "area", default=""),
            ),
            fixed=("level",),
        ),
        Form(
            "building",
            1,
            (
                _code("code", "building"),
                _words("name", tree.NAME_MAX),
                _code("area", "area"),
                _number("floors", whole(1, tree.FLOORS_MAX)),
            ),
        ),
        Form(
            "stair",
            1,
            (_code("code", "stair"), _words("name", tree.NAME_MAX), _code("building", "building")),
            fixed=("building",),
        ),
        Form(
            "dwelling",
            1,
            (
                _code("code", "dwelling"),
                _code("stair", "stair"),
                _number("floor", whole(tree.LOWEST_FLOOR, tree.FLOORS_MAX)),
                _words("flat", tree.FLAT_MAX),
                Column(
                    "attention",
                    words(
                        check_attention, f"flags and words of at most {ATTENTION_MAX} printable characters"
                    ),
                    guarded,
                    default="",
                    personal=True,
                ),
            ),
            fixed=("stair",),
        ),
        Form(
            "contact",
            1,
            (
                _handle("code", "contact"),
                _words("name", contacts.NAME_MAX, personal=True),
                _choice("language", contacts.LANGUAGES, default="zh-CN"),
                Column("way", way, show_way, default=(), many=WAYS_MAX, personal=True),
            ),
        ),
        Form(
            "binding",
            4,
            (
                _code("contact", "contact"),
                _member("role", Role),
                _member("place_kind", PlaceKind),
                _code("place", "place"),
                _number("rank", whole(1, 1000), default=1),
                _number("delay_s", whole(0, DELAY_MAX_S), default=0),
                Column("quiet", quiet, show_quiet, default=None, clear=is_hours),
                Column(
                    "takes_unconfirmed", truth, show_truth, default=False, clear=is_word_of(("yes", "no"))
                ),
            ),
        ),
        Form(
            "device",
            1,
            (
                Column("uid", words(check_uid), guarded, clear=is_plain_code),
                _choice("kind", KINDS),
                _choice("profile", tuple(PROFILE_NAMES)),
                _code("dwelling", "dwelling", default=""),
                _code("stair", "stair", default=""),
                _code("building", "building", default=""),
                _note("label", LABEL_MAX),
                *_circuit(),
                _choice("earthing", EARTHINGS, default="unknown"),
                _number("max_silence_s", whole(SILENCE_MIN_S, SILENCE_MAX_S), default=None),
                _note("vendor", NAMEPLATE_MAX),
                _note("model", NAMEPLATE_MAX),
                _note("serial", NAMEPLATE_MAX),
                Column("installed_on", day, lambda value: value or "", default=None, clear=is_recent_day),
                _handle("installed_by", "installed_by", default=""),
            ),
        ),
        Form(
            "channel",
            2,
            (
                Column("device", words(check_uid), guarded, clear=is_plain_code),
                Column("channel", words(check_channel), guarded, clear=is_plain_code),
                _note("label", LABEL_MAX),
                *_circuit(),
            ),
        ),
    )
}
"""In the order in which a book is read: what is referred to comes first."""
HANGS: Final = ("dwelling", "stair", "building")
"""Where a device may hang, in the order of its columns: in exactly one of them."""
HANGING: Final = slice(FORMS["device"].place(HANGS[0]), FORMS["device"].place(HANGS[-1]) + 1)
"""Those columns among the values of a device."""
