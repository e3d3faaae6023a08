"""What no policies file may loosen, because lives hang on it (life_safety, "who is told", "who may end it").

* P0 and P0+: every shipped step stays, with at least its roles, at most its delays, the same facts that end
  it and the same answers that spare somebody; media are tried in any order, but all of them are, calls come
  first where the shipped step calls, and mail comes last.
* P1: whoever is told at once stays told at once. Faults of the system: so does the duty desk. P2: somebody is
  told at once.
* The fire brigade: of a confirmed fire, or by `unanswered` where it agreed. The gate (`alerts/gate.py`) lets
  no other page reach it, whatever a file says.

Pure. Raises PolicyError.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from alerts.policy import KINDS, Policy, StepName, StepPlan, line_of
from alerts.policy_file import SYSTEM, StatedPolicy
from alerts.toml_table import TomlText
from devices.model import Medium, Role, Severity

_URGENT: Final = frozenset({str(Severity.P0), str(Severity.P0_PLUS)})
_FIXED: Final = "life safety fixes this for {}: "


def check_floor(stated: StatedPolicy, shipped: Policy, file: TomlText) -> None:
    """Raises PolicyError where `stated` is looser than it may be; `shipped` is that severity's own."""
    if stated.severity in _URGENT:
        for line in shipped:
            _check_urgent(stated, line, file)
    elif stated.severity in {Severity.P1, Severity.P2, SYSTEM}:
        _check_at_once(stated, shipped, file)
    _check_brigade(stated, file)


def _check_urgent(stated: StatedPolicy, shipped: StepPlan, file: TomlText) -> None:
    own = line_of(stated.policy, shipped.name)
    fixed = _FIXED.format(stated.severity)
    if own is None:
        raise file.wrong(
            f"{stated.at}.step",
            f"{fixed}a step of kind `{shipped.name}` is missing; there must be {_listed(_kinds_of(stated))}",
        )
    at = stated.lines[stated.policy.index(own)]
    _check_roles(own, shipped, f"{at}.tell", fixed, file)
    for key, said, most in (
        ("after", own.after_s, shipped.after_s),
        ("every", own.every_s, shipped.every_s),
    ):
        if said > most:
            raise file.wrong(f"{at}.{key}", f"{fixed}at most {most:g} s are allowed")
    if own.ends_on != shipped.ends_on:
        raise file.wrong(f"{at}.ends_on", f"{fixed}allowed: {_listed(sorted(shipped.ends_on))}")
    if own.heeds != shipped.heeds:
        raise file.wrong(f"{at}.heeds", f"{fixed}allowed: {shipped.heeds}")
    if own.spares_residents != shipped.spares_residents:
        raise file.wrong(f"{at}.spares_residents", f"{fixed}allowed: {str(shipped.spares_residents).lower()}")
    _check_media(own, shipped, f"{at}.by", fixed, file)


def _check_roles(own: StepPlan, shipped: StepPlan, at: str, fixed: str, file: TomlText) -> None:
    missing = [str(role) for role in shipped.roles if role not in own.roles]
    if missing:
        raise file.wrong(at, f"{fixed}{_listed(missing)} must be told too")


def _check_media(own: StepPlan, shipped: StepPlan, at: str, fixed: str, file: TomlText) -> None:
    missing = [str(one) for one in shipped.media if one not in own.media]
    if missing:
        raise file.wrong(at, f"{fixed}{_listed(missing)} must stand there too, for who has nothing else")
    if shipped.media[0] is Medium.VOICE and own.media[0] is not Medium.VOICE:
        raise file.wrong(at, f"{fixed}a call comes first; allowed: call, or a list that begins with voice")
    if own.media[-1] is not Medium.EMAIL:
        raise file.wrong(at, f"{fixed}email comes last, nobody wakes up by it")


def _check_at_once(stated: StatedPolicy, shipped: Policy, file: TomlText) -> None:
    own, least = line_of(stated.policy, StepName.AT_ONCE), line_of(shipped, StepName.AT_ONCE)
    fixed = _FIXED.format(stated.severity)
    if own is None:
        raise file.wrong(f"{stated.at}.step", f"{fixed}a step of kind `{StepName.AT_ONCE}` is missing")
    if least is not None and stated.severity != Severity.P2:
        at = stated.lines[stated.policy.index(own)]
        _check_roles(own, least, f"{at}.tell", fixed, file)


def _check_brigade(stated: StatedPolicy, file: TomlText) -> None:
    for line, at in zip(stated.policy, stated.lines, strict=True):
        allowed = stated.severity == Severity.P0_PLUS or (
            line.name is StepName.UNANSWERED and stated.severity in _URGENT
        )
        if Role.FIRE_BRIGADE in line.roles and not allowed:
            raise file.wrong(
                f"{at}.tell",
                "fire_brigade is told of a confirmed fire (P0+), or by `unanswered` of P0 where the brigade"
                " agreed to unconfirmed alarms; no other step gets through the gate",
            )


def _kinds_of(stated: StatedPolicy) -> list[str]:
    kinds = [kind for kind in KINDS if kind not in {StepName.SECRETARY, StepName.SUPERVISOR}]
    return [str(kind) for kind in kinds if stated.severity == Severity.P0_PLUS or kind is not StepName.REPEAT]


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)
