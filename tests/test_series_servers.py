"""The series stores of the tests do what they say, and answer a writer as ours was written for."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.series_process import ask
from tests.series_servers import (
    GIVEN,
    INFLUX2,
    INFLUX16,
    INFLUX18,
    KINDS,
    PASSWORD,
    VICTORIA,
    Row,
    SeriesServer,
    SeriesServers,
)

AT = 1_700_000_000_000_000_000
MS = 1_000_000
OURS = tuple(kind for kind in KINDS if kind != GIVEN)
of = pytest.mark.parametrize
QUICK = (INFLUX16, pytest.param(INFLUX18, marks=pytest.mark.slow), *INFLUX2, VICTORIA)
"""1.8 takes two seconds for each start."""
of_influx = of("series_kind", (INFLUX16, INFLUX18))
of_victoria = of("series_kind", (VICTORIA,))


def lines(count: int, first: int = 0) -> bytes:
    return b"".join(b"m,device=d%d v=%d %d\n" % (n % 7, n, AT + n * MS) for n in range(first, first + count))


def stored(server: SeriesServer, measurement: str = "m") -> list[float | str | bool]:
    return sorted(row.value for row in server.rows(measurement))


def test_what_was_written_is_counted_and_read_as_it_was_written(series_server: SeriesServer) -> None:
    assert series_server.count("m") == 0
    series_server.write(lines(1000) + b"n,device=d\\ 1,channel=l1 v=0.1,w=2 %d\n" % (AT + 5 * MS))
    assert series_server.count("m") == 1000
    assert series_server.count("n") == 2
    tags = (("channel", "l1"), ("device", "d 1"))
    assert series_server.rows("n") == [
        Row("n", tags, "v", 0.1, AT + 5 * MS),
        Row("n", tags, "w", 2, AT + 5 * MS),
    ]


def test_each_test_has_a_database_of_its_own(series_servers: SeriesServers, series_kind: str) -> None:
    for _ in range(2):
        with series_servers.fresh(series_kind) as server:
            assert server.count("m") == 0
            server.write(lines(1))


@of("series_kind", QUICK)
def test_a_killed_server_comes_back_with_what_it_held(series_server: SeriesServer) -> None:
    for turn in range(2):
        series_server.write(lines(1000, 1000 * turn))
        series_server.settle()
        series_server.kill()
        assert not series_server.answers()
        series_server.start()
        assert series_server.count("m") == 1000 * (turn + 1)


@of_victoria
def test_victoria_forgets_on_a_kill_what_it_has_just_acknowledged(series_server: SeriesServer) -> None:
    series_server.write(lines(1000))
    assert series_server.count("m") == 1000
    series_server.kill()
    series_server.start()
    assert series_server.count("m") == 0


@of("series_kind", OURS)
def test_a_paused_server_does_not_answer_until_it_goes_on(series_server: SeriesServer) -> None:
    series_server.write(lines(10))
    series_server.pause()
    assert not series_server.answers(0.1)
    series_server.resume()
    assert series_server.count("m") == 10


@of("series_kind", QUICK)
def test_a_server_that_a_test_left_dead_or_paused_serves_the_next(
    series_servers: SeriesServers, series_kind: str
) -> None:
    for leave in (SeriesServer.kill, SeriesServer.pause):
        with series_servers.fresh(series_kind) as server:
            leave(server)
        with series_servers.fresh(series_kind) as server:
            assert server.count("m") == 0


def test_a_server_of_the_environment_gets_a_database_and_loses_it(
    series_servers: SeriesServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with series_servers.fresh(INFLUX16) as there:
        monkeypatch.setenv("GENGFU_TEST_INFLUX_URL", there.url)
        with series_servers.fresh(GIVEN) as given:
            given.write(lines(3))
            assert (given.count("m"), there.count("m")) == (3, 0)
        names = [name for one in there.query("SHOW DATABASES") for (name,) in one["values"]]
        assert given.database not in names


@of("series_kind", (INFLUX16,))
def test_1_6_knows_no_v2_api_and_takes_microseconds_for_nanoseconds(series_server: SeriesServer) -> None:
    answer = series_server.post("/api/v2/write?org=-&bucket=x", lines(1))
    assert (answer.status, answer.body) == (404, b"404 page not found\n")
    answer = series_server.post(series_server.write_path + "&precision=us", b"m v=1 1700000000000000\n")
    assert answer.status == 204
    assert [row.time_ns for row in series_server.rows("m")] == [1_700_000_000_000_000]


@of("series_kind", (INFLUX18,))
def test_1_8_takes_lines_by_the_v2_api_too(series_server: SeriesServer) -> None:
    path = f"/api/v2/write?org=-&bucket={series_server.bucket}"
    assert series_server.post(f"{path}&precision=us", b"m v=1 1700000000000000\n").status == 204
    assert [row.time_ns for row in series_server.rows("m")] == [AT]
    answer = series_server.post(f"{path}&precision=n", lines(1))
    assert answer.json() == {"error": 'invalid precision "n" (use ns, us, ms or s)'}


CONFLICT = (
    'partial write: field type conflict: input field "v" on measurement "m" is type string, '
    "already exists as type float dropped=1"
)


@of_influx
@of(
    ("bad", "why"),
    [
        (b'm,device=d v="x" 2', CONFLICT),
        (b"m,device= v=2 2", "partial write: unable to parse 'm,device= v=2 2': missing tag value dropped=0"),
        (b"m v=NaN 2", "partial write: unable to parse 'm v=NaN 2': invalid number dropped=0"),
    ],
)
def test_influx_refuses_a_bad_line_with_400_and_keeps_the_good_ones(
    series_server: SeriesServer, bad: bytes, why: str
) -> None:
    series_server.write(b"m,device=d v=0 0\n")
    answer = series_server.post(
        series_server.write_path, b"m,device=d v=1 1\n" + bad + b"\nm,device=d v=3 3\n"
    )
    assert (answer.status, answer.json()) == (400, {"error": why})
    assert answer.headers["x-influxdb-error"] == why
    assert stored(series_server) == [0, 1, 3]


@of_influx
def test_influx_gives_404_for_a_database_and_500_for_a_policy_that_it_does_not_know(
    series_server: SeriesServer,
) -> None:
    missing = replace(series_server, database="nope")
    answer = missing.post(missing.write_path, lines(1))
    assert (answer.status, answer.json()) == (404, {"error": 'database not found: "nope"'})
    answer = series_server.post(series_server.write_path + "&rp=nope", lines(1))
    assert (answer.status, answer.json()) == (500, {"error": "retention policy not found: nope"})


@of_influx
def test_influx_refuses_what_is_older_than_it_keeps_and_stores_the_rest(series_server: SeriesServer) -> None:
    series_server.query(
        f"CREATE RETENTION POLICY raw ON {series_server.database} DURATION 1d REPLICATION 1 DEFAULT"
    )
    answer = series_server.post(series_server.write_path, b"m v=1 1\nm v=2 %d\n" % time.time_ns())
    why = "partial write: points beyond retention policy dropped=1"
    assert (answer.status, answer.json()) == (400, {"error": why})
    assert stored(series_server) == [2]


STRICT = {
    "http": "max-body-size = 2000\nmax-concurrent-write-limit = 1\nmax-enqueued-write-limit = 1",
    "data": "max-values-per-tag = 3",
}


@pytest.fixture(scope="module", params=(INFLUX16, INFLUX18))
def strict(request: pytest.FixtureRequest, series_servers: SeriesServers) -> Iterator[SeriesServer]:
    """Wants a password, and has low limits."""
    with series_servers.own(str(request.param), STRICT, PASSWORD) as server:
        yield server


def test_influx_wants_a_password_and_1_8_takes_it_as_a_token(strict: SeriesServer) -> None:
    strict.write(b"password v=1 1\n")
    assert strict.count("password") == 1
    for who, why in (
        (replace(strict, user=""), "unable to parse authentication credentials"),
        (replace(strict, password="wrong"), "authorization failed"),
    ):
        answer = who.post(strict.write_path, b"password v=2 2\n")
        assert (answer.status, answer.json()) == (401, {"error": why})
    token = ask(strict.url + strict.write_path, b"t v=1 1\n", {"Authorization": f"Token {strict.token}"})
    assert token.status == {INFLUX16: 401, INFLUX18: 204}[strict.kind]


def test_beyond_its_values_of_a_tag_influx_refuses_the_new_and_loses_good_lines_with_them(
    strict: SeriesServer,
) -> None:
    """1.8 stores nothing of such a request and 1.6 all but the line before, and both say dropped=1."""
    strict.write(b"".join(b"m,device=d%d v=0 0\n" % n for n in range(3)))
    answer = strict.post(
        strict.write_path, b"m,device=d0 v=1 1\nm,device=d1 v=1 2\nm,device=new v=1 3\nm,device=d2 v=1 4\n"
    )
    why = 'max-values-per-tag limit exceeded (3/3): measurement="m" tag="device" value="new" dropped=1'
    assert (answer.status, answer.json()) == (400, {"error": f"partial write: {why}"})
    kept = {row.time_ns for row in strict.rows("m")}
    assert kept == {INFLUX16: {0, 2, 4}, INFLUX18: {0}}[strict.kind]


def test_influx_refuses_a_body_over_its_limit_and_a_packed_one_counts_as_it_is_sent(
    strict: SeriesServer,
) -> None:
    body = b"".join(b"big v=1 %d\n" % n for n in range(400))
    answer = strict.post(strict.write_path, body)
    assert (answer.status, answer.json()) == (413, {"error": "Request Entity Too Large"})
    assert strict.count("big") == 0
    packed = gzip.compress(body)
    assert len(packed) < 2000 < len(body)
    assert strict.post(strict.write_path, packed, Content_Encoding="gzip").status == 204
    assert strict.count("big") == 400


def test_influx_under_too_much_work_answers_503_without_saying_when_to_come_again(
    strict: SeriesServer,
) -> None:
    """In plain text and not in JSON: the limit stands before the API."""
    assert strict.process
    unfinished = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n".replace(
        b" / ", f" {strict.write_path}&u={strict.user}&p={strict.password} ".encode()
    )
    held = [socket.create_connection(("127.0.0.1", strict.process.port)) for _ in range(2)]
    try:
        for one in held:
            one.sendall(unfinished)
        deadline = time.monotonic() + 10
        answer = _at_once(strict)
        while answer is None or answer[0] != 503:
            assert time.monotonic() < deadline
            answer = _at_once(strict)
        assert answer == (503, b"request throttled, queue full\n", None)
    finally:
        for one in held:
            one.close()


def _at_once(server: SeriesServer) -> tuple[int, bytes, str | None] | None:
    """None where the request stands in line."""
    try:
        answer = ask(server.url + server.write_path, b"x v=1 1\n", patience_s=0.1)
    except OSError:
        return None
    return answer.status, answer.body, answer.headers.get("retry-after")


@of_victoria
def test_victoria_says_204_to_bad_lines_and_drops_them(series_server: SeriesServer) -> None:
    series_server.write(b"m v=1 %d\njunk\nm v=NaN %d\nm v=3 %d\n" % (AT, AT + MS, AT + 2 * MS))
    series_server.write(b"m v=4 %d\n" % (time.time_ns() + 3 * 86400 * 10**9))  # two days ahead are the most
    values = [row.value for row in series_server.rows("m")]
    assert [values[0], values[-1]] == [1, 3]
    assert 4 not in values


@of_victoria
def test_victoria_makes_texts_zero_cuts_times_to_ms_and_keeps_one_of_each(
    series_server: SeriesServer,
) -> None:
    series_server.write(b'text v="x" %d\n' % AT)
    assert stored(series_server, "text") == [0]
    series_server.write(b"m v=1 %d\nm v=2 %d\nm v=3 %d\n" % (AT + 1, AT + 500_000, AT + MS))
    assert series_server.rows("m") == [Row("m", (), "v", 2, AT), Row("m", (), "v", 3, AT + MS)]


@of_victoria
def test_victoria_refuses_with_400_what_it_cannot_unpack(series_server: SeriesServer) -> None:
    answer = series_server.post(
        series_server.write_path, gzip.compress(lines(9))[:-12], Content_Encoding="gzip"
    )
    assert answer.status == 400
    assert b"cannot read influx line protocol data" in answer.body


def test_victoria_asks_for_its_password(series_servers: SeriesServers) -> None:
    flags = f"-httpAuth.username=a -httpAuth.password={PASSWORD}"
    with series_servers.own(VICTORIA, {"flags": flags}) as server:
        assert server.post(server.write_path, lines(1)).status == 401
        replace(server, user="a", password=PASSWORD).write(lines(1))
