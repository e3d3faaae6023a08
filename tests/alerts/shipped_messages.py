"""What the shipped texts say, line by line, with lengths: `python -m tests.alerts.shipped_messages` writes
the file that the test compares with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

from alerts.case import Hazard
from alerts.plans import shipped_policies
from alerts.policy_file import SEVERITIES
from alerts.sms_length import sms_length
from alerts.text_rules import LANGUAGES
from alerts.text_samples import ROLES, SAYINGS, example
from alerts.texts import say
from devices.model import Medium, Role, Severity

FILE = Path(__file__).with_name("shipped_messages.txt")


def lines() -> Iterator[str]:
    """First words by severity, hazard, role and language; then a fire of every other saying."""
    for severity, role, language in product(Severity, (*ROLES, Role.FIRE_BRIGADE), LANGUAGES):
        yield _line(severity, role, language)
        if severity in {Severity.P0, Severity.P0_PLUS} and role is Role.NEIGHBOUR:
            yield _line(severity, role, language, on_stair=True)
        if severity is Severity.P1:
            yield _line(severity, role, language, hazard=Hazard.FIRE)
            yield _line(severity, role, language, hazard=Hazard.FAULT)
    for saying, language in product(SAYINGS[1:], LANGUAGES):
        yield _line(Severity.P0, Role.GRID_WORKER, language, saying=saying)


def _line(
    severity: Severity,
    role: Role,
    language: str,
    *,
    saying: str = "alarm",
    hazard: Hazard | None = None,
    on_stair: bool = False,
) -> str:
    assert str(severity) in SEVERITIES
    policy = shipped_policies().shipped[severity].policy
    told = frozenset(str(one) for one in policy[0].roles) if policy else frozenset()
    telling = example(
        severity, role, language, saying=saying, hazard=hazard, on_stair=on_stair, told=told,
        medium=Medium.PUSH,
    )  # fmt: skip
    said = say(telling, language).text
    length = sms_length(said)
    about = f"{severity} {telling.hazard}{' on a stair' if on_stair else ''} {role} {saying}"
    return f"{about} | {length.segments} SMS, {length.units} {length.alphabet} | {said}"


if __name__ == "__main__":
    FILE.write_text("\n".join(lines()) + "\n", encoding="utf-8")
