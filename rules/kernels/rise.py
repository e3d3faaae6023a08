"""The rise kernel: how much warmer something is than the air around it.

State: as of judging, 18 bytes a pair; and 20 of facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from devices.model import Float64, Metric, UInt8
from rules import why
from rules.comparing import MomentKernel, ambient_of, check_metric, places
from rules.look import Look
from rules.pairs import Blank
from rules.quantity import Level
from rules.rounds import Rows
from rules.rule import JudgedRule
from rules.settings import Setting
from rules.transition import Why


class RiseRule(JudgedRule, frozen=True, kw_only=True, tag="rise"):
    """An alarm on a temperature above the ambient one of its device, in K."""

    def __post_init__(self) -> None:
        check_metric(self, Metric.TEMPERATURE)
        super().__post_init__()

    def units(self, metric: Metric) -> dict[str, float]:
        """A difference of temperatures."""
        return {"K": 1.0}


class RiseKernel(MomentKernel[RiseRule]):
    """All rise rules of a catalogue. Not known where no ambient temperature is."""

    facts: ClassVar[Mapping[str, Blank]] = places(2)
    compares: ClassVar[frozenset[Metric]] = frozenset({Metric.TEMPERATURE_AMBIENT})

    def kin_of(self, phase: UInt8) -> Sequence[tuple[Metric, UInt8 | int]]:
        """The ambient temperatures."""
        return ambient_of(phase)

    def compare(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The temperature minus the ambient one, in K."""
        rise: Float64 = look.batch.value.take(rows) - self.ambient(look, rows, pair)
        return rise

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`temperature 52.0 °C, ambient 28.0 °C: 24.0 K above (≥ 21.0 K) for 10 min`."""
        return _told(float(look.batch.value[row]), value, "≥", setting.raise_at, held_us)

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """The same of a clear."""
        level = setting.clear_below or setting.raise_at
        return _told(float(look.batch.value[row]), value, "<", level, held_us)


def _told(warmth: float, rise: float, sign: str, level: Level, held_us: int) -> Why:
    here, around = why.quantity(warmth, "degC"), why.quantity(warmth - rise, "degC")
    above = f"{why.quantity(rise, 'K')}"
    compared = f"{sign} {why.quantity(level.value, 'K')}"
    return Why(
        en=f"temperature {here}, ambient {around}: {above} above ({compared}) for {why.duration(held_us)}",
        zh_cn=f"温度 {here}，环境温度 {around}：高出 {above}（{compared}），持续 {why.duration_zh(held_us)}",
    )
