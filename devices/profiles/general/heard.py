"""A message that was understood: what it was heard as, and when what it says was so."""

from __future__ import annotations

from typing import NamedTuple

from devices.profiles.compiling.compiled import Kind
from devices.profiles.general.findings import At, Tree
from devices.profiles.general.reaching import Bound
from devices.profiles.values.times import NONSENSE_US, read_time


class Heard(NamedTuple):
    """A message that was understood: what it was heard as."""

    kind: Kind
    captures: Bound
    tree: Tree
    uid: str


def observed(time: At | None) -> tuple[int, int]:
    """The instant of the first time that is one, in µs, and quality bits; `NONSENSE_US` where none of them
    is, 0 where none was found."""
    if time is None:
        return 0, 0
    observed_us, quality = read_time(time.clock, time.raw)
    while observed_us == NONSENSE_US and (time := time.further) is not None:
        observed_us, quality = read_time(time.clock, time.raw)
    return observed_us, int(quality)
