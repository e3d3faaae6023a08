"""Gateways that name each other in a ring, so that none of them speaks for itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence


def ring_of(parents: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """A ring among devices and the gateways they name, each the gateway of the one before it; empty where
    there is none. Cost: linear in the names."""
    left = {device: len(named) for device, named in parents.items() if named}
    behind: dict[str, list[str]] = defaultdict(list)
    for device, named in parents.items():
        for parent in named:
            behind[parent].append(device)
    free = [parent for parent in behind if parent not in left]
    while free:
        for device in behind[free.pop()]:
            left[device] -= 1
            if not left[device]:
                del left[device]
                free.append(device)
    return _walk(parents, left)


def _walk(parents: Mapping[str, Sequence[str]], left: Mapping[str, int]) -> tuple[str, ...]:
    """From one that leads into a ring along gateways that do, until one comes again."""
    seen: dict[str, int] = {}
    at = next(iter(left), "")
    while at and at not in seen:
        seen[at] = len(seen)
        at = next(parent for parent in parents[at] if parent in left)
    return tuple(seen)[seen[at] :] if at else ()
