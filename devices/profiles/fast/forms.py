"""The forms that a profile's messages have: bounded, the one unused for longest makes room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from devices.profiles.fast.first_sight import Sight
from devices.profiles.fast.known import Known

FORMS_MAX: Final = 64
"""Forms of messages that are kept at once, and as many of texts (chosen: device kinds times firmware versions
of a district)."""
WORTH_A_FORM: Final = 32
"""So many messages must have had a form before it is compiled, which costs up to 3 ms (chosen)."""
TICKS_BETWEEN: Final = 4
"""At most one form that is no text's is compiled in so many ticks, so that invented ones hold nobody up
(chosen)."""
TRIED: Final = 16
"""Forms that a message of a source without a fitting one is tried with, the newest first (chosen: some 1
µs each)."""
_COUNTED_MAX: Final = 512
_TEXTS_MAX: Final = 4096
NONE: Final = -1

Key = tuple[tuple[int, ...], tuple[Any, ...]]
"""Which kinds were asked, the last being the one that is meant, and the names of the topic that its
readings need; of texts what their plan says instead."""
Form = tuple[Key, Any]
"""And the skeleton; of Sparkplug the octets with it."""


class Forms:
    """Numbers by form. `sights` are of the forms whose messages do not say whose they are."""

    def __init__(self) -> None:
        self.sights: dict[int, Sight] = {}
        self._known: list[Known | None] = [None] * (2 * FORMS_MAX)
        self._numbers: dict[Form, int] = {}
        self._by_key: dict[Key, list[int]] = {}
        self._alike: dict[int, Key] = {}
        self._used = np.zeros(2 * FORMS_MAX, np.int64)
        self._texts: dict[Key, int] = {}
        self._counted: Counter[Form] = Counter()
        self._tick = 0
        self._compile_from = 0

    def __len__(self) -> int:
        """How many forms are kept."""
        return len(self._numbers)

    def start_tick(self) -> None:
        """Time goes on."""
        self._tick += 1

    def used(self, number: int) -> Known:
        """A form that is there, which is used now."""
        known = self._known[number]
        assert known is not None
        self._used[number] = self._tick
        return known

    def known(self, number: int) -> Known | None:
        """The form of a number, None where there is none."""
        return None if number == NONE else self._known[number]

    def of_key(self, key: Key) -> Sequence[int]:
        """The forms that messages of a key may have, the newest first."""
        return self._by_key.get(key, ())[: -TRIED - 1 : -1]

    def alike(self, number: int) -> Sequence[int]:
        """The other forms that messages with this one's key may have, the newest first; none of texts and of
        Sparkplug, where a source's own topic or birth says what a message means."""
        key = self._alike.get(number)
        return () if key is None else [one for one in self.of_key(key) if one != number]

    def of_text(self, key: Key) -> int:
        """The form of the texts of a key, `NONE` where they have none."""
        return self._texts.get(key, NONE)

    def number(self, form: Form) -> int:
        """Its number, `NONE` where it is not kept."""
        return self._numbers.get(form, NONE)

    def is_worth_it(self, form: Form, *, text: bool) -> bool:
        """Counts a form that is not kept; whether it is to be compiled now."""
        if len(self._counted) >= _COUNTED_MAX:
            self._counted.clear()
        self._counted[form] += 1
        if self._counted[form] < WORTH_A_FORM or (not text and self._tick < self._compile_from):
            return False
        self._counted[form] = 0  # should it turn out to be unfit, it is not tried again soon
        if not text:
            self._compile_from = self._tick + TICKS_BETWEEN
        return True

    def room(self, *, text: bool) -> int:
        """The number that a new form may have; whatever has it must be dropped before."""
        first = FORMS_MAX if text else 0
        return first + int(self._used[first : first + FORMS_MAX].argmin())

    def keep(self, number: int, form: Form, known: Known, *, alike: bool) -> None:
        """A form has a number, which is nobody's, from now on. `alike`: its key alone says what it means."""
        self._known[number], self._used[number] = known, self._tick
        if alike:
            self._alike[number] = form[0]
        self._numbers[form] = number
        self._by_key.setdefault(form[0], []).append(number)

    def keep_text(self, key: Key, number: int) -> None:
        """The texts of a key have a form."""
        if len(self._texts) >= _TEXTS_MAX:
            self._texts.clear()
        self._texts[key] = number

    def drop(self, number: int) -> None:
        """Forgets a form that is there."""
        self._known[number] = None
        self.sights.pop(number, None)
        self._alike.pop(number, None)
        self._texts = {key: one for key, one in self._texts.items() if one != number}
        (form,) = [form for form, one in self._numbers.items() if one == number]
        del self._numbers[form]
        of_key = self._by_key[form[0]]
        of_key.remove(number)
        if not of_key:
            del self._by_key[form[0]]
