"""Free ports: each is another, and a process can be kept to its own."""

from __future__ import annotations

import socket
import subprocess
import sys

from gengfu.ports import free_port
from tests.conftest import PORTS

TAKES = (
    "import sys; from gengfu.ports import free_port, take_ports_from; first = int(sys.argv[1]); "
    "take_ports_from(range(first, first + 4), first + 2); print([free_port() - first for _ in range(6)])"
)


def taken(first: int) -> str:
    """What a process gives away that keeps to four ports from `first`, beginning with the third."""
    words = [sys.executable, "-c", TAKES, str(first)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def four_in_a_row() -> int:
    """The first of four ports that nobody listens on."""
    while True:
        ports = [free_port() for _ in range(4)]
        if ports[3] - ports[0] == 3:
            return ports[0]


def test_a_process_kept_to_its_ports_gives_them_away_in_turn() -> None:
    assert taken(four_in_a_row()) == "[2, 3, 0, 1, 2, 3]"


def test_a_port_of_its_own_on_which_somebody_listens_is_left_out() -> None:
    first = four_in_a_row()
    with socket.create_server(("127.0.0.1", first + 3)):
        assert taken(first) == "[2, 0, 1, 2, 0, 1]"


def test_the_ports_of_these_tests_are_none_that_the_system_gives_to_connections() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert server.getsockname()[1] not in PORTS
    assert free_port() in PORTS
