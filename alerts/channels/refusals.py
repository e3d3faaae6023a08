"""What a vendor's error code in a JSON answer means.

Vendors of chat robots refuse with HTTP 200, or with 400, and say why by a code in the body. A message
counts as accepted only where the code is there and is 0: a page of a proxy or a firewall says 200 as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.channels.channel import Accepted, Failed, Outcome
from alerts.channels.http import Reply, short_code

NOT_UNDERSTOOD: Final = "the answer was not the provider's"


@dataclass(frozen=True, slots=True)
class Codes:
    """A vendor's error codes. `fields`: where the code stands, the first that is there counts. `waits`:
    codes that pass by themselves, with the seconds until then (0: the vendor names no time). `lasting`:
    codes that somebody has to mend. Any other code is worth another try, unless the HTTP status says
    otherwise."""

    fields: Sequence[str]
    waits: Mapping[int, float]
    lasting: frozenset[int]

    def judge(self, reply: Reply) -> Outcome:
        """What the answer means."""
        found = self.code_of(reply.object())
        if found is None:
            return reply.refused or Failed(NOT_UNDERSTOOD)
        field, code = found
        if number(code) == 0:
            return reply.refused or Accepted()
        return self.refusal(field, code, reply.refused)

    def code_of(self, answer: Mapping[str, Any] | None) -> tuple[str, object] | None:
        """The field that holds the code, and the code; None where there is neither."""
        return (
            next(((field, answer[field]) for field in self.fields if field in answer), None)
            if answer
            else None
        )

    def refusal(self, field: str, code: object, refused: Failed | None = None) -> Failed:
        """A code other than 0. `refused`: what the HTTP status said."""
        reason = f"{field} {short_code(code)}"
        asked_s = refused.retry_after_s if refused else 0.0
        known = number(code)
        if known is not None and known in self.waits:
            return Failed(reason, False, max(self.waits[known], asked_s))
        if known in self.lasting:
            return Failed(reason, permanent=True)
        return Failed(reason, refused is not None and refused.permanent, asked_s)


def number(code: object) -> int | None:
    """The code as a number, which some vendors write as text; None for anything else."""
    if isinstance(code, int) and not isinstance(code, bool):
        return code
    text = code.strip() if isinstance(code, str) else ""
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 12 else None
