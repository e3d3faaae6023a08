"""The one thing that leaves the rule engine: an alarm was raised or cleared, and why."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from devices.model import Severity


class To(StrEnum):
    """What the alarm became. A latched alarm that is raised again (a second fire) is a new `raised`."""

    RAISED = "raised"
    CLEARED = "cleared"


class Mark(StrEnum):
    """What a person must know about the evidence."""

    LATE = "late"
    RETAINED = "retained"
    QUEUED = "queued"
    AGE_UNKNOWN = "age_unknown"
    SECOND_FIRE = "second_fire"
    ELECTRICAL_FIRST = "electrical_first"
    ISOLATE = "isolate"
    """Ask for the power of this circuit to be cut."""
    ELSEWHERE = "elsewhere"
    """Of a clearing: the alarm goes on where its device is registered now."""


@dataclass(frozen=True, slots=True)
class Why:
    """The evidence as one sentence in each of the product's languages, with the same numbers in both."""

    en: str
    zh_cn: str

    def said_in(self, language: str) -> str:
        """The Chinese sentence for `zh-CN`, else the English one."""
        return self.zh_cn if language == "zh-CN" else self.en


class Subject(StrEnum):
    """What an alarm is about."""

    SERIES = "series"
    """The device's channel."""
    DEVICE = "device"
    DWELLING = "dwelling"
    STAIR = "stair"
    BUILDING = "building"


@dataclass(frozen=True, slots=True)
class Transition:
    """One stored change of one alarm.

    `slot` is the triggering series; `device` and `dwelling` its registry ids at that moment (0: none).
    `subject` is what the alarm is about: a channel, a device (slot is then one series of it), or a place,
    whose registry id is `place` (else 0). `at_us` is the observed time of the triggering reading and, with
    `nudge_ns`, part of the alarm's identity; of a fire told again at another place `nudge_ns` is when that
    was, in microseconds. `why` says the numbers; `age_s` is how old the reading was on receipt (NaN:
    unknown).
    """

    rule: str
    to: To
    severity: Severity
    slot: int
    device: int
    dwelling: int
    place: int
    at_us: int
    nudge_ns: int
    received_us: int
    why: Why
    age_s: float
    marks: tuple[Mark, ...] = ()
    subject: Subject = Subject.SERIES
    metric: str = ""
    """Which of its metrics, where the rule watches several: alarms of one channel are told apart by it."""


def transition_key(rule: str, subject: str, to: To, at_us: int, nudge_ns: int) -> str:
    """The alarm's identity: 32 hex digits of BLAKE2b over rule, subject and triggering reading.

    The same reading replayed after a crash gives the same key, so that `ON CONFLICT DO NOTHING` keeps one
    transition (contract 2). `subject` is `device_uid/channel`, `device_uid/`, or `dwelling:ID` and the
    like.
    """
    text = f"{rule}\x00{subject}\x00{to}\x00{at_us}\x00{nudge_ns}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
