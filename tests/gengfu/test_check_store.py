"""`gengfu check` proves on real servers that points can be written and read, and says what to do where they
cannot."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from gengfu.check_store import store_findings
from gengfu.config_store import Store
from gengfu.ports import free_port
from gengfu.tls import make_authority, make_server
from tests.ingest.influx.answering import Answering, answering, by_path, saying
from tests.series_servers import INFLUX16, INFLUX18, VICTORIA, SeriesServer, SeriesServers

NO_DATA = Path("/nonexistent")


def told(store: Store) -> dict[str, tuple[bool | None, str]]:
    return {one.name: (one.ok, one.text) for one in store_findings(store, NO_DATA)}


def at(server: SeriesServer, **more: str) -> Store:
    plain = Store(kind="influxdb", url=server.url, database=server.database)
    return msgspec.structs.replace(plain, **more)


def test_of_the_embedded_store_nothing_is_said() -> None:
    assert told(Store()) == {}


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_a_server_that_takes_points_is_named_with_its_limits(series_server: SeriesServer) -> None:
    found = told(at(series_server))
    ok, text = found["series store"]
    assert (ok, text.split(" at ")[0]) == (True, "InfluxDB 1.6.7~rc0")
    assert text.endswith(f"takes points in {series_server.database}, and gives them back")
    ok, text = found["series store limits"]
    assert ok is False
    assert "max-values-per-tag is 100000" in text
    assert "set max-values-per-tag = 0, max-series-per-database = 0" in text
    assert series_server.query("SHOW MEASUREMENTS") == [], "asking stores nothing"


def test_a_server_without_limits_is_well(series_servers: SeriesServers) -> None:
    none = {"data": "max-values-per-tag = 0\nmax-series-per-database = 0"}
    with series_servers.own(INFLUX16, none) as server:
        assert told(at(server))["series store limits"][0] is True


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_what_is_missing_is_named(series_server: SeriesServer) -> None:
    ok, text = told(at(series_server, database="nowhere"))["series store"]
    assert ok is False
    assert text.endswith('make the database: `gengfu influx init`, or CREATE DATABASE "nowhere"')
    ok, text = told(at(series_server, database="", bucket="b"))["series store"]
    assert ok is False
    assert text.endswith('this release has no buckets: set store.database = "b" instead of store.bucket')


def test_wrong_credentials_are_named_and_not_shown(series_servers: SeriesServers, tmp_path: Path) -> None:
    secret = tmp_path / "p"
    with series_servers.own(INFLUX16, password="geheim-1") as server:
        for password, well in (("geheim-1", True), ("wrong-2", False)):
            secret.write_text(f"{password}\n")
            found = told(at(server, user="admin", password_file=str(secret)))
            assert found["series store"][0] is well
            assert password not in str(found)
        assert "HTTP 401" in found["series store"][1]
        assert found["series store"][1].endswith(
            "compare user, password (admin, and the file that store.password_file names)"
        )
        assert found["series store limits"][0] is None, "nobody may read them"


def test_nobody_at_home_is_a_problem_and_not_a_crash() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert told(Store(kind="influxdb", url=url, database="g")) == {
        "series store": (
            False,
            f"{url}: no answer from the server: nothing listens there (Connection refused);"
            " see whether the server runs, and whether store.url has its port",
        )
    }


def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for file in ("missing", "empty"):
        store = Store(kind="influxdb", url="http://h", bucket="b", token_file=str(tmp_path / file))
        (finding,) = store_findings(store, NO_DATA)
        assert finding.ok is False
        assert file in finding.text


@pytest.mark.parametrize("series_kind", [INFLUX18, VICTORIA])
def test_newer_servers_are_asked_the_newer_way(series_server: SeriesServer) -> None:
    bucket = series_server.bucket or "any"
    found = told(Store(kind="influxdb", url=series_server.url, org="-", bucket=bucket))
    assert found["series store"][0] is True
    name = {INFLUX18: "InfluxDB 1.8.10", VICTORIA: "VictoriaMetrics"}[series_server.kind]
    assert found["series store"][1].startswith(name)
    if series_server.kind == VICTORIA:
        assert found["series store repeats"] == (True, "points of one series within 1ms are one")


@pytest.mark.parametrize("series_kind", [INFLUX16, INFLUX18])
def test_a_retention_policy_that_is_not_there_is_named(series_server: SeriesServer) -> None:
    """A comment is refused for it as points would be."""
    for policy, do in (
        ("raw", "`gengfu influx init` makes it"),
        ("other", "make the retention policy other, or leave out store.retention_policy"),
    ):
        ok, text = told(at(series_server, retention_policy=policy))["series store"]
        assert ok is False
        assert "retention policy not found" in text
        assert text.endswith(do)


def test_who_may_read_and_not_write_is_told_the_right_that_is_missing(
    series_servers: SeriesServers, tmp_path: Path
) -> None:
    (tmp_path / "p").write_text("r")
    (tmp_path / "t").write_text("r:wrong")
    with series_servers.own(INFLUX18, password="geheim-1") as server:
        server.query("CREATE USER r WITH PASSWORD 'r'")
        server.query(f"GRANT READ ON {server.database} TO r")
        ok, text = told(at(server, user="r", password_file=str(tmp_path / "p")))["series store"]
        assert ok is False
        assert text.endswith(f'let the user read and write: GRANT ALL ON "{server.database}" TO "r"')
        token = str(tmp_path / "t")
        by_token = Store(kind="influxdb", url=server.url, bucket=server.bucket, token_file=token)
        ok, text = told(by_token)["series store"]
        assert ok is False
        assert text.endswith(
            f"put a token that may read and write {server.bucket} into the file that store.token_file names,"
            " on 1.8 as user:password"
        )
        ok, text = told(at(server))["series store"]
        assert ok is False
        assert text.endswith("it wants to know who writes: set store.user, store.password_file")


@pytest.mark.parametrize("kind", [INFLUX16, INFLUX18])
def test_who_may_write_and_not_read_is_told_so_and_the_words_set_it_right(
    series_servers: SeriesServers, tmp_path: Path, kind: str
) -> None:
    """GRANT READ would take the right to write away: InfluxDB 1.x holds one right of a user and database."""
    (tmp_path / "p").write_text("w")
    (tmp_path / "t").write_text("w:w")
    with series_servers.own(kind, password="geheim-1") as server:
        server.query("CREATE USER w WITH PASSWORD 'w'")
        server.query(f"GRANT WRITE ON {server.database} TO w")
        ours = [at(server, user="w", password_file=str(tmp_path / "p"))]
        if kind == INFLUX18:
            token = str(tmp_path / "t")
            ours.append(Store(kind="influxdb", url=server.url, bucket=server.bucket, token_file=token))
        grant = f'GRANT ALL ON "{server.database}" TO "w"'
        for store in ours:
            ok, text = told(store)["series store"]
            assert ok is False
            assert ", and they cannot be read there: HTTP 403: " in text
            assert text.endswith(f"; we may write there and not read: {grant}")
        server.query(grant)
        assert [told(store)["series store"][0] for store in ours] == [True] * len(ours)


def test_a_server_that_takes_points_and_answers_no_question_is_told_so() -> None:
    pages = {"/write": saying(b"", 204), "/query": saying(b"{}", 503)}
    with answering(by_path(pages)) as url:
        ok, text = told(Store(kind="influxdb", url=url, database="g"))["series store"]
    assert ok is False
    assert "takes points in g, and they cannot be read there: HTTP 503: {}; see whether the server" in text


def test_a_page_to_log_in_is_called_one() -> None:
    page = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>" + b"x" * 5_000
    with answering(saying(page)) as url:
        assert told(Store(kind="influxdb", url=url, database="g")) == {
            "series store": (
                False,
                f"a server at {url}: HTTP 200: a web page, 'Sign in'; a proxy or another service answers in"
                " its place: let this machine through, or set store.url to the series server itself",
            )
        }


def test_a_certificate_of_ones_own_authority_is_told_where_to_name_it(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    make_authority(tmp_path, "site", now)
    make_server(tmp_path, ["127.0.0.1"], now)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    with answering(saying(b"", 204), tls) as url:
        ok, text = told(Store(kind="influxdb", url=url, bucket="b"))["series store"]
        assert ok is False
        assert "its certificate is not trusted (" in text
        assert text.endswith("the authority that signed it in the environment as SSL_CERT_FILE")
        ok, text = told(Store(kind="influxdb", url=url.replace("https", "http"), bucket="b"))["series store"]
        assert ok is False
        assert text.endswith("see its log; where it wants TLS, write https:// in store.url")


def two(said: bytes, status: int) -> Mapping[str, Answering]:
    """As InfluxDB 2.7.12 answers."""
    named = {"X-Influxdb-Version": "2.7.12", "X-Influxdb-Build": "OSS"}
    return {"/ping": saying(b"", 204, named), "/api/v2/write": saying(said, status)}


@pytest.mark.parametrize(
    ("said", "status", "do"),
    [
        (
            b'{"code":"unauthorized","message":"unauthorized access"}',
            401,
            "put a token that may read and write b into the file that store.token_file names",
        ),
        (
            b'{"code":"not found","message":"bucket \\"b\\" not found"}',
            404,
            "influx bucket create --org o --name b --retention 400d",
        ),
        (
            b'{"code":"not found","message":"organization name \\"o\\" not found"}',
            404,
            "compare store.org (o) with `influx org list` at the server",
        ),
    ],
)
def test_influxdb_2_is_spoken_of_in_its_own_words(said: bytes, status: int, do: str, tmp_path: Path) -> None:
    (tmp_path / "t").write_text("abc")
    with answering(by_path(two(said, status))) as url:
        store = Store(kind="influxdb", url=url, org="o", bucket="b", token_file=str(tmp_path / "t"))
        ok, text = told(store)["series store"]
    assert ok is False
    assert text.startswith(f"InfluxDB 2.7.12 at {url}: HTTP {status}: ")
    assert text.endswith(do)
