"""Where a process dies in a test."""

from __future__ import annotations

from dataclasses import dataclass


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Fuse:
    """Burns through when `step` is passed for the `after`-th time."""

    step: str = ""
    after: int = 1

    def pass_by(self, step: str) -> None:
        if step == self.step:
            self.after -= 1
            if self.after == 0:
                raise Killed(step)
