"""What somebody is told to do, for each answer of a series server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gengfu.check_store_words import what_to_do
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
        (BUCKET, THREE, 401, b"", "put a token that may write b into the file that store.token_file names"),
        (replace(BUCKET, token=""), THREE, 401, b"", "it wants to know who writes: set store.token_file"),
        (replace(DATABASE, user=""), TWO, 401, b"", "it wants to know who writes: set store.token_file"),
        (DATABASE, TWO, 404, b"no dbrp mapping found", "no bucket has this name: set store.org"),
        (BUCKET, TWO, 403, b"", "give this token the right to write there"),
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
