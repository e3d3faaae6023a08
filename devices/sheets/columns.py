"""One column of a form: a cell becomes a value or is refused, a value becomes a cell again. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum
from typing import Any, Final, NamedTuple

from devices.addresses import ALLOWED, can_carry
from devices.model import Carrier, Medium
from devices.quiet import Quiet
from devices.registry.contacts import ADDRESS_MAX
from devices.registry.device_checks import RATING_MAX_A, check_rating
from devices.registry.errors import NotAllowed, one_of
from devices.services import knows_service
from devices.sheets.cells import ADVICE, CellKind, Typed, guarded, unguarded
from devices.sheets.shown import Clear, hidden, never, shown


class Absent(Enum):
    """Stands in a row where a value would: the file has no such column, or a new thing needs one."""

    KEEP = "keep"
    REQUIRED = "required"


KEEP: Final = Absent.KEEP
REQUIRED: Final = Absent.REQUIRED


class WayText(NamedTuple):
    """One way to reach a contact as a cell says it."""

    medium: str
    carrier: str
    address: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a form.

    `take` makes a value of a cell that is not empty and raises NotAllowed with what is allowed; `show` makes
    the cell again: `take(show(value)) == value`. `default` is what an empty cell means. `many` columns
    `name_1` to `name_<many>` make one tuple. `personal` columns are sealed at rest. `clear` says which
    refused cells a fault may show as they are.
    """

    name: str
    take: Callable[[str], Any]
    show: Callable[[Any], str | int | float]
    default: Any = REQUIRED
    many: int = 0
    personal: bool = False
    clear: Clear = never

    def shown(self, cell: str, *, there: bool = False) -> str:
        """A refused cell as a fault shows it; `there`: the registry has this very code."""
        if self.many and type(cell) is not Typed:
            parts = cell.split(None, 2)
            known = len(parts) == 3 and parts[0] in tuple(Medium) and parts[1] in tuple(Carrier)
            return f"{parts[0]} {parts[1]} {hidden(parts[2])}" if known else "**"
        return shown(cell, self.clear, there=there and not self.personal)


def words(check: Callable[[str], str], allowed: str = "") -> Callable[[str], str]:
    """Text that `check` of the registry takes. The refusal says `allowed`, else what the registry says."""

    def take(cell: str) -> str:
        text = unguarded(cell)
        try:
            return str(check(text))
        except NotAllowed as error:
            _, found, reason = str(error).partition(f"{text!r}: ")
            raise NotAllowed(allowed or (reason if found else "something else")) from None

    return take


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    """A whole number between two bounds; full-width digits are digits."""
    allowed = f"a whole number from {lowest} to {highest}"

    def take(cell: str) -> int:
        text = _digits(cell, allowed)
        if not re.fullmatch(r"[+-]?\d{1,9}(?:\.0+)?", text) or not lowest <= float(text) <= highest:
            raise NotAllowed(allowed)
        return int(float(text))

    return take


def amperes(cell: str) -> float:
    """A rated current; a point before the decimals, no comma."""
    allowed = f"amperes above 0 up to {RATING_MAX_A:g}, with a point before decimals, without comma"
    text = _digits(cell, allowed)
    if not re.fullmatch(r"\d{1,30}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,3})?", text):
        raise NotAllowed(allowed)
    try:
        value = check_rating(float(text), "")
    except NotAllowed:
        raise NotAllowed(allowed) from None
    assert value is not None
    return value


def show_number(value: float | None) -> str | float:
    """A number as a cell; whole ones without decimals."""
    if value is None:
        return ""
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def _digits(cell: str, allowed: str) -> str:
    if type(cell) is Typed and cell.kind not in {CellKind.NUMBER, CellKind.ROUNDED}:
        raise NotAllowed(f"{allowed}; {ADVICE[cell.kind]}")
    return unicodedata.normalize("NFKC", cell).strip().removeprefix("'")


def day(cell: str) -> str:
    """An ISO date; also with / or . and without zeros in front, as spreadsheets write it: year first."""
    if type(cell) is Typed and cell.kind not in {CellKind.DATE}:
        raise NotAllowed(f"a date such as 2025-03-01; {ADVICE.get(cell.kind, 'this is a number')}")
    found = re.fullmatch(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})", unicodedata.normalize("NFKC", cell).strip())
    if found is None:
        raise NotAllowed("a date such as 2025-03-01")
    try:
        return date(int(found[1]), int(found[3]), int(found[4])).isoformat()
    except ValueError:
        raise NotAllowed("a date such as 2025-03-01") from None


_TRUTHS: Final = {"yes": True, "no": False, "true": True, "false": False, "是": True, "否": False}


def truth(cell: str) -> bool:
    """yes or no."""
    if type(cell) is Typed and cell.kind is not CellKind.TRUTH:
        raise NotAllowed("yes or no")
    found = _TRUTHS.get(cell.strip().lower())
    if found is None:
        raise NotAllowed("yes or no")
    return found


def show_truth(value: bool) -> str:
    """yes or no."""
    return "yes" if value else "no"


def quiet(cell: str) -> Quiet:
    """`22:00-07:00` as quiet hours."""
    try:
        if type(cell) is Typed:
            raise ValueError
        return Quiet.parse(unicodedata.normalize("NFKC", cell).strip().removeprefix("'"))
    except ValueError:
        raise NotAllowed("two different times of day such as 22:00-07:00, or nothing") from None


def show_quiet(value: Quiet | None) -> str:
    """`22:00-07:00`, or nothing."""
    return "" if value is None else value.text


def way(cell: str) -> WayText:
    """`<medium> <carrier> <address>`; what is refused is said without the address."""
    parts = unguarded(cell).split(None, 2)
    if len(parts) != 3:
        raise NotAllowed("<medium> <carrier> <address>, such as: push apprise ntfy://…")
    medium, carrier = one_of_words(Medium, parts[0]), one_of_words(Carrier, parts[1])
    address = parts[2].strip()
    if len(address) > ADDRESS_MAX or not address.isprintable():
        raise NotAllowed(f"an address of 1 to {ADDRESS_MAX} printable characters")
    if not can_carry(Carrier(carrier), address):
        raise NotAllowed(f"an address for {carrier}: {ALLOWED[Carrier(carrier)]}")
    if carrier == Carrier.APPRISE and not knows_service(address.split("://", 1)[0]):
        raise NotAllowed("an address of a service that Apprise knows, such as: mailto://… or ntfy://…")
    return WayText(medium, carrier, address)


def one_of_words(kind: type[StrEnum], text: str) -> str:
    """The word if `kind` has it; the refusal names all."""
    try:
        return str(one_of(kind, text, "").value)
    except NotAllowed:
        raise NotAllowed(f"one of {', '.join(kind)}") from None


def show_way(value: WayText) -> str:
    """The cell of one way."""
    return guarded(" ".join(value))
