"""Which message is due when, how a plan is shared out over connections, and what one connection sends."""

from __future__ import annotations

import json
import re
import socket
import threading
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.forms import FORMS, POINTS
from simulators.load import LoadError, LoadPlan
from simulators.mix import MAX_DEVICES, parse_mix
from simulators.plan import share_out
from simulators.publisher import Address, Publisher
from simulators.share import Share
from simulators.spread import Spread
from simulators.stencil import FIRST_SEQ

MIX = parse_mix("own:60,smoke:25,bare:15")


class Sink:
    """A broker that lets everybody in, takes everything and never answers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.taken = bytearray()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"\x20\x03\x00\x00\x00")
            while chunk := connection.recv(1 << 16):
                self.taken += chunk

    def close(self) -> None:
        """Once the publisher is gone."""
        self._thread.join(30)
        self._listener.close()


@pytest.fixture
def sink() -> Iterator[Sink]:
    broker = Sink()
    yield broker
    broker.close()


def send_all_due(publisher: Publisher, elapsed_s: float, start_ms: int = 10**12) -> None:
    """As the pacing does within one tick."""
    while publisher.late(elapsed_s) and publisher.room > 0:
        publisher.send(elapsed_s, start_ms, 256, lambda: elapsed_s)


@pytest.mark.parametrize("qos", [0, 1])
def test_what_is_due_goes_when_it_is_due_whatever_the_broker_answers(sink: Sink, qos: int) -> None:
    """An open loop: nothing is ever acknowledged here, and the clock is the test's."""
    share = Share(0, 500, FIRST_SEQ, count=4000, offset_s=0.25, interval_s=0.001)
    publisher = Publisher(
        Address("127.0.0.1", sink.port), "c", share, qos=qos, window=0, behind=Spread(), mix=MIX
    )
    publisher.open()
    for elapsed_s in (0.1, 0.25, 0.26, 0.9, 3.0, 4.2495, 9.0):
        send_all_due(publisher, elapsed_s)
        assert publisher.sent == share.due(elapsed_s)
    publisher.close()
    sink.close()
    at = [int(each) for each in re.findall(rb'"at": ?(\d{13})', sink.taken)]
    assert len(at) == 3000  # three quarters carry a time
    assert at == sorted(at)
    assert set(at) <= {10**12 + 250 + k for k in range(4000)}
    assert publisher.behind.longest_s < 5.8


def test_lateness_is_told_by_the_clock_after_the_kernel_has_the_messages(sink: Sink) -> None:
    """A turn that began in time and took two seconds until then was two seconds late."""
    share = Share(0, 10, FIRST_SEQ, count=10, offset_s=0, interval_s=0.001)
    behind = Spread()
    publisher = Publisher(Address("127.0.0.1", sink.port), "c", share, qos=1, window=0, behind=behind)
    publisher.open()
    assert publisher.send(0.0, 10**12, 256, lambda: 2.0)
    publisher.close()
    assert behind.longest_s == pytest.approx(2.0, rel=0.05)


def test_a_full_window_holds_messages_back_and_their_time_stands(sink: Sink) -> None:
    share = Share(0, 10, FIRST_SEQ, count=1000, offset_s=0, interval_s=0.001)
    publisher = Publisher(Address("127.0.0.1", sink.port), "c", share, qos=1, window=20, behind=Spread())
    publisher.open()
    send_all_due(publisher, 0.5)
    assert (publisher.sent, publisher.room) == (20, 0)
    assert publisher.late(0.5)
    publisher.close()
    sink.close()
    told = json.loads(bytes(sink.taken[sink.taken.rindex(b'{"at"') :]))
    assert told["at"] == 10**12 + 19


def test_a_million_identities_take_no_more_memory_than_a_thousand(sink: Sink) -> None:
    """Nothing is kept for a device: 0 bytes each. What there is are blocks of messages, below 4 MB."""
    share = Share(0, MAX_DEVICES, FIRST_SEQ, count=2 * MAX_DEVICES, offset_s=0, interval_s=1e-5)
    tracemalloc.start()
    publisher = Publisher(
        Address("127.0.0.1", sink.port), "c", share, qos=0, window=0, behind=Spread(), mix=MIX
    )
    publisher.open()
    for _ in range(200):
        publisher.send(1e6, 10**12, 256, lambda: 1e6)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    publisher.close()
    sink.close()
    assert most - len(sink.taken) < 4_000_000


@given(st.integers(1, 50), st.integers(0, 2000), st.integers(0, 2000))
def test_messages_are_counted_by_form_as_they_are_sent(devices: int, first: int, more: int) -> None:
    share = Share(7, devices, FIRST_SEQ, count=10_000, offset_s=0, interval_s=1)
    whole = share.forms_counted(0, first + more, MIX)
    assert whole.sum() == first + more
    assert (share.forms_counted(0, first, MIX) + share.forms_counted(first, first + more, MIX) == whole).all()
    own = np.array([form.kind == "own" for form in FORMS])
    assert (whole * POINTS)[own].sum() == 4 * whole[own].sum()


@given(st.floats(0, 1), st.floats(1e-5, 1), st.integers(0, 1000))
def test_a_message_is_due_from_its_intended_time_on(offset_s: float, interval_s: float, k: int) -> None:
    share = Share(0, 1, 0, count=10_000, offset_s=offset_s, interval_s=interval_s)
    assert share.due(offset_s + k * interval_s + 1e-9) >= k + 1
    assert share.due(offset_s + (k + 0.5) * interval_s) == k + 1
    assert share.due(offset_s - 1e-9) == 0


def test_no_more_is_due_than_there_is() -> None:
    assert Share(0, 1, 0, count=7, offset_s=0, interval_s=0.001).due(1e6) == 7
    assert Share(0, 1, 0, count=7, offset_s=0, interval_s=0).due(0) == 7


@given(st.integers(1, 50), st.integers(0, 1000), st.integers(1, 10_000), st.integers(1, 5000))
def test_connections_share_devices_and_messages_without_a_rest(
    connections: int, more_devices: int, rate: int, count: int
) -> None:
    plan = LoadPlan(
        rate=float(rate),
        seconds=1e4,
        count=count,
        devices=connections + more_devices,
        connections=connections,
    )
    shares = [share for _, share in share_out(plan)]
    devices = [
        each for share in shares for each in range(share.first_device, share.first_device + share.devices)
    ]
    assert devices == list(range(plan.devices))
    assert sum(share.count for share in shares) == plan.total


def test_together_the_connections_keep_the_rate() -> None:
    shares = [share for _, share in share_out(LoadPlan(rate=100, seconds=10, connections=3, devices=3))]
    intended = sorted(share.offset_s + k * share.interval_s for share in shares for k in range(share.count))
    assert intended == pytest.approx([n / 100 for n in range(1000)])


@given(st.integers(2, 400), st.floats(0.01, 0.99), st.integers(1, 4), st.integers(1, 5000))
def test_a_share_at_qos_0_takes_devices_messages_and_rate_in_proportion(
    devices: int, qos0_share: float, connections: int, count: int
) -> None:
    plan = LoadPlan(
        rate=1000,
        seconds=1e4,
        count=count,
        devices=max(devices, connections),
        connections=connections,
        qos0_share=qos0_share,
    )
    plan.check()
    out = share_out(plan)
    carried = [
        each for _, share in out for each in range(share.first_device, share.first_device + share.devices)
    ]
    assert carried == list(range(plan.devices))
    assert sum(share.count for _, share in out) == plan.total
    at_qos_0 = [share for qos, share in out if qos == 0]
    assert sum(share.devices for share in at_qos_0) == round(plan.devices * qos0_share)
    for _, share in out:
        assert share.count == 0 or share.due(share.intended_s(share.count - 1) + 1e-6) == share.count
    assert sum(share.rate for _, share in out) == pytest.approx(plan.rate)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate", -1.0),
        ("seconds", 0.0),
        ("seconds", 1e9),
        ("devices", 1_000_001),
        ("devices", 0),
        ("first_device", 999_999),
        ("first_seq", 5),
        ("connections", 0),
        ("qos", 2),
        ("qos0_share", 1.0),
        ("qos0_share", -0.1),
        ("mix", "water:1"),
        ("window", 70_000),
        ("batch", 0),
        ("tick_ms", 0.0),
    ],
)
def test_a_plan_out_of_bounds_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(LoadError, match=field):
        LoadPlan(**{field: value}).check()  # type: ignore[arg-type]


def test_a_share_at_qos_0_of_a_load_at_qos_0_is_refused() -> None:
    with pytest.raises(LoadError, match="qos0_share"):
        LoadPlan(qos=0, qos0_share=0.2).check()
