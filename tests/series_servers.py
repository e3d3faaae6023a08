"""Real series stores for tests: InfluxDB 1.6, 1.8 and 2, VictoriaMetrics, and one that the environment names.

Those of InfluxDB are started once by each worker, and a test gets a database or bucket of its own;
VictoriaMetrics knows no databases and is started for each test. Where a program is missing its tests are
skipped and say why; with CI=true a missing InfluxDB 1.6 is a failure. InfluxDB 2 is among the kinds only
where it is there (`series_programs.influx27`). GENGFU_TEST_INFLUX_URL adds a server that is there already:
with GENGFU_TEST_INFLUX_TOKEN, _ORG and _BUCKET one of 2.x or 3 and an empty bucket, else one of 1.x.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests import series_commands, series_influx2, series_programs
from tests.series_commands import Settings
from tests.series_influx2 import Organisation
from tests.series_process import TEXT, Answer, Process, ask

INFLUX16, INFLUX18, INFLUX27, VICTORIA = "influx16", "influx18", "influx27", "victoria"
GIVEN, GIVEN_URL = "influx_given", "GENGFU_TEST_INFLUX_URL"
try:
    INFLUX2: tuple[str, ...] = (INFLUX27,) if series_programs.influx27() else ()
    WITHOUT_INFLUX2 = ""
except series_programs.Missing as missing:
    INFLUX2, WITHOUT_INFLUX2 = (), str(missing)
KINDS = (INFLUX16, INFLUX18, *INFLUX2, VICTORIA, *((GIVEN,) if os.environ.get(GIVEN_URL) else ()))
"""INFLUX2 is INFLUX27 where it is there; it stands in lists of kinds with `*`."""
ADMIN, PASSWORD = "admin", "geheim-1"


@dataclass(frozen=True)
class Row:
    """One stored value. Times are nanoseconds; of VictoriaMetrics they are whole milliseconds."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    field: str
    value: float | str | bool
    time_ns: int


@dataclass(frozen=True)
class SeriesServer:
    """One server for one test, which alone uses `database`."""

    kind: str
    url: str
    database: str
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    org: str = "-"
    bucket: str = ""
    process: Process | None = None

    def post(self, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Whatever the server says to the body, with the credentials it wants."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.url + path, body, TEXT | self._credentials() | said)

    def _credentials(self) -> dict[str, str]:
        if self.by_bucket:
            return {"Authorization": f"Token {self.token}"}
        if not self.user:
            return {}
        return {"Authorization": "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode()}

    @property
    def by_bucket(self) -> bool:
        """Whether it is written to with a token, organisation and bucket, as 2.x wants it."""
        return bool(self.token) and self.kind in (INFLUX27, GIVEN)

    @property
    def organisation(self) -> Organisation:
        """Of InfluxDB 2."""
        assert self.kind == INFLUX27
        return Organisation(self.url, self.token)

    @property
    def write_path(self) -> str:
        """Where this kind takes lines with nanoseconds."""
        if self.kind == VICTORIA:
            return "/api/v2/write?precision=ns"
        if self.by_bucket:
            return f"/api/v2/write?{urlencode({'org': self.org, 'bucket': self.bucket, 'precision': 'ns'})}"
        return f"/write?db={quote(self.database)}"

    def write(self, body: bytes) -> None:
        """Stores lines; AssertionError with what the server said where it did not take all of them."""
        answer = self.post(self.write_path, body)
        assert answer.status == 204, f"{answer.status} {answer.body!r}"

    def query(self, text: str) -> list[dict[str, Any]]:
        """The series that InfluxQL gives."""
        words = {"q": text, "db": self.database, "epoch": "ns"}
        answer = self.post(f"/query?{urlencode(words)}")
        assert answer.status == 200, f"{answer.status} {answer.body!r}"
        result = answer.json()["results"][0]
        assert "error" not in result, result["error"]
        return list(result.get("series", ()))

    def count(self, measurement: str) -> int:
        """How many values are stored, of all fields."""
        if self.kind == VICTORIA:
            return sum(len(one["values"]) for one in self._exported(measurement))
        found = self.query(f"SELECT count(*) FROM {_quoted(measurement)}")
        return sum(count or 0 for series in found for count in series["values"][0][1:])

    def rows(self, measurement: str) -> list[Row]:
        """What is stored, by tags, field and time."""
        read = self._rows_of_victoria if self.kind == VICTORIA else self._rows_of_influx
        return sorted(read(measurement), key=lambda row: (row.tags, row.field, row.time_ns))

    def _rows_of_influx(self, measurement: str) -> Iterator[Row]:
        for series in self.query(f"SELECT * FROM {_quoted(measurement)} GROUP BY *"):
            tags = tuple(sorted((key, value) for key, value in series.get("tags", {}).items() if value))
            for time_ns, *values in series["values"]:
                for name, value in zip(series["columns"][1:], values, strict=True):
                    if value is not None:
                        yield Row(measurement, tags, name, value, time_ns)

    def _rows_of_victoria(self, measurement: str) -> Iterator[Row]:
        for one in self._exported(measurement):
            tags = tuple(sorted((key, value) for key, value in one["metric"].items() if key != "__name__"))
            name = one["metric"]["__name__"].removeprefix(f"{measurement}_")
            for value, time_ms in zip(one["values"], one["timestamps"], strict=True):
                yield Row(measurement, tags, name, value, time_ms * 1_000_000)

    def _exported(self, measurement: str) -> list[dict[str, Any]]:
        """All series whose name begins with the measurement's; what was just written is shown too."""
        self.post("/internal/force_flush")
        wanted = quote(f'{{__name__=~"{re.escape(measurement)}_.*"}}')
        answer = self.post(f"/api/v1/export?match[]={wanted}")
        assert answer.status == 200, answer.body
        return [json.loads(line) for line in answer.body.splitlines()]

    def settle(self) -> None:
        """What was acknowledged outlives a kill from now on: VictoriaMetrics alone needs to be told."""
        if self.kind == VICTORIA:
            made = self.post("/snapshot/create").json()
            assert made["status"] == "ok", made
            self.post(f"/snapshot/delete?snapshot={made['snapshot']}")

    def answers(self, patience_s: float = 0.3) -> bool:
        assert self.process
        return self.process.answers(patience_s)

    def kill(self) -> None:
        self._own().kill()

    def start(self) -> None:
        """Again, on the same port and data."""
        self._own().start()

    def pause(self) -> None:
        self._own().pause()

    def resume(self) -> None:
        self._own().resume()

    def _own(self) -> Process:
        if self.process is None:
            pytest.skip(f"the server of {GIVEN_URL} is not ours to stop")
        return self.process


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '\\"') + '"'


class SeriesServers:
    """The servers of one worker; `close` ends those that are shared."""

    def __init__(self) -> None:
        self._shared: dict[str, SeriesServer] = {}

    @contextmanager
    def fresh(self, kind: str) -> Iterator[SeriesServer]:
        """A server with an empty database, whatever the test before did to it."""
        if kind == VICTORIA:
            with self.own(kind) as server:
                yield server
        elif kind == GIVEN:
            with _given() as server:
                yield server
        else:
            if kind not in self._shared:
                self._shared[kind] = _start(kind, {})
            yield from self._with_database(self._shared[kind])

    def _with_database(self, shared: SeriesServer) -> Iterator[SeriesServer]:
        server = _new_database(shared)
        assert server.process
        try:
            yield server
        finally:
            if server.process.is_running():
                server.resume()
            else:
                server.start()
            _drop_database(server)

    @contextmanager
    def own(self, kind: str, settings: Settings | None = None, password: str = "") -> Iterator[SeriesServer]:
        """One that only this test uses, with settings of its own; with a password InfluxDB asks for it."""
        server = _start(kind, settings or {}, password)
        assert server.process
        try:
            yield server if kind == VICTORIA else _new_database(server)
        finally:
            server.process.close()

    def close(self) -> None:
        for server in self._shared.values():
            if server.process:
                server.process.close()


def _new_database(server: SeriesServer) -> SeriesServer:
    """On InfluxDB 2 a bucket, which InfluxQL takes for a database of the same name."""
    name = f"test_{secrets.token_hex(6)}"
    if server.kind == INFLUX27:
        server.organisation.make(name)
        return replace(server, database=name, bucket=name)
    server.query(f"CREATE DATABASE {name}")
    return replace(server, database=name, bucket=f"{name}/autogen")


def _drop_database(server: SeriesServer) -> None:
    if server.kind == INFLUX27:
        server.organisation.clear(server.database)
    else:
        server.query(f"DROP DATABASE {server.database}")


def program_of(kind: str) -> str:
    """Its path; a test that needs what is missing is skipped, or fails where it has to be there."""
    find = {
        INFLUX16: series_programs.influx16,
        INFLUX18: series_programs.influx18,
        INFLUX27: series_programs.influx27,
        VICTORIA: series_programs.victoria,
    }[kind]
    try:
        return find()
    except series_programs.Missing as missing:
        if kind == INFLUX16 and os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


def _start(kind: str, settings: Settings, password: str = "") -> SeriesServer:
    program = program_of(kind)
    process = Process("/health" if kind == VICTORIA else "/ping")
    server = SeriesServer(kind, process.url, "", process=process)
    try:
        if kind == VICTORIA:
            process.run(series_commands.victoria(program, process, settings))
            return server
        if kind == INFLUX27:
            process.run(series_influx2.command(program, process, settings.get("flags", "")))
            made = Organisation.set_up(process.url)
            return replace(server, token=made.token, org=series_influx2.ORG)
        process.run(series_commands.influxd(program, process, settings, password))
        if not password:
            return server
        server.query(f"CREATE USER {ADMIN} WITH PASSWORD '{password}' WITH ALL PRIVILEGES")
        return replace(server, user=ADMIN, password=password, token=f"{ADMIN}:{password}")
    except BaseException:
        process.close()
        raise


@contextmanager
def _given() -> Iterator[SeriesServer]:
    """The environment's own: a bucket that held anything before is not touched."""
    url, token, org, bucket = (
        os.environ.get(f"GENGFU_TEST_INFLUX_{name}", "") for name in ("URL", "TOKEN", "ORG", "BUCKET")
    )
    server = SeriesServer(GIVEN, url.rstrip("/"), bucket, token=token, org=org or "-", bucket=bucket)
    if token:
        assert not server.query("SHOW MEASUREMENTS"), f"the bucket {bucket} is not empty: give another"
    else:
        server = _new_database(server)
    try:
        yield server
    finally:
        if token:
            _empty_bucket(server)
        else:
            server.query(f"DROP DATABASE {server.database}")


def _empty_bucket(server: SeriesServer) -> None:
    span = b'{"start": "1677-09-22T00:00:00Z", "stop": "2262-04-11T00:00:00Z"}'
    place = urlencode({"org": server.org, "bucket": server.bucket})
    answer = server.post(f"/api/v2/delete?{place}", span, Content_Type="application/json")
    assert answer.status == 204, answer.body
