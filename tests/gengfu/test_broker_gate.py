"""Real mosquitto, with and without TLS: who may publish does, who may not is refused and told, alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.registry.credentials import Credential
from ingest.gate.lines import CutOff
from tests.gengfu.gated import INGEST, Gate, gated

NOT_AUTHORISED = 0x87


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def gate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gate]:
    with gated(tmp_path, tls=request.param) as opened:
        yield opened


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Gate]:
    with gated(tmp_path) as opened:
        yield opened


def test_a_device_publishes_on_its_own_topic_and_on_no_others(gate: Gate) -> None:
    gate.login("dev-1")
    gate.login("dev-2")
    gate.login("hub", "zigbee2mqtt", "home/2 A")
    ingest = gate.connect(gate.logins[INGEST])
    ingest.subscribe("#")
    gate.reload()
    victim, other = gate.connect(gate.logins["dev-1"]), gate.connect(gate.logins["dev-2"])
    hub = gate.connect(gate.logins["hub"])
    assert victim.publish("gengfu/dev-1/readings", b"mine") == 0
    assert other.publish("gengfu/dev-1/readings", b"forged") == NOT_AUTHORISED
    assert other.publish("gengfu/dev-1") == NOT_AUTHORISED
    assert other.publish("gengfu/dev-12/readings") == NOT_AUTHORISED
    assert other.publish("zigbee2mqtt/0x1") == NOT_AUTHORISED
    assert hub.publish("zigbee2mqtt", b"state") == 0
    assert hub.publish("home/2 A/lamp", b"lamp") == 0
    assert hub.publish("gengfu/dev-1/readings") == NOT_AUTHORISED
    assert victim.publish("gengfu/dev-1/readings", b"still mine") == 0
    assert ingest.got(4) == [b"mine", b"state", b"lamp", b"still mine"]
    assert [client.breaks for client in (victim, other, hub, ingest)] == [0, 0, 0, 0]
    told = gate.refusals(5)
    assert [(one.kind, one.who, one.topic, one.address) for one in told] == [
        ("topic", "dev-2", "gengfu/dev-1/readings", "127.0.0.1"),
        ("topic", "dev-2", "gengfu/dev-1", "127.0.0.1"),
        ("topic", "dev-2", "gengfu/dev-12/readings", "127.0.0.1"),
        ("topic", "dev-2", "zigbee2mqtt/0x1", "127.0.0.1"),
        ("topic", "hub", "gengfu/dev-1/readings", "127.0.0.1"),
    ]
    for client in (ingest, victim, other, hub):
        client.leave()


def test_an_unknown_one_a_wrong_password_and_nobody_are_refused_and_told(gate: Gate) -> None:
    login = gate.login("dev-1")
    gate.connect(gate.logins[INGEST]).leave()
    gate.reload()
    for wrong in (Credential("stranger", "x"), Credential(login.name, "x"), Credential(login.name, ""), None):
        assert gate.connect(wrong).refused
    assert not gate.connect(login).refused
    assert {(one.kind, one.address) for one in gate.refusals(4)} == {("login", "127.0.0.1")}
    assert len(gate.refusals(4)) == 4


def test_a_revoked_one_and_an_old_password_are_cut_off_and_do_not_come_back(gate: Gate) -> None:
    revoked, rotated = gate.login("revoked"), gate.login("rotated")
    gate.login("stays")
    ingest = gate.connect(gate.logins[INGEST])
    gate.reload()
    first, second, stays = (gate.connect(gate.logins[name]) for name in ("revoked", "rotated", "stays"))
    del gate.logins["revoked"]
    gate.login("rotated")
    gate.reload()
    assert first.cut_off()
    assert second.cut_off()
    assert gate.connect(revoked).refused
    assert gate.connect(rotated).refused
    assert not gate.connect(gate.logins["rotated"]).refused
    assert {one.name for one in gate.meanings() if isinstance(one, CutOff)} == {"revoked", "rotated"}
    assert stays.publish("gengfu/stays") == 0
    assert (stays.breaks, ingest.breaks) == (0, 0)


def test_no_client_takes_over_the_session_of_another(plain: Gate) -> None:
    plain.login("evil")
    ingest = plain.connect(plain.logins[INGEST])
    ingest.subscribe("#")
    plain.reload()
    evil = plain.connect(plain.logins["evil"], INGEST)
    assert evil.publish("gengfu/evil", b"here") == 0
    assert ingest.got(1) == [b"here"]
    assert ingest.breaks == 0


@pytest.mark.parametrize(
    "name", ["a' (p5, c1, k60, u'dev-1').", "<unknown>", "x disconnected.", "é: \u2028 "]
)
def test_a_hostile_client_id_speaks_for_nobody(plain: Gate, name: str) -> None:
    plain.login("dev-1")
    plain.login("evil")
    plain.connect(plain.logins[INGEST]).leave()
    plain.reload()
    assert plain.connect(plain.logins["evil"], name).publish(f"gengfu/dev-1/{name}") == NOT_AUTHORISED
    assert plain.connect(None, name).refused
    topic, *logins = plain.refusals(2)
    assert (topic.kind, topic.who) == ("topic", "evil")
    assert all(one.kind == "login" and one.who not in ("dev-1", "evil") for one in logins)


def test_fifty_others_notice_nothing_of_publishers_made_rotated_and_revoked(gate: Gate) -> None:
    logins = [gate.login(f"dev-{n}") for n in range(50)]
    ingest = gate.connect(gate.logins[INGEST])
    ingest.subscribe("gengfu/#")
    gate.reload()
    clients = [gate.connect(login) for login in logins]
    stop = threading.Event()
    sent: list[list[bytes]] = [[] for _ in clients]

    def publish(n: int) -> None:
        while not stop.is_set():
            payload = f"{n}/{len(sent[n])}".encode()
            assert clients[n].publish(f"gengfu/dev-{n}/readings", payload) == 0
            sent[n].append(payload)
            stop.wait(0.02)

    threads = [threading.Thread(target=publish, args=(n,)) for n in range(len(clients))]
    for thread in threads:
        thread.start()
    for n in range(4):
        gate.login(f"new-{n}")
        gate.login("rotating")
        gate.logins.pop(f"new-{n - 2}", None)
        gate.reload()
    stop.set()
    for thread in threads:
        thread.join()
    wanted = {payload for each in sent for payload in each}
    assert sum(client.breaks for client in clients) == 0
    assert len(wanted) >= 50
    assert set(ingest.got(len(wanted))) == wanted
    for client in (*clients, ingest):
        client.leave()


def test_what_waits_for_ingest_survives_a_reload_while_it_is_away(plain: Gate) -> None:
    device = plain.login("dev-1")
    plain.write()
    ingest = plain.connect(plain.logins[INGEST], session_s=86_400)
    ingest.subscribe("#")
    plain.reload()
    ingest.leave()
    client = plain.connect(device)
    client.publish("gengfu/dev-1/readings", b"before")
    plain.reload()
    client.publish("gengfu/dev-1/readings", b"after")
    back = plain.connect(plain.logins[INGEST], session_s=86_400)
    assert back.session_present
    assert back.got(2) == [b"before", b"after"]


def test_after_a_restart_of_the_broker_a_reload_waits_for_ingest_and_nothing_is_lost(plain: Gate) -> None:
    device, gone = plain.login("dev-1"), plain.login("gone")
    plain.write()
    ingest = plain.connect(plain.logins[INGEST], session_s=86_400)
    ingest.subscribe("#")
    plain.reload()
    ingest.leave()
    plain.connect(device).publish("gengfu/dev-1/readings", b"before")
    plain.stop()
    plain.start()
    condemned = plain.connect(gone)
    del plain.logins["gone"]
    plain.write()
    plain.hang_up()
    assert plain.connect(device).publish("gengfu/dev-1/readings", b"while it waits") == 0
    assert condemned.publish("gengfu/gone") == 0
    back = plain.connect(plain.logins[INGEST], session_s=86_400)
    assert back.got(3) == [b"before", b"while it waits", b"1"]
    assert condemned.cut_off()
    assert plain.connect(device).publish("gengfu/dev-1/readings", b"after") == 0
    assert back.got(4)[-1] == b"after"
    assert back.breaks == 0


SIGN = "New client connected from 127.0.0.1:5000 as gengfu-ingest (p5, c0, k30, u'gengfu-ingest')."


@pytest.mark.parametrize("words", ["x as gengfu-ingest (p", SIGN, "2026-11-22T00:57:45: " + SIGN, " running"])
def test_no_topic_and_no_client_id_of_a_publisher_makes_the_leash_pass_a_reload_on(
    plain: Gate, words: str
) -> None:
    device, evil = plain.login("dev-1"), plain.login("evil")
    plain.write()
    ingest = plain.connect(plain.logins[INGEST], session_s=86_400)
    ingest.subscribe("#")
    plain.reload()
    ingest.leave()
    plain.stop()
    plain.start()
    forging = plain.connect(evil, words)
    assert forging.publish(words) == NOT_AUTHORISED
    assert plain.connect(None, words).refused
    plain.login("fresh")
    plain.write()
    plain.hang_up()
    smoke = plain.connect(device)
    for n in range(5):
        assert smoke.publish("gengfu/dev-1/readings", b"smoke %d" % n) == 0
    back = plain.connect(plain.logins[INGEST], session_s=86_400)
    assert back.got(5) == [b"smoke %d" % n for n in range(5)]


@pytest.mark.parametrize("odd", ["\n", "\r", "\x1f", "\x7f", "\x85"])
def test_mosquitto_takes_no_line_end_and_no_control_character_from_a_client(plain: Gate, odd: str) -> None:
    """What reading its log line by line rests on."""
    plain.login("evil")
    plain.connect(plain.logins[INGEST]).leave()
    plain.reload()
    evil = plain.connect(plain.logins["evil"])
    assert evil.publish(f"gengfu/evil/a{odd}Reloading config.") in (-1, NOT_AUTHORISED)
    assert evil.cut_off()
    assert plain.connect(None, f"a{odd}Reloading config.").refused
    plain.connect(plain.logins["evil"]).publish("elsewhere")
    assert [one.topic for one in plain.refusals(1) if one.kind == "topic"] == ["elsewhere"]
    log = (plain.folder / "broker" / "mosquitto.log").read_bytes()
    assert not any(line.startswith(b"Reloading") for line in log.split(b"\n"))


def test_a_publish_on_a_topic_longer_than_a_line_of_the_log_is_told_too(plain: Gate) -> None:
    plain.login("evil")
    plain.connect(plain.logins[INGEST]).leave()
    plain.reload()
    assert plain.connect(plain.logins["evil"]).publish("x" * 5000) == NOT_AUTHORISED
    [told] = plain.refusals(1)
    assert (told.kind, told.who, told.topic) == ("topic", "evil", "x" * 200)
