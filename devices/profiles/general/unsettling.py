"""Messages of a tick that may change what other topics stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Int32
from devices.profiles.compiling.compiled import Kind
from devices.profiles.formats.sparkplug import DATA
from devices.profiles.general.choosing import Candidate

_FIRST: Final = 256


class Unsettling:
    """Finds the first message of a tick that may teach the profile a name (`learns`, a birth of Sparkplug).
    What comes behind it in the tick must be heard in order, for it may mean another thing than before.

    Bounded: a byte a source. A source whose topic is known to teach nothing costs a look-up in an array.
    """

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._any = any(kind.learns is not None or kind.said.format == "sparkplug" for kind in kinds)
        self._calm = np.zeros(_FIRST, np.bool_)
        """Per source: its topic teaches nothing."""

    def first(
        self, source: Int32, topics: Sequence[str], candidates: Callable[[str], Sequence[Candidate]]
    ) -> int:
        """The number of the first such message, how many there are where none is. `source` is negative where
        the topic is not remembered."""
        if not self._any or not len(source):
            return len(topics)
        self._grow(int(source.max()) + 1)
        calm = self._calm.take(source, mode="clip") & (source >= 0)
        unsure: NDArray[np.intp] = np.flatnonzero(~calm)
        for n in unsure.tolist():
            if any(map(_teaches, candidates(topics[n]))):
                return int(n)
            if source[n] >= 0:
                self._calm[source[n]] = True
        return len(topics)

    def forget(self, sources: Sequence[int] | None) -> None:
        """These numbers (None: all) may stand for other topics from now on."""
        if sources is None:
            self._calm[:] = False
            return
        self._calm[[one for one in sources if 0 <= one < len(self._calm)]] = False

    def _grow(self, sources: int) -> None:
        more = sources - len(self._calm)
        if more > 0:
            more = max(more, len(self._calm))
            self._calm = np.concatenate([self._calm, np.zeros(more, np.bool_)])


def _teaches(one: Candidate) -> bool:
    if one.kind.said.format == "sparkplug":
        return one.captures.get("type") not in DATA
    return one.kind.learns is not None
