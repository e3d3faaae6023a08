"""A series server of the bench's own on loopback: InfluxDB 1.8 or VictoriaMetrics, and a folder for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3

from benchmarks.errors import CannotMeasure
from benchmarks.service import eventually
from gengfu.ports import free_port
from ingest.store.influx.server import Account


@dataclass(frozen=True, slots=True)
class SeriesServer:
    """A running server: what it calls itself, its process, and where it listens."""

    name: str
    pid: int
    url: str

    @property
    def _is_influxdb(self) -> bool:
        return self.name.startswith("InfluxDB")

    def account(self, database: str) -> Account:
        """A place of its own in it, empty; VictoriaMetrics has one for all."""
        if not self._is_influxdb:
            return Account(self.url, org="-", bucket=database)
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

    def _ask(self, path: str) -> urllib3.BaseHTTPResponse:
        reply = urllib3.request("POST", self.url + path, timeout=120.0, retries=False)
        if reply.status >= 300:
            raise CannotMeasure(f"{self.name} answered {reply.status} to {path.split('?', maxsplit=1)[0]}")
        return reply


@contextmanager
def serving(program: str) -> Iterator[SeriesServer]:
    """`program` is influxd of 1.8 or victoria-metrics, by name or path; empty: the first that is there.

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
            yield SeriesServer(_name(url, chosen), process.pid, url)
        finally:
            process.terminate()
            process.wait(30)


def _found(program: str) -> str:
    for name in (program,) if program else ("influxd", "victoria-metrics"):
        if (path := shutil.which(name)) and (program or _takes_v2(path)):
            return path
    wanted = program or "influxd of 1.8, or victoria-metrics,"
    raise CannotMeasure(f"{wanted} is not installed; --server names one")


def _takes_v2(path: str) -> bool:
    """The client speaks to /api/v2/write only, which InfluxDB has from 1.8 on."""
    if Path(path).name != "influxd":
        return True
    said = subprocess.run([path, "version"], capture_output=True, text=True, timeout=20, check=False).stdout
    return " v1.8" in said or " 1.8" in said


def _started(program: str, folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """The command and its environment."""
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
