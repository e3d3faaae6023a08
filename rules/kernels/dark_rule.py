"""The rule on dark buildings: its numbers, and which of them go together."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from rules.quantity import Level, Span
from rules.rule import KEYS, BaseRule


class DarkRule(BaseRule, frozen=True, kw_only=True, tag="dark"):
    """An alarm on a building with at least `least` devices that report often.

    Raised when at least `raise` of them, of at least so many `households`, fell silent `within` a time, and
    that has lasted for `hold`; cleared when fewer than `clear` are silent. A single device waits for it: for
    `settle`, and where `clear` are silent for `patience` at most; and while the alarm is active, but for
    `cover` at most with fewer than `raise` silent.
    """

    numbers: ClassVar[tuple[str, ...]] = (
        "raise", "within", "hold", "clear", "least", "households", "settle", "patience", "cover",
    )  # fmt: skip

    raise_at: Level
    within: Span
    hold: Span
    clear_below: Level
    least: Annotated[int, Meta(ge=1)]
    households: Annotated[int, Meta(ge=1)]
    settle: Span
    patience: Span
    cover: Span

    def __post_init__(self) -> None:
        super().__post_init__()
        for field, level in (("raise_at", self.raise_at), ("clear_below", self.clear_below)):
            if level.unit != "%" or not 0 < level.value <= 100:
                raise ValueError(f"key `{KEYS[field]}`: `{level}` is no share; more than 0 % up to 100 %")
        if self.raise_at.value < self.clear_below.value:
            raise ValueError("key `raise`: is below `clear`; a level at or above `clear` is allowed")
        if self.within <= self.hold:
            raise ValueError("key `within`: must be longer than `hold`, or nothing can last that long")
        if self.patience < self.settle:
            raise ValueError("key `patience`: must not be shorter than `settle`")
