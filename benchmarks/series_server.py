"""A series server of the bench's own on loopback, and a folder for it: InfluxDB 1.8 or 2, VictoriaMetrics."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import urllib3

from benchmarks.errors import CannotMeasure
from benchmarks.service import eventually
from gengfu.ports import free_port
from ingest.store.influx.server import Account

_ORG: Final = "bench"


@dataclass(frozen=True, slots=True)
class SeriesServer:
    """A running server: what it calls itself, its process, and where it listens. InfluxDB 2 has a token."""

    name: str
    pid: int
    url: str
    token: str = field(default="", repr=False)

    @property
    def _is_influxdb(self) -> bool:
        return self.name.startswith("InfluxDB")

    def account(self, database: str) -> Account:
        """A place of its own in it, empty; VictoriaMetrics has one for all."""
        if not self._is_influxdb:
            return Account(self.url, org="-", bucket=database)
        if self.token:
            org = msgspec.json.decode(self._ask(f"/api/v2/orgs?org={_ORG}", method="GET").data)["orgs"][0]
            self._ask("/api/v2/buckets", {"orgID": org["id"], "name": database, "retentionRules": []})
            return Account(self.url, org=_ORG, bucket=database, token=self.token)
        self._ask(f"/query?q=CREATE+DATABASE+{database}")
        return Account(self.url, org="-", bucket=f"{database}/autogen", token="-:-")  # noqa: S106 - nobody asks for one

    def count(self, database: str, fields: list[str]) -> int:
        """How many values of these fields are stored there."""
        if self._is_influxdb:
            counts = ",".join(f'count("{field}")' for field in fields)
            reply = self._ask(f"/query?db={database}&q=SELECT+{counts}+FROM+electrical").json()
            return sum(reply["results"][0]["series"][0]["values"][0][1:])
        self._ask("/internal/force_flush")
        found = self._ask('/api/v1/export?match[]={device!=""}').data.splitlines()
        return sum(line.count(b",", line.index(b'"values"'), line.index(b'"timestamps"')) for line in found)

    def set_up(self) -> None:
        """InfluxDB 2, which was just started: its user, organisation and token."""
        names = {"username": "bench", "password": secrets.token_hex(8), "org": _ORG, "bucket": "unused"}
        self._ask("/api/v2/setup", names | {"token": self.token})

    def _ask(self, path: str, body: object = None, method: str = "POST") -> urllib3.BaseHTTPResponse:
        reply = urllib3.request(
            method,
            self.url + path,
            headers={"Authorization": f"Token {self.token}"} if self.token else None,
            body=None if body is None else msgspec.json.encode(body),
            timeout=120.0,
            retries=False,
        )
        if reply.status >= 300:
            raise CannotMeasure(f"{self.name} answered {reply.status} to {path.split('?', maxsplit=1)[0]}")
        return reply


@contextmanager
def serving(program: str) -> Iterator[SeriesServer]:
    """`program` is influxd of 1.8 or 2, or victoria-metrics, by name or path; empty: the first that is there.

    Raises CannotMeasure.
    """
    chosen = _found(program)
    with tempfile.TemporaryDirectory() as folder:
        url = f"http://127.0.0.1:{(port := free_port())}"
        command, environment = _started(chosen, Path(folder), port)
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            eventually(lambda: process.poll() is not None or _answers(url), f"{chosen} answers")
            name = _name(url, chosen)
            token = secrets.token_hex(16) if name.startswith("InfluxDB 2") else ""
            server = SeriesServer(name, process.pid, url, token)
            if token:
                server.set_up()
            yield server
        finally:
            process.terminate()
            process.wait(30)


def _found(program: str) -> str:
    for name in (program,) if program else ("influxd", "victoria-metrics"):
        if (path := shutil.which(name)) and (program or _takes_v2(path)):
            return path
    wanted = program or "influxd of 1.8 or 2, or victoria-metrics,"
    raise CannotMeasure(f"{wanted} is not installed; --server names one")


def _takes_v2(path: str) -> bool:
    """The client speaks to /api/v2/write only, which InfluxDB has from 1.8 on."""
    return Path(path).name != "influxd" or _version(path) >= (1, 8)


def _version(path: str) -> tuple[int, int]:
    said = subprocess.run([path, "version"], capture_output=True, text=True, timeout=20, check=False).stdout
    found = re.search(r"\bv?(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _started(program: str, folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """The command and its environment."""
    if Path(program).name.startswith("influxd") and _version(program) >= (2, 0):
        places = [
            f"--bolt-path={folder}/bolt",
            f"--engine-path={folder}/engine",
            f"--sqlite-path={folder}/sql",
        ]
        own = [f"--http-bind-address=127.0.0.1:{port}", "--reporting-disabled", "--log-level=error"]
        return [program, *places, *own], dict(os.environ)
    if Path(program).name.startswith("influxd"):
        config = folder / "influxd.conf"
        config.write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n'
            f'[meta]\ndir = "{folder}/meta"\n[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
            "max-values-per-tag = 0\nmax-series-per-database = 0\n"
            f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
            "[monitor]\nstore-enabled = false\n"
        )
        return [program, "-config", str(config)], dict(os.environ)
    flags = [f"-storageDataPath={folder}/data", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y"]
    return [program, *flags, "-dedup.minScrapeInterval=1ms"], dict(os.environ)


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", f"{url}/ping", timeout=1.0, retries=False).status < 300
    except urllib3.exceptions.HTTPError:
        return False


def _name(url: str, program: str) -> str:
    try:
        version = urllib3.request("GET", f"{url}/ping", timeout=5.0, retries=False).headers
    except urllib3.exceptions.HTTPError as error:
        raise CannotMeasure(f"{program} did not start: {type(error).__name__}") from None
    said = version.get("X-Influxdb-Version", "")
    return f"InfluxDB {said}" if said else "VictoriaMetrics"
