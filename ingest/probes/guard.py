"""Whether the broker keeps out whom it should. Touches no client id but those of the check itself."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Final

from ingest.probes.caller import Caller
from ingest.probes.finding import Finding, NotServed, Unreachable, Untold
from ingest.probes.terms import Dial, Login, Terms
from ingest.probes.trial import PREFIX

NOT_AUTHORISED: Final = 0x87
REPLACED_S: Final = 2.0
OUTSIDE: Final = f"{PREFIX}-outside"
"""Nobody listens there: what a broker lets through harms nobody. Always the same, so that where refusals are
counted each check adds to one row."""


def probe_guard(dial: Dial, login: Login, *, own_user: bool) -> Iterator[Finding]:
    """Anonymous, outside the own topics, another's client id.

    `login` may publish below `gengfu-check/` only; empty where only anonymous is to be tried: a login that is
    ingest's, on a broker that may take the user name for the client id, would end ingest's session.
    `own_user`: it is a user made for the check; else the client id is not tried. Raises nothing.
    """
    mark = secrets.token_hex(6)
    try:
        yield _anonymous(dial, f"{PREFIX}-{mark}-n")
        if login.name:
            with Caller(dial, f"{PREFIX}-{mark}-a", login, Terms()) as one:
                yield _outside(one, own_user=own_user)
                if own_user:
                    yield _client_id(one, Caller(dial, f"{PREFIX}-{mark}-b", login, Terms()))
    except Untold as error:
        yield Finding("broker guard", None, f"not tried: {error}")
    except NotServed as error:
        yield Finding("broker guard", False, f"could not be tried: {error}; let this user in, then try again")


def _anonymous(dial: Dial, client_id: str) -> Finding:
    try:
        Caller(dial, client_id, Login(), Terms()).leave()
    except (Unreachable, Untold):
        raise
    except NotServed:
        return Finding("broker credentials", True, "who gives no credentials is refused")
    text = "lets in who gives no credentials, so anybody can raise and end alarms; "
    do = "mosquitto.conf: allow_anonymous false; elsewhere look for authentication"
    return Finding("broker credentials", False, text + do)


def _outside(one: Caller, *, own_user: bool) -> Finding:
    try:
        reason = one.reason_of(OUTSIDE, b"gengfu check")
    except Untold:
        raise
    except NotServed:
        reason = NOT_AUTHORISED  # thrown out for it: refused too
    who = "who publishes" if own_user else "ingest's own user that publishes"
    if reason == NOT_AUTHORISED:
        return Finding("broker topics", True, f"{who} outside the own topics is refused")
    text = (
        f"{who} outside the own topics is not refused ({reason:#04x}), so one password raises and ends the "
    )
    do = "alarms of all; mosquitto.conf: acl_file; EMQX: authorization.no_match deny"
    return Finding("broker topics", False, text + do)


def prove_reads_only(dial: Dial, login: Login) -> Finding:
    """`login` is made like ingest's own; only for a broker on which ingest is not. Raises NotServed."""
    with Caller(dial, login.name, login, Terms()) as one:
        try:
            reason = one.reason_of("gengfu/some-device/readings", b"gengfu check")
        except NotServed:
            reason = NOT_AUTHORISED
    name = "broker ingest user"
    if reason == NOT_AUTHORISED:
        return Finding(name, True, "ingest's user may read, and publish for nobody")
    return Finding(name, False, f"ingest's user may publish for a device ({reason:#04x}); see acl_file")


def _client_id(one: Caller, other: Caller) -> Finding:
    replaced = one.is_ended(REPLACED_S)
    other.leave()
    return Finding(
        "broker client id",
        replaced,
        "the user name is the client id: nobody takes over another's connection"
        if replaced
        else "client ids are free, so any publisher can end the session of ingest and what waits in it; "
        "mosquitto.conf: use_username_as_clientid true; EMQX: mqtt.use_username_as_clientid true",
    )
