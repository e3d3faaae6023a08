"""What each role may look at and do in the console, and how a route says which of it it needs.

`Depends(needs(Right.X))` is the one way by which a route lets anybody in: it gives who is signed in, or
raises NotSignedIn or Forbidden. Where somebody may look and act is their scope (`devices.scope`), which each
query over incidents takes; what may be done to an incident at hand, `alerts.permission` says.

Errors:
* Forbidden: signed in, with a role that has not got this right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from starlette.requests import Request

from console.session import SignedIn, signed_in
from devices.registry.users import ADMIN, GRID_WORKER


class Right(StrEnum):
    """What a route may ask for."""

    SEE_INCIDENTS = "see_incidents"
    ACT = "act"
    SEE_FAULTS = "see_faults"
    SEE_REGISTERS = "see_registers"
    CHANGE_REGISTERS = "change_registers"
    SEE_NUMBERS = "see_numbers"
    MANAGE_USERS = "manage_users"


_DESK: Final = frozenset(
    {Right.SEE_INCIDENTS, Right.ACT, Right.SEE_FAULTS, Right.SEE_REGISTERS, Right.SEE_NUMBERS}
)
RIGHTS: Final[Mapping[str, frozenset[Right]]] = {
    "operator": _DESK,
    "supervisor": _DESK | {Right.CHANGE_REGISTERS},
    "installer": frozenset({Right.SEE_REGISTERS, Right.CHANGE_REGISTERS}),
    GRID_WORKER: frozenset({Right.SEE_INCIDENTS, Right.ACT}),
    ADMIN: frozenset(Right) - {Right.ACT, Right.SEE_NUMBERS},
}
"""By role (chosen): an installer has no business with who was in need, an administrator acts on no incident
and calls nobody, a grid worker has the numbers of their people from the registry's owner, not from here."""


class Forbidden(Exception):
    """Signed in, with a role that has not got this right."""

    def __init__(self, user: SignedIn) -> None:
        super().__init__(user.role)
        self.user = user


def has(user: SignedIn, right: Right) -> bool:
    """Whether the user's role has this right; one that this release does not know has none."""
    return right in RIGHTS.get(user.role, frozenset())


def needs(right: Right) -> Callable[[Request], SignedIn]:
    """For a route to depend on: who is signed in, with this right. Raises NotSignedIn, Forbidden."""
    return Needs(right)


class Needs:
    """What `needs` gives; `right` is for whoever looks through the routes."""

    def __init__(self, right: Right) -> None:
        self.right = right

    def __call__(self, request: Request) -> SignedIn:
        """The user of this request."""
        user = signed_in(request)
        if not has(user, self.right):
            raise Forbidden(user)
        return user
