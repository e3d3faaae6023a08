"""What somebody is told to do, for each answer of a series server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gengfu.check_store_words import what_to_do, what_to_do_unread
from ingest.store.influx.asking import Away, NotUnderstood
from ingest.store.influx.asking import Refused as RefusedQuestion
from ingest.store.influx.product import UNKNOWN, Make, Product
from ingest.store.influx.server import Account, Later, read_answer
from ingest.store.influx.server import Refused as RefusedBody
from ingest.store.influx.unanswered import Cause

ONE = Product(Make.INFLUXDB, "1.8.10")
TWO = Product(Make.INFLUXDB, "2.7.11")
THREE = Product(Make.INFLUXDB, "3.1.0")
BUCKET = Account("http://h:8086", org="o", bucket="b", token="very-secret")
DATABASE = Account("http://h:8086", database="g", user="u", password="very-secret")


def do(account: Account, product: Product, status: int, body: bytes = b"") -> str:
    answer = read_answer(status, "", body, 0.0)
    assert isinstance(answer, Later | RefusedBody)
    return what_to_do(account, product, answer)


@pytest.mark.parametrize("cause", list(Cause))
def test_every_reason_for_no_answer_has_something_to_do(cause: Cause) -> None:
    assert what_to_do(BUCKET, UNKNOWN, Later("no answer", cause=cause))


@pytest.mark.parametrize(
    "status", [200, 201, 301, 307, 400, 401, 403, 404, 405, 407, 413, 422, 429, 500, 503]
)
@pytest.mark.parametrize("account", [BUCKET, DATABASE])
@pytest.mark.parametrize("product", [ONE, TWO, THREE, UNKNOWN, Product(Make.VICTORIA)])
def test_whatever_is_answered_something_is_said_and_no_secret(
    account: Account, product: Product, status: int
) -> None:
    for body in (b"", b"<html>", b'{"error":"x"}'):
        said = do(account, product, status, body)
        assert said
        assert "very-secret" not in said


@pytest.mark.parametrize(
    ("account", "product", "status", "body", "wanted"),
    [
        (BUCKET, UNKNOWN, 302, b"", "it sends us to another address"),
        (BUCKET, UNKNOWN, 401, b"<html><title>401</title>", "a proxy or another service answers"),
        (BUCKET, THREE, 401, b"", "put a token that may read and write b into the file that"),
        (replace(BUCKET, token=""), THREE, 401, b"", "it wants to know who writes: set store.token_file"),
        (replace(DATABASE, user=""), TWO, 401, b"", "it wants to know who writes: set store.token_file"),
        (DATABASE, TWO, 404, b"no dbrp mapping found", "no bucket has this name: set store.org"),
        (BUCKET, TWO, 403, b"", "give this token the right to read and write there"),
        (DATABASE, ONE, 404, b"", "make the database: `gengfu influx init`, or"),
        (DATABASE, UNKNOWN, 404, b"", 'make the database (CREATE DATABASE "g"), or use bucket'),
        (BUCKET, UNKNOWN, 404, b"", "make the bucket, or use database for InfluxDB 1.x"),
        (replace(BUCKET, bucket="g/old"), ONE, 404, b"", "make the database: `gengfu influx init`"),
        (
            replace(BUCKET, bucket="g/old"), ONE, 500, b"retention policy not found: old",
            "correct what follows the / in store.bucket (g/old)",
        ),
        (replace(BUCKET, org=""), TWO, 400, b"", "InfluxDB 2 wants store.org"),
        (BUCKET, UNKNOWN, 400, b"an HTTP request to an HTTPS server.", "write https:// in store.url"),
        (BUCKET, UNKNOWN, 502, b"<html><title>Bad Gateway</title>", "a proxy answers that reaches no server"),
        (BUCKET, TWO, 503, b"", "it takes nothing now: see its log, its disk and its load"),
        (BUCKET, TWO, 429, b"", "it takes nothing now"),
        (BUCKET, UNKNOWN, 405, b"", "see its log; set store.url to the series server itself if"),
    ],
)  # fmt: skip
def test_the_answer_gives_the_words(
    account: Account, product: Product, status: int, body: bytes, wanted: str
) -> None:
    assert do(account, product, status, body).startswith(wanted)


HIDDEN = 'HTTP 404: {"code":"not found","message":"could not find bucket \\"b\\""}'
LET_TWO = (
    "influx auth create --org o --read-bucket ID --write-bucket ID, with the ID that influx bucket list"
    " --org o --name b shows; put the new token into the file that store.token_file names"
)
NOT_OURS = "see its log; set store.url to the series server itself if this is another service"


@pytest.mark.parametrize(
    ("account", "product", "why", "wanted"),
    [
        (BUCKET, TWO, HIDDEN, f"it is not there, or we may not read it: {LET_TWO}"),
        (BUCKET, UNKNOWN, HIDDEN, NOT_OURS),
        (
            replace(BUCKET, bucket="", org="", database="b"), TWO, "database not found: b",
            "it is not there, or we may not read it: influx auth create --org ORG --read-bucket ID",
        ),
        (DATABASE, ONE, "database not found: g", "make the database: `gengfu influx init`, or"),
        (replace(DATABASE, retention_policy="raw"), ONE, "retention policy not found: raw", "`gengfu influx"),
        (DATABASE, ONE, "HTTP 403: requires READ", 'it is not there, or we may not read it: GRANT ALL ON'),
        (BUCKET, THREE, "HTTP 403", "it is not there, or we may not read it: give this token the right to"),
        (DATABASE, UNKNOWN, "HTTP 401", "it is not there, or we may not read it: give this user"),
        (BUCKET, TWO, "HTTP 403: a web page, 'Sign in'", "a proxy or another service answers"),
        (BUCKET, TWO, "max-select-point limit exceeded", NOT_OURS),
    ],
)  # fmt: skip
def test_a_question_that_got_no_points_gives_the_words(
    account: Account, product: Product, why: str, wanted: str
) -> None:
    error = RefusedQuestion(f"http://h:8086: {why}")
    assert what_to_do_unread(account, product, error).startswith(wanted)


def test_a_question_gives_words_for_every_kind_of_error_and_no_secret() -> None:
    for product in (ONE, TWO, THREE, UNKNOWN, Product(Make.VICTORIA)):
        for account in (BUCKET, DATABASE, replace(DATABASE, user="", password="")):
            for error in (Away("http://h: no answer"), NotUnderstood("x"), RefusedQuestion("h: HTTP 401")):
                said = what_to_do_unread(account, product, error, takes_points=True)
                assert said
                assert "very-secret" not in said
    assert what_to_do_unread(BUCKET, TWO, Away("h: HTTP 503")).startswith("see whether the server runs")
