"""Why an alarm was raised or cleared: the numbers a person checks, in both languages at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from devices.model import InputKind, Metric
from rules.nouns import noun, noun_zh
from rules.quantity import Level, Relative, units_of
from rules.rule import HeldRule, JudgedRule, Title
from rules.transition import Subject, Why

_SIGNS: Final = {"degC": "°C"}
_WHERE: Final[Mapping[Subject, tuple[str, str]]] = {
    Subject.STAIR: ("one stair", "同一单元"),
    Subject.BUILDING: ("the common parts of one building", "同一楼栋公共部位"),
}
_UNITS_ZH: Final[Mapping[str, str]] = {"s": "秒", "min": "分钟", "h": "小时", "d": "天"}


def duration(us: int) -> str:
    """`64 s`, `4 min 10 s`, `2 h 5 min`: the largest two units, cut down, never rounded up."""
    return " ".join(f"{number} {unit}" for number, unit in _parts(us))


def duration_zh(us: int) -> str:
    """`64 秒`, `4 分钟 10 秒`: as `duration`."""
    return " ".join(f"{number} {_UNITS_ZH[unit]}" for number, unit in _parts(us))


def quantity(value: float, unit: str) -> str:
    """`38.4 A`: three digits or so."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f} {_SIGNS.get(unit, unit)}".rstrip()


def in_unit_of(level: Level, value: float, units: Mapping[str, float]) -> str:
    """`value` (unit: the one of factor 1 in `units`) in the unit in which `level` is written."""
    return quantity(value / units[level.unit], level.unit)


def flag_set(metric: Metric, late_us: int | None, quiet_us: int | None) -> Why:
    """A true flag; `late_us` where it came late, `quiet_us` where it is a second fire after that much 0."""
    again = again_zh = late = late_zh = ""
    if quiet_us is not None:
        again, again_zh = f" again after {duration(quiet_us)} of 0", f"解除 {duration_zh(quiet_us)}后再次"
    if late_us is not None:
        late, late_zh = f", reported {duration(late_us)} late", f"，迟报 {duration_zh(late_us)}"
    return Why(
        en=f"{noun(metric)} flag set{again}{late}",
        zh_cn=f"{noun_zh(metric)}信号{again_zh}触发{late_zh}",
    )


def flag_of_unknown_age(metric: Metric) -> Why:
    """A true flag that was retained or replayed."""
    return Why(
        en=f"{noun(metric)} flag set, retained or replayed, of unknown age",
        zh_cn=f"{noun_zh(metric)}信号触发，为留存或重放的消息，时间不明",
    )


def flag_elsewhere(metric: Metric, age_us: int | None, quiet_us: int) -> Why:
    """A true flag of a device that was registered at this place since; `age_us` is None where it is not
    known, `quiet_us` 0 where it still is 1."""
    age, age_zh = ", of unknown age", "（时间不明）"
    if age_us is not None:
        age, age_zh = f" {duration(age_us)} ago", f"（{duration_zh(age_us)}前）"
    over = over_zh = ""
    if quiet_us:
        over, over_zh = f", 0 for {duration(quiet_us)}", f"，已解除 {duration_zh(quiet_us)}"
    return Why(
        en=f"{noun(metric)} flag set{age}{over}; its device is registered here now",
        zh_cn=f"{noun_zh(metric)}信号触发{age_zh}{over_zh}；设备现登记在此处",
    )


def goes_on_elsewhere() -> Why:
    """The device of an active alarm is registered at another place: it is told there."""
    return Why(
        en="its device is registered elsewhere now: the alarm goes on there",
        zh_cn="设备现登记在别处，报警在该处继续",
    )


def registered_here_now(evidence: Why) -> Why:
    """The evidence of an alarm whose device was registered at this place since."""
    return Why(
        en=f"{evidence.en}; its device is registered here now",
        zh_cn=f"{evidence.zh_cn}；设备现登记在此处",
    )


def judged_anew_elsewhere() -> Why:
    """The device of an active alarm is registered where its rule has another level, or none."""
    return Why(
        en="its device is registered elsewhere now, where other levels hold: it is judged anew there",
        zh_cn="设备现登记在别处，该处限值不同，将重新判定",
    )


def by_person(kind: InputKind) -> Why:
    """An act that cleared an alarm by itself."""
    if kind is InputKind.RESET:
        return Why(en="reset by a person", zh_cn="由人员复位")
    return Why(en="closed by a person", zh_cn="由人员结束")


def rule_gone(name: str, *, changed: bool) -> Why:
    """The rule of an active alarm does not watch its series any more."""
    if changed:
        return Why(
            en=f"rule {name} was changed and does not watch this any more",
            zh_cn=f"规则 {name} 已修改，不再监测此处",
        )
    return Why(en=f"rule {name} was removed", zh_cn=f"规则 {name} 已删除")


def device_gone() -> Why:
    """The device of an active alarm is registered as another, or not any more."""
    return Why(
        en="its device is registered otherwise now: nothing watches this any more",
        zh_cn="设备登记已变更，此处不再监测",
    )


def flag_cleared(metric: Metric, quiet_us: int) -> Why:
    """A closed alarm whose flag stayed 0."""
    return Why(
        en=f"closed by a person and {noun(metric)} flag 0 for {duration(quiet_us)}",
        zh_cn=f"由人员结束，且{noun_zh(metric)}信号已解除 {duration_zh(quiet_us)}",
    )


def held_above(rule: HeldRule, value: float, level: Level, reference: float, held_us: int) -> Why:
    """`current 38.4 A ≥ 36.2 A (1.45 × 25 A) for 64 s`."""
    return _held(rule.metric, value, "≤" if _is_below(rule) else "≥", level, reference, held_us)


def held_below(rule: HeldRule, value: float, level: Level, reference: float, held_us: int) -> Why:
    """`current 20.0 A < 28.2 A (1.13 × 25 A) for 5 min`."""
    return _held(rule.metric, value, ">" if _is_below(rule) else "<", level, reference, held_us)


def sign(rule: HeldRule, *, cleared: bool) -> str:
    """How a value stands to the level that it raised or cleared at: `≥` and `<`, or `≤` and `>`."""
    if _is_below(rule):
        return ">" if cleared else "≤"
    return "<" if cleared else "≥"


def lasting(held_us: int) -> tuple[str, str]:
    """` for 64 s` in both languages; nothing for no time."""
    return (f" for {duration(held_us)}", f"，持续 {duration_zh(held_us)}") if held_us else ("", "")


def by_reports(evidence: Why, apart_us: int) -> Why:
    """The evidence of a hold, of which nobody saw what was between its last two readings."""
    return Why(
        en=f"{evidence.en}, by reports {duration(apart_us)} apart",
        zh_cn=f"{evidence.zh_cn}，依据相隔 {duration_zh(apart_us)}的上报",
    )


def _is_below(rule: HeldRule) -> bool:
    return isinstance(rule, JudgedRule) and rule.below


def met_in_place(
    anchor: Title,
    partner: Title,
    within_us: int,
    evidence: Why,
    place: Subject = Subject.DWELLING,
    apart: bool = False,
) -> Why:
    """Two alarms of one place, `apart` of two devices there; `evidence` is the partner's own why."""
    of_two, of_two_zh = (" of two devices", "两个设备") if apart else ("", "")
    one, other = _named(anchor), _named(partner)
    both = f"{one.en.lower()} and {other.en.lower()}{of_two}"
    of_place, where = _WHERE.get(place, (f"one {place}", "同一户"))
    en = f"{both} in {of_place} within {duration(within_us)}"
    zh_cn = f"{where}{of_two_zh} {duration_zh(within_us)}内先后出现{one.zh_cn}和{other.zh_cn}"
    return Why(en=f"{en}: {evidence.en}", zh_cn=f"{zh_cn}：{evidence.zh_cn}")


def _named(title: Title) -> Title:
    """What is the matter, without what to do ("Cable critical: isolate"), as a part of a sentence."""
    return Title(en=title.en.partition(":")[0], zh_cn=title.zh_cn.partition("：")[0])


def still_active(title: Title) -> Why:
    """An alarm whose own numbers stayed behind when its device moved."""
    title = _named(title)
    return Why(en=f"{title.en.lower()} is active", zh_cn=f"{title.zh_cn}尚未恢复")


def _held(metric: Metric, value: float, sign: str, level: Level, reference: float, held_us: int) -> Why:
    if metric.is_flag:
        time, time_zh = lasting(held_us)
        return Why(
            en=f"{noun(metric)} flag {value:g}{time}", zh_cn=f"{noun_zh(metric)}信号为 {value:g}{time_zh}"
        )
    compared = f"{measured(value, level, metric)} {sign} {limit(level, metric, reference)}"
    return Why(
        en=f"{noun(metric)} {compared} for {duration(held_us)}",
        zh_cn=f"{noun_zh(metric)} {compared}，持续 {duration_zh(held_us)}",
    )


def measured(value: float, level: Level, metric: Metric) -> str:
    """`412 mA`: a value of `metric` in the unit of the level that it is compared with, if that has one."""
    if level.relative is Relative.NOTHING:
        return in_unit_of(level, value, units_of(metric))
    return quantity(value, metric.unit)


def limit(level: Level, metric: Metric, reference: float) -> str:
    """`300 mA`, or `36.2 A (1.45 × 25 A)` of a level that is a multiple of `reference`."""
    if level.relative is Relative.NOTHING:
        return quantity(level.value, level.unit)
    return f"{quantity(level.value * reference, metric.unit)} ({level.value:g} × {reference:g} {metric.unit})"


def _parts(us: int) -> list[tuple[int, str]]:
    """The largest two units with their numbers, a second one of 0 left out."""
    seconds = us // 1_000_000
    if seconds < 120:
        return [(seconds, "s")]
    if seconds < 7200:
        return _two(seconds // 60, "min", seconds % 60, "s")
    if seconds < 172_800:
        return _two(seconds // 3600, "h", seconds % 3600 // 60, "min")
    return _two(seconds // 86_400, "d", seconds % 86_400 // 3600, "h")


def _two(much: int, unit: str, little: int, less: str) -> list[tuple[int, str]]:
    return [(much, unit), (little, less)] if little else [(much, unit)]
