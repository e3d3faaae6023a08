"""What mosquitto's lines mean, whatever a client calls itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.gate.lines import CUT_AT, SHOWN, CutOff, LogReader, Refused, Reloaded

STAMP = "2026-11-21T23:57:40: "
HOSTILE = st.text(st.sampled_from("a' (),.:#\n[]<>") | st.characters(exclude_categories=["Cs"]), max_size=30)


def read(*lines: str) -> list[object]:
    reader = LogReader()
    return [meaning for line in lines if (meaning := reader.read(STAMP + line)) is not None]


def test_a_denied_publish_names_user_topic_and_address() -> None:
    assert read(
        "New client connected from 10.0.0.7:5000 as hub (p5, c1, k60, u'hub').",
        "Denied PUBLISH from hub (d0, q1, r0, m5, 'gengfu/b/x', ... (1 bytes))",
    ) == [Refused("topic", "hub", "gengfu/b/x", "10.0.0.7")]


def test_where_client_ids_are_free_the_user_name_is_told_not_the_id() -> None:
    assert read(
        "New client connected from 10.0.0.7:5000 as some (id) (p2, c1, k60, u'hub').",
        "Denied PUBLISH from some (id) (d0, q0, r1, m0, 'a', ... (70000 bytes))",
    ) == [Refused("topic", "hub", "a", "10.0.0.7")]


def test_a_refused_login_is_known_by_its_address() -> None:
    with_debug = ["Sending CONNACK to 10.0.0.7 (0, 135)", "Client <unknown> disconnected, not authorised."]
    assert read("New connection from 10.0.0.9:5000 on port 1883.", *with_debug) == [
        Refused("login", "10.0.0.7", "", "10.0.0.7")
    ]
    assert read("New connection from ::1:5000 on port 1883.", with_debug[1]) == [
        Refused("login", "::1", "", "::1")
    ]


def test_a_newer_mosquitto_names_client_and_address_in_the_line() -> None:
    assert read("Client dev-1 [10.0.0.7:5000] disconnected: not authorised.") == [
        Refused("login", "dev-1", "", "10.0.0.7")
    ]


@pytest.mark.parametrize("client", ["esp-7", "gengfu-ready-902b37f9", "hub", "10.9.9.9", "x" * 900])
def test_who_comes_without_a_name_is_known_by_its_address_whatever_it_calls_itself(client: str) -> None:
    assert read(
        "New connection from 10.0.0.9:5000 on port 1883.",
        f"Sending CONNACK to {client} (0, 135)",
        f"Client {client} disconnected, not authorised.",
    ) == [Refused("login", "10.0.0.9", "", "10.0.0.9")]
    assert read("Client esp-7 disconnected, not authorised.") == [Refused("login", "esp-7", "", "")]


def cut(line: str) -> str:
    """As mosquitto 2.0.11 writes it."""
    return (STAMP + line)[:CUT_AT].removeprefix(STAMP)


def test_a_long_client_id_or_topic_hides_nobody() -> None:
    long = "x" * 2000
    assert read(
        "New connection from 10.0.0.9:5000 on port 1883.",
        cut(f"Sending CONNACK to {long} (0, 135)"),
        cut(f"Client {long} disconnected, not authorised."),
    ) == [Refused("login", "10.0.0.9", "", "10.0.0.9")]
    assert (
        read(
            cut(f"New client connected from 10.0.0.7:5000 as {long} (p5, c1, k60, u'hub')."),
            cut(f"Client {long} closed its connection."),
        )
        == []
    )
    assert read(
        "New client connected from 10.0.0.7:5000 as hub (p5, c1, k60, u'hub').",
        cut(f"Denied PUBLISH from hub (d0, q1, r0, m5, '{long}', ... (1 bytes))"),
    ) == [Refused("topic", "hub", "x" * SHOWN, "10.0.0.7")]


def test_a_client_id_filled_up_to_the_cut_does_not_give_itself_anothers_name() -> None:
    begin, end = f"New client connected from 10.0.0.7:5000 as {'a' * 10} (p5, c1, k", "60, u'victim')."
    filled = begin + "0" * (CUT_AT - len(STAMP + begin + end)) + end
    assert len(STAMP + filled) == CUT_AT
    said = read(filled, f"Denied PUBLISH from {'a' * 10} (d0, q1, r0, m5, 't', ... (1 bytes))")
    assert said == [Refused("topic", "a" * 10, "t", "")]


def test_of_a_client_id_that_looks_like_a_refusal_of_another_the_connected_one_counts() -> None:
    odd = "victim (d0, q1, r0, m1, 'x"
    assert read(
        f"New client connected from 10.0.0.7:5000 as {odd} (p5, c1, k60, u'evil').",
        f"Denied PUBLISH from {odd} (d0, q1, r0, m5, 't', ... (1 bytes))",
    ) == [Refused("topic", "evil", "t", "10.0.0.7")]


def test_a_reload_is_seen_and_whom_it_cuts_off_but_not_who_leaves_later() -> None:
    assert read(
        "New client connected from 10.0.0.7:5000 as a (p5, c1, k60, u'a').",
        "Reloading config.",
        "Client a disconnected.",
        "New connection from 10.0.0.9:5000 on port 1883.",
        "Client b disconnected.",
    ) == [Reloaded(), CutOff("a", "10.0.0.7")]


def test_newer_mosquitto_says_more_at_a_reload_and_the_address_of_whom_it_cuts_off() -> None:
    assert read(
        "New client connected from 10.0.0.7:5000 as a (p5, c1, k60, u'a').",
        "New client connected from 10.0.0.8:5000 as b [10.0.0.9:1] (p5, c1, k60, u'b').",
        "Reloading config.",
        "Note: It is recommended to replace `message_size_limit` with `max_packet_size`.",
        "Plugin builtin-security has registered to receive 'basic-auth' events.",
        "Client a [10.0.0.7:5000] disconnected.",
        "Client b [10.0.0.9:1] disconnected.",
        "Client stored [10.0.0.6:77] disconnected.",
        "New connection from 10.0.0.9:5000 on port 1883.",
        "Client a [10.0.0.7:5001] disconnected.",
    ) == [Reloaded(), CutOff("a", "10.0.0.7"), CutOff("b", "10.0.0.8"), CutOff("stored", "10.0.0.6")]


def test_a_start_of_the_broker_is_a_reload() -> None:
    assert read("mosquitto version 2.0.11 running") == [Reloaded()]


def test_what_is_no_concern_of_ours_means_nothing() -> None:
    assert (
        read("Received PINGREQ from a", "Client a closed its connection.", "", "Client a disconnected.") == []
    )


@given(HOSTILE, HOSTILE, HOSTILE)
def test_a_hostile_client_id_or_topic_never_speaks_for_another(client: str, name: str, topic: str) -> None:
    reader = LogReader()
    reader.read(f"{STAMP}New client connected from 10.0.0.1:1 as victim (p5, c1, k60, u'victim').")
    meaning = reader.read(f"{STAMP}Denied PUBLISH from hub (d0, q1, r0, m5, '{topic}', ... (1 bytes))")
    assert isinstance(meaning, Refused)
    assert meaning.who == "hub"
    for line in (
        f"New client connected from 10.0.0.7:5000 as {client} (p5, c1, k60, u'{name}').",
        f"Client {client} disconnected, not authorised.",
        f"Client {client} closed its connection.",
        f"{client}: {name}",
    ):
        said = reader.read(STAMP + line)
        assert not isinstance(said, Refused) or (
            said.who.isprintable() and len(said.who) <= SHOWN and said.kind == "login"
        )


@given(st.text(), st.integers(0, 3))
def test_no_line_breaks_the_reader(text: str, repeats: int) -> None:
    reader = LogReader()
    for _ in range(repeats):
        reader.read(text)
        reader.read(STAMP + text)
