"""A check leaves nothing behind, also when it is broken off, and lets alone what the site has there."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import pytest

from ingest.probes.caller import Caller
from ingest.probes.proofs import probe_broker
from ingest.probes.terms import Login, Terms
from ingest.probes.trial import KEPT_S, Trial, Wanted
from tests.ingest.mosquitto import Mosquitto, free_port
from tests.ingest.probes.trying import by_name, dial_to, findings_of, red, trial_on

Finish = Callable[[Trial], None]


def _whole(trial: Trial) -> None:
    assert "broker topic alias" in findings_of(trial)


def _broken_off(trial: Trial) -> None:
    """In the middle, with a retained message and a session that is subscribed."""
    proofs = probe_broker(trial, "here", own_user=True, ours=True)
    assert list(takewhile(lambda one: one.name != "broker qos 0", proofs))
    proofs.close()


@pytest.mark.parametrize("finish", [_whole, _broken_off])
def test_neither_messages_nor_sessions_stay(tmp_path: Path, finish: Finish) -> None:
    with Mosquitto(tmp_path) as broker:
        trial = trial_on(broker.port)
        finish(trial)
        with Caller(trial.dial, f"gengfu-check-{trial.mark}-r", Login(), Terms(clean=False)) as again:
            assert not again.greeting.session_present
            again.subscribe("#")
            again.gather(1, acknowledge=True)
            assert again.messages == []


def test_what_a_killed_check_leaves_ends_by_itself(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        trial = trial_on(broker.port)
        proofs = probe_broker(trial, "here", own_user=True, ours=True)
        assert list(takewhile(lambda one: one.name != "broker qos 0", proofs))
        with Caller(trial.dial, "other", Login(), Terms()) as other:
            other.subscribe("gengfu-check/#")
            other.gather(1, acknowledge=True)
            [kept] = other.messages
            assert 0 < (kept.message_expiry_interval or 0) <= KEPT_S
        proofs.close()


def test_a_session_of_ingest_that_the_check_would_end_is_let_alone(tmp_path: Path) -> None:
    """The broker takes the user name for the client id, and the check was given ingest's."""
    login = Login("gengfu-ingest", "secret")

    with Mosquitto(tmp_path, by_name(tmp_path, login)) as broker:
        dial = dial_to(broker.port)
        with Caller(dial, "", login, Terms(clean=False, expiry_s=3600)) as ingest:
            ingest.subscribe("waits/#")
            ingest.publish("waits/for-ingest", [b"1", b"2"])
        trial = Trial(dial, login, login, Wanted())
        found = {one.name: one for one in probe_broker(trial, "here", own_user=False, ours=False)}
        with Caller(dial, "", login, Terms(clean=False, expiry_s=3600)) as ingest:
            ingest.gather(2, acknowledge=True)
            assert [one.payload for one in ingest.messages] == [b"1", b"2"]
    assert red(found) == {}
    assert "would end ingest's session" in found["broker proofs"].text


@pytest.mark.parametrize("listening", [False, True])
def test_an_unreachable_or_closed_broker_is_one_finding_that_says_what_to_do(
    tmp_path: Path, listening: bool
) -> None:
    def closed(text: str) -> str:
        return text.replace("allow_anonymous true", "allow_anonymous false")

    if listening:
        with Mosquitto(tmp_path, closed) as broker:
            found = findings_of(trial_on(broker.port))
    else:
        found = findings_of(trial_on(free_port()))
    assert found.keys() == {"broker"}
    assert not found["broker"].ok
    assert ("credentials" if listening else "not reachable") in found["broker"].text
