"""Messages with the keys and types their source had before, read a tick at a time without looking at keys.

A device says the same things for years: only numbers and flags differ. So the form of a message of our own
format, its shape, is compiled once into a msgspec type that takes exactly that form. A message it takes
becomes a line in a table of numbers: 1.3 µs for four values, 4 where every key is looked up (measured).
Whatever it does not take, another key, a null, a word, goes the general way, which knows all of that. A shape
never decides what a value means: it only says that all is as it was when the general way understood it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from typing import Final, NamedTuple

import numpy as np

from devices.model import Bool, Float64, Int16, Int32, Int64
from devices.profiles.own.forms import Form, Group, Shape, form_of
from devices.profiles.own.mapping import FlatMapping
from devices.profiles.turns import Turns

SHAPES_MAX: Final = 64
"""Shapes that are remembered at once (chosen: device kinds times firmware versions of a district)."""
WORTH_A_SHAPE: Final = 32
"""So many messages must have had a form before it is compiled, which costs up to 2 ms (chosen)."""
TICKS_BETWEEN: Final = 4
"""At most one form is compiled in so many ticks, so that invented forms hold nobody up (chosen)."""
LEARNT_A_TICK: Final = 128
"""Messages a tick that may teach a shape, at 9 µs each, taking turns (measured; the number is chosen so that
messages that never fit one cost a tick 1 ms)."""
_FORMS_MAX: Final = 512
_NONE: Final = -1
_OWN: Final = -2
"""Of a source that has none of the shapes there are."""


class Alike(NamedTuple):
    """Messages of one shape: one line each, one column a value. `message` are their numbers in the tick.

    `at` and `seq` are None where the shape has none.
    """

    shape: Shape
    message: Int32
    source: Int32
    at: Int64 | None
    seq: Int64 | None
    values: Float64

    def only(self, keep: Bool) -> Alike:
        """Some of them."""
        at = None if self.at is None else self.at[keep]
        seq = None if self.seq is None else self.seq[keep]
        return Alike(self.shape, self.message[keep], self.source[keep], at, seq, self.values[keep])


class Shapes:
    """Which shapes each source's messages have had. Bounded: 5 bytes a source, SHAPES_MAX shapes.

    A source has a first shape and another one, for a report that comes now and then with more in it. It keeps
    the first while at most one message in a row has neither.
    """

    def __init__(self, mapping: FlatMapping) -> None:
        self._mapping = mapping
        self._shapes: list[Shape] = []
        self._numbers: dict[Form, int] = {}
        self._forms: Counter[Form] = Counter()
        self._of = np.full(256, _NONE, np.int16)
        self._other = np.full(256, _NONE, np.int16)
        self._missed = np.zeros(256, np.bool_)
        self._used: list[int] = []
        self._usual = 0
        self.declined = 0
        """How often a message could not be learnt from for a reason nobody thought of: each is a bug."""
        self._tick = 0
        self._compile_from = 0
        self._turns = Turns(LEARNT_A_TICK)

    def is_curious(self) -> bool:
        """Whether `learn` wants to hear of this message. Asked once for each that the general way read."""
        return self._turns.mine()

    def __len__(self) -> int:
        """How many shapes are remembered."""
        return len(self._numbers)

    def forget(self) -> None:
        """Source numbers mean others from now on."""
        self._of.fill(_NONE)
        self._other.fill(_NONE)

    def take(self, source: Int32, payloads: Sequence[bytes]) -> tuple[list[Alike], Sequence[int]]:
        """The messages that have a shape of their source's, and the numbers of those that must go the general
        way.

        `source` is -1 where it is not known.
        """
        self._tick += 1
        self._turns.start_tick()
        if not self._numbers:
            return [], range(len(payloads))
        if len(source) and int(source.max()) >= len(self._of):
            self._grow(int(source.max()) + 1)
        number = self._guessed(source)
        if len(number) and number[0] >= 0 and (number == number[0]).all():
            whole = np.arange(len(number), dtype=np.int32)
            alike, odd = self._read(int(number[0]), whole, source, payloads)
            found, rest = [alike] if alike else [], []
        else:
            found, odd = self._each(number, np.arange(len(number), dtype=np.int32), source, payloads)
            rest = np.flatnonzero(number < 0).tolist()
        if odd:
            left = np.array(odd, np.int32)
            other = self._other[source[left]]
            more, odd = self._each(other, left, source, payloads)
            found += more
            rest += [*left[other < 0].tolist(), *odd]
        return found, sorted(rest)

    def _each(
        self, number: Int16, message: Int32, source: Int32, payloads: Sequence[bytes]
    ) -> tuple[list[Alike], list[int]]:
        """What each shape that is not negative takes of the messages that are tried with it, and what is
        left."""
        found: list[Alike] = []
        rest: list[int] = []
        for one in np.unique(number[number >= 0]).tolist():
            asked = message[number == one]
            alike, odd = self._read(one, asked, source[asked], [payloads[n] for n in asked.tolist()])
            found += [alike] if alike else []
            rest += odd
        return found, rest

    def _guessed(self, source: Int32) -> Int16:
        """The shape of each source, negative where it has none.

        One that was not heard before is taken to have the shape that most have: should its message differ, it
        goes the general way like any other.
        """
        number = self._of.take(source, mode="clip")
        number[source < 0] = _OWN
        new = number == _NONE
        if new.any():
            some = number[number >= 0]
            self._usual = int(np.bincount(some).argmax()) if len(some) else self._usual
            self._of[source[new]] = number[new] = self._usual
            self._missed[source[new]] = True
        return number

    def _read(
        self, number: int, message: Int32, source: Int32, payloads: Sequence[bytes]
    ) -> tuple[Alike | None, list[int]]:
        shape = self._shapes[number]
        self._used[number] = self._tick
        said, odd = shape.read(payloads)
        places = message
        if odd:
            took = np.ones(len(message), np.bool_)
            took[odd] = False
            places, source = message[took], source[took]
        self._missed[source] = False
        if not said:
            return None, message.tolist()
        count = len(said)
        at = np.fromiter(map(_at, said), np.int64, count) if shape.form.timed else None
        seq = np.fromiter(map(_seq, said), np.int64, count) if shape.form.numbered else None
        return Alike(shape, places, source, at, seq, shape.table(said)), message[odd].tolist()

    def learn(self, source: int, at: object, seq: object, groups: Sequence[Group], *, plain: bool) -> None:
        """The general way understood a message of this source. `groups`: its parts, all of them objects."""
        if source >= len(self._of):
            self._grow(source + 1)
        form = form_of(self._mapping, at, seq, groups, plain=plain)
        number = _OWN if form is None else self._numbers.get(form, _OWN)
        if form is not None and number == _OWN:
            number = self._consider(form)
        if self._of[source] >= 0 and not self._missed[source]:
            self._missed[source] = True
            self._other[source] = number
        else:
            self._of[source], self._missed[source] = number, number == _OWN

    def decline(self, source: int) -> None:
        """This source is read the general way, until another of its messages teaches a form."""
        if source < len(self._of):
            self._of[source] = _OWN
        self.declined += 1

    def _consider(self, form: Form) -> int:
        """Counts a form that has no shape; its number when it has earned one."""
        if len(self._forms) >= _FORMS_MAX:
            self._forms.clear()
        self._forms[form] += 1
        if self._forms[form] < WORTH_A_SHAPE or self._tick < self._compile_from:
            return _OWN
        self._compile_from = self._tick + TICKS_BETWEEN
        del self._forms[form]
        shape = Shape(form, self._mapping)
        if len(self._shapes) < SHAPES_MAX:
            self._shapes.append(shape)
            self._used.append(self._tick)
            number = len(self._shapes) - 1
        else:
            number = int(np.argmin(self._used))
            self._of[self._of == number] = _OWN
            self._other[self._other == number] = _NONE
            self._numbers = {known: n for known, n in self._numbers.items() if n != number}
            self._shapes[number], self._used[number] = shape, self._tick
        self._numbers[form] = number
        return number

    def _grow(self, sources: int) -> None:
        more = max(sources, 2 * len(self._of)) - len(self._of)
        self._of = np.concatenate([self._of, np.full(more, _NONE, np.int16)])
        self._other = np.concatenate([self._other, np.full(more, _NONE, np.int16)])
        self._missed = np.concatenate([self._missed, np.zeros(more, np.bool_)])


_at, _seq = attrgetter("at"), attrgetter("seq")


def outside(alike: Alike) -> Bool | None:
    """Where values lie outside what their fields allow; None where none does."""
    limits = alike.shape.limits
    if limits is None:
        return None
    low, high = limits
    found: Bool = (alike.values < low) | (alike.values > high)
    return found if found.any() else None
