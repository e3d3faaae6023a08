"""What files beside a recording name and the recording has not: a typing error there has no effect, and is
told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from devices.shortlist import shortlist
from gengfu.replay.recorded import Book
from gengfu.replay.used import Used
from rules.overrides import Override, Scope


def unmet(
    book: Book,
    used: Used,
    circuits: tuple[str, Collection[tuple[str, str]]],
    events: tuple[str, Collection[str]],
    span_us: tuple[int, int],
) -> Iterator[str]:
    """A sentence for each. `circuits` and `events` are the name of the file and what it names; `span_us` is
    the time of the first reading and of the last."""
    yield from _of_overrides(book, used)
    yield from _out_of_time(used.overrides.all, span_us)
    yield from _of_circuits(book, *circuits)
    yield from _of_devices(book, *events)


def _of_overrides(book: Book, used: Used) -> Iterator[str]:
    met = {scope: book.met(str(scope)) for scope in Scope}
    for one in used.about:
        there = met[one.scope]
        if one.scope is Scope.DEVICE:
            if one.code not in there:
                yield f"{one.place}: device `{one.code}` is not in the recording; {_there(there)}"
        elif not there:
            yield f"{one.place}: nothing says where devices are; --circuits or --registry do"
        elif not one.ids & {book.id(str(one.scope), known) for known in there}:
            yield f"{one.place}: no device of the recording is in {one.scope} `{one.code}`; {_there(there)}"


def _out_of_time(overrides: Sequence[Override], span_us: tuple[int, int]) -> Iterator[str]:
    begin, end = span_us
    for one in overrides:
        if one.from_us > end or (one.until_us is not None and one.until_us <= begin):
            yield f"override {one.id} of {one.rule} holds at no time of the recording"


def _of_circuits(book: Book, file: str, named: Collection[tuple[str, str]]) -> Iterator[str]:
    yield from _of_devices(book, file, {device for device, _ in named})
    channels = book.channels()
    for device, channel in sorted(named):
        there = channels.get(device, set())
        if channel and there and channel not in there:
            yield f"{file}: {device} has no channel `{channel}` in the recording; {_there(there)}"


def _of_devices(book: Book, file: str, named: Iterable[str]) -> Iterator[str]:
    there = book.met(str(Scope.DEVICE))
    missing = sorted(set(named) - set(there))
    if len(missing) == 1:
        yield f"{file}: device `{missing[0]}` is not in the recording; {_there(there)}"
    elif missing:
        number = len(missing)
        yield f"{file}: {number} devices are not in the recording: {shortlist(missing)}; {_there(there)}"


def _there(names: Collection[str]) -> str:
    known = sorted(name or "(none)" for name in names)
    return f"there {'is' if len(known) == 1 else 'are'} {shortlist(known)}"
