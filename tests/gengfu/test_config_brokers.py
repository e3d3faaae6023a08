"""How brokers are reached and how several are told apart is checked before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gengfu.brokers import every_settings
from gengfu.config_file import ConfigError, load_config, parse_config
from ingest.transport import Transport


def further(*lines: str, name: str = "north", host: str = "north.example") -> str:
    return "\n".join(["[[brokers]]", f'name = "{name}"', f'host = "{host}"', *lines, ""])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[broker]\ntransport = "tls"\n', "`broker.transport`: of your own broker only"),
        ('[broker]\nhost = "x"\ntransport = "udp"\n', r"`broker.transport`: .*'tls'|`broker.transport`"),
        ('[broker]\nhost = "x"\npath = "/x"\n', '`broker.path`: only with broker.transport = "ws" or "wss"'),
        ('[broker]\nhost = "x"\ntransport = "ws"\npath = "x"\n', "`broker.path`"),
        ('[broker]\nhost = "x"\ntransport = "ws"\npath = "/x y"\n', "`broker.path`"),
        ('[broker]\nhost = "x"\ntransport = "ws"\npath = "/mqtt\\n"\n', "`broker.path`"),
        (further(name="north\\n"), r"`brokers\[0\].name`"),
        ('[broker]\nhost = "x"\nserver_authority = "ca"\n', 'only with broker.transport = "tls" or "wss"'),
        ('[broker]\nhost = "x"\ntransport = "tls"\nclient_key = "k"\n', "needs broker.client_certificate"),
        ("[[brokers]]\nname = 'a'\n", r"`brokers\[0\]`: .*`host`"),
        (further("speed = 1"), r"unknown key `brokers\[0\].speed`; allowed here: host, port"),
        (further(name="North"), r"`brokers\[0\].name`"),
        (further(name=""), r"`brokers\[0\].name`"),
        (further(name="x" * 33), r"`brokers\[0\].name`"),
        (further(host=""), r"`brokers\[0\].host`"),
        (further("password_file = 'p'"), r"`brokers\[0\].password_file`: needs brokers\[0\].username"),
        (further("client_key = 'k'", "transport = 'wss'"), r"needs brokers\[0\].client_certificate"),
        (further(name="broker"), "'broker' stands for another already"),
        (further() + further(host="other"), "'north' stands for another already"),
        (further() + further(name="b"), "north.example:1883 twice with client_id 'gengfu-ingest'"),
        ("[broker]\nhost = 'NORTH.example'\n" + further(), "north.example:1883 twice"),
        ("".join(further(name=f"b{i}", host=f"h{i}") for i in range(17)), "`brokers`"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_key(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_config(text, "file")


def test_two_listeners_of_one_broker_are_two_sessions() -> None:
    text = further() + further("transport = 'tls'", name="north-tls")
    text += further("client_id = 'second'", name="again")
    assert [one.name for one in parse_config(text, "file").brokers] == ["north", "north-tls", "again"]


def test_settings_say_how_to_reach_each_broker_with_absolute_paths(tmp_path: Path) -> None:
    (tmp_path / "north.pass").write_text("secret\n")
    file = tmp_path / "gengfu.toml"
    file.write_text(
        "[broker]\nhost = '127.0.0.1'\nanonymous = true\ntransport = 'ws'\npath = '/'\n"
        + further(
            "transport = 'wss'", "username = 'u'", "password_file = 'north.pass'", "server_authority = 'ca'",
            "client_certificate = 'c'", "client_key = 'k'", "keep_alive_s = 7", "receive_maximum = 8",
            "session_expiry_h = 24", "client_id = 'me'",
        )
    )  # fmt: skip
    first, north = every_settings(load_config(file), ("a/#",))
    assert (first.name, first.port, first.username) == ("", 80, "")
    assert first.transport == Transport("ws", "/")
    paths = {key: str(tmp_path / key[0]) for key in ("certificate",)}
    assert north.transport == Transport(
        "wss", authority=str(tmp_path / "ca"), certificate_key=str(tmp_path / "k"), **paths
    )
    assert (north.name, north.host, north.port) == ("north", "north.example", 443)
    assert (north.username, north.password, north.client_id) == ("u", "secret", "me")
    assert (north.keep_alive_s, north.receive_maximum, north.session_expiry_s) == (7, 8, 86_400)
    assert north.filters == ("a/#",)


def test_a_password_file_that_went_missing_keeps_the_other_brokers_heard(tmp_path: Path) -> None:
    text = "[broker]\nanonymous = true\n" + further("username = 'u'", f"password_file = '{tmp_path}/none'")
    every = every_settings(parse_config(text, "file"), ())
    assert [(one.name, one.username, one.password) for one in every] == [("", "", ""), ("north", "u", "")]


def test_a_password_file_that_is_no_text_keeps_the_other_brokers_heard(tmp_path: Path) -> None:
    (tmp_path / "pass").write_bytes(b"\xff\xfesecret")
    text = "[broker]\nanonymous = true\n" + further("username = 'u'", f"password_file = '{tmp_path}/pass'")
    with capture_logs() as logs:
        every = every_settings(parse_config(text, "file"), ())
    assert [(one.name, one.username, one.password) for one in every] == [("", "", ""), ("north", "u", "")]
    assert [one["event"] for one in logs] == ["password_file_unreadable"]
