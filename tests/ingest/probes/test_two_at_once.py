"""On a broker that takes the user name for the client id it is said who ends whose connection."""

from __future__ import annotations

from pathlib import Path

from ingest.probes.caller import Caller
from ingest.probes.finding import Finding
from ingest.probes.proofs import probe_broker
from ingest.probes.terms import Login, Terms
from ingest.probes.trial import Trial, Wanted
from tests.ingest.mosquitto import Mosquitto
from tests.ingest.probes.trying import by_name, dial_to, red

PUBLISHER, READER = Login("gengfu-check", "a"), Login("gengfu-check-reader", "b")


def test_a_check_that_another_one_ends_says_so_and_leaves_the_other_alone(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, by_name(tmp_path, PUBLISHER, READER)) as broker:
        first, other = (Trial(dial_to(broker.port), PUBLISHER, READER, Wanted()) for _ in range(2))
        found: list[Finding] = []
        for one in probe_broker(first, "here", own_user=True, ours=True):
            found.append(one)
            if one.name == "broker session":
                publisher, reader = other.publisher, other.reader(clean=True)
        publisher.round_trip()
        reader.round_trip()
        reader.leave()
        shown = {one.name: one for one in found}
        assert red(shown) == {}
        assert shown["broker proofs"].ok is None
        assert "somebody else connected" in shown["broker proofs"].text
        other.clear()


def test_a_verdict_against_the_broker_waits_until_it_is_known_that_nobody_else_caused_it(
    tmp_path: Path,
) -> None:
    """The other check ends the session just where this one has left it."""
    with Mosquitto(tmp_path, by_name(tmp_path, PUBLISHER, READER)) as broker:
        first, other = (Trial(dial_to(broker.port), PUBLISHER, READER, Wanted()) for _ in range(2))
        found: list[Finding] = []
        for one in probe_broker(first, "here", own_user=True, ours=True):
            found.append(one)
            if one.name == "broker retain":
                other.reader(clean=True, expiry_s=0).leave()
                other.publisher.round_trip()
        shown = {one.name: one for one in found}
        assert red(shown) == {}
        assert "broker session" not in shown
        assert "somebody else connected" in shown["broker proofs"].text
        other.clear()


def test_one_user_for_publisher_and_reader_cannot_be_tried_there_and_that_is_said(tmp_path: Path) -> None:
    login = Login("site-user", "secret")
    with Mosquitto(tmp_path, by_name(tmp_path, login)) as broker:
        dial = dial_to(broker.port)
        trial = Trial(dial, login, login, Wanted())
        proofs = probe_broker(trial, "here", own_user=False, ours=False, table="[[brokers]] east")
        found = {one.name: one for one in proofs}
        assert red(found) == {}
        assert found.keys() == {"broker", "broker proofs"}
        assert found["broker proofs"].ok is None
        assert "publisher and reader of this one user end each other" in found["broker proofs"].text
        assert not trial.two_at_once
        with Caller(dial, "", login, Terms(clean=False)) as later:
            assert not later.greeting.session_present
