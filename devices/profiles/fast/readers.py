"""From the payloads of one form to its leaves as columns: JSON, and payloads that are one text. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, Final, Protocol

import msgspec

from devices.model import Bool, Int64
from devices.profiles.fast.leaves import Columns, Fetching
from devices.profiles.fast.skeleton import Leaf, Skeleton, Sort, Unfit, compiled, has_unread, passes_over
from devices.profiles.fast.watched import Watched
from devices.profiles.repeated import Counts, RepeatedKeys

_REFUSED: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""All that msgspec's JSON decoder raises for bytes from outside (fuzzed in the tests)."""
Said = Any
"""Messages that have a form, as its reader holds them: something with a length."""


class Reader(Protocol):
    """What reads the messages of one form."""

    @property
    def place(self) -> Mapping[int, int]:
        """The column of each number in `Columns.numbers`."""

    @property
    def has_names(self) -> bool:
        """Whether messages say which device they are of, or something about it, beside their topic."""

    def said(self, payloads: Sequence[bytes]) -> tuple[Said, list[int]]:
        """The messages that have the form, and the places of those that have not."""

    def columns(self, said: Said) -> Columns:
        """The leaves of messages."""

    def names(self, said: Said) -> Int64:
        """As `Fetching.names`."""

    def as_it_was(self, columns: Columns) -> Bool | None:
        """As `Fetching.as_it_was`."""

    @property
    def few(self) -> int:
        """Fewer messages than this are not worth reading by form."""


class JsonReader(Fetching):
    """Messages in JSON: a type that takes just those that have the skeleton."""

    few = 1

    def __init__(
        self,
        skeleton: Skeleton,
        repeated: RepeatedKeys | None = None,
        usual: Counts | None = None,
        payload: bytes | None = None,
    ) -> None:
        """`usual`: how often keys stand in such a message that must not be there more often (`repeated`
        counts them): such a message has not the form. `payload`: such a message, where another with a fire
        by a usual name has not the form either."""
        super().__init__(skeleton)
        self._repeated = repeated or RepeatedKeys(())
        self._passes_over = passes_over(skeleton.root)
        self._decode = msgspec.json.Decoder(compiled(skeleton.root)).decode
        self._usual = {key: n for key, n in (usual or {}).items() if n or self._passes_over}
        self._watched: Watched | None = None
        if payload is not None and has_unread(skeleton.root):
            keys = [key for key, n in self._usual.items() if not n and Watched.takes(key)]
            self._watched = Watched(payload, keys)
            self._usual = {key: n for key, n in self._usual.items() if key not in keys}

    @property
    def watches(self) -> bool:
        """Whether a name of a fire could be passed over without the watch."""
        return self._watched is not None

    def said(self, payloads: Sequence[bytes]) -> tuple[Said, list[int]]:
        """As `Reader.said`."""
        said: list[Any] = []
        odd: list[int] = []
        doubtful = self._repeated.doubtful(payloads, self._usual) if self._usual else []
        if self._watched is not None:
            doubtful += self._watched.doubtful(payloads)
        if doubtful or (self._passes_over and not all(map(bytes.isascii, payloads))):
            return self._said_closely(payloads, frozenset(doubtful))
        more = map(self._decode, payloads)
        while True:  # the usual case costs no look at a single message
            try:
                said.extend(more)
                return said, odd
            except _REFUSED:
                odd.append(len(said) + len(odd))

    def _said_closely(self, payloads: Sequence[bytes], without: Set[int]) -> tuple[Said, list[int]]:
        """The same, but for some; what is passed over must be UTF-8 too, which the decoder does not look
        at."""
        said, odd = [], []
        for n, payload in enumerate(payloads):
            if n in without:
                odd.append(n)
                continue
            try:
                payload.decode()
                said.append(self._decode(payload))
            except _REFUSED:
                odd.append(n)
        return said, odd


class TextReader(Fetching):
    """Messages that are a single text. Raises Unfit where that decides structure."""

    few = 1

    def __init__(self, skeleton: Skeleton) -> None:
        root = skeleton.root
        if not (isinstance(root, Leaf) and root.sort is Sort.TEXT):
            raise Unfit("a text that decides structure")
        super().__init__(skeleton)

    def said(self, payloads: Sequence[bytes]) -> tuple[Said, list[int]]:
        """All of them."""
        return payloads, []
