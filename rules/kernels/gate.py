"""The gate: rules that hold only where a circuit has an earth conductor. It is no alarm and has no state."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from rules.rule import BaseRule, Name


class GateRule(BaseRule, frozen=True, kw_only=True, tag="gate"):
    """The rules in `gates` hold only where the earthing is TN-S or TT: elsewhere, and where nobody knows it,
    no leakage can be measured. `severity` and `title` are for people who ask what holds."""

    gates: Annotated[tuple[Name, ...], Meta(min_length=1)]
