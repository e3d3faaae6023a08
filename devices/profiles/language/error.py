"""Why a profile file cannot be used.

Errors:
* ProfileError: names file, line and key, and what is allowed there.
"""

from __future__ import annotations


class ProfileError(Exception):
    """A profile file cannot be used.

    `line` counts from 1. `key` is the path of the key in the file, `message[0].values.smoke.metrik`; empty
    where the file as a whole is meant, or is no TOML. `further` are other faults found in the same look. The
    text reads `acme.toml:12: message[0].values.smoke.metrik: unknown key; allowed are …`.
    """

    def __init__(
        self, file: str, line: int, key: str, problem: str, further: tuple[ProfileError, ...] = ()
    ) -> None:
        super().__init__(file, line, key, problem)
        self.file = file
        self.line = line
        self.key = key
        self.problem = problem
        self.further = further

    @property
    def all(self) -> tuple[ProfileError, ...]:
        """This fault and the further ones."""
        return self, *self.further

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: " + (f"{self.key}: " if self.key else "") + self.problem
