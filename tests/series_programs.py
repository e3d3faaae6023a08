"""Where the programs of the series stores are that tests run against, and InfluxDB 1.8.10 built once.

`python -m tests.series_programs influx27` builds InfluxDB 2.7.12 too, which takes minutes.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests import series_building

MODULE = "github.com/influxdata/influxdb/cmd/influxd@v1.8.10"
BUILT = "influxd-1.8.10"
BUILDING_S = 240.0
"""Below what pytest gives a test. What was compiled by then is there for the next try."""
TRY_AGAIN_S = 3600.0
"""A build that failed is not tried again by each worker and run."""

NAMED27 = "GENGFU_TEST_INFLUXD2"
BUILT27 = f"influxd-{series_building.VERSION}"


class Missing(Exception):
    """The program is not there; the text says why and what to do."""


@cache
def influx16() -> str:
    """An influxd of 1.6 or 1.7, which is what Debian and Ubuntu ship."""
    if found := _influxd((1, 6), (1, 8)):
        return found
    raise Missing("influxd 1.6 is not installed: `sh deploy/need.sh influxdb` brings it on Debian and Ubuntu")


@cache
def influx18() -> str:
    """An influxd of 1.8 or later on the PATH or from Homebrew, else 1.8.10 built with Go."""
    return _influxd((1, 8), (2, 0)) or _built(_kept())


@cache
def influx27() -> str:
    """An influxd of 2.x: what GENGFU_TEST_INFLUXD2 names, else the one that was built, else of the PATH."""
    if named := os.environ.get(NAMED27):
        return named
    built = _kept() / BUILT27
    if found := str(built) if built.exists() else _influxd((2, 0), (3, 0)):
        return found
    raise Missing(
        "InfluxDB 2 is not here, and nothing is tried on it: `python -m tests.series_programs influx27`"
        f" builds it, {NAMED27} names an influxd of 2.x, or one is on the PATH"
    )


@cache
def victoria() -> str:
    """VictoriaMetrics, one server."""
    if found := shutil.which("victoria-metrics"):
        return found
    raise Missing("victoria-metrics is not installed: `sh deploy/need.sh victoria-metrics` brings it")


def _influxd(least: tuple[int, int], below: tuple[int, int]) -> str:
    brewed = [f"{root}/opt/influxdb@1/bin/influxd" for root in ("/opt/homebrew", "/usr/local")]
    places = [place for place in (shutil.which("influxd"), *brewed) if place and Path(place).exists()]
    return next((place for place in places if least <= _version(place) < below), "")


@cache
def _version(program: str) -> tuple[int, int]:
    said = subprocess.run(
        [program, "version"], capture_output=True, text=True, check=False, timeout=60
    ).stdout
    numbers = re.search(r"\bv?(\d+)\.(\d+)\.", said)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)


def _kept() -> Path:
    """Where what was built stays between runs."""
    cache_home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache_home) / "gengfu-tests"


def _built(folder: Path) -> str:
    program, failed = folder / BUILT, folder / f"{BUILT}.failed"
    if not program.exists():
        if not (go := shutil.which("go")):
            raise Missing("influxd 1.8 is not installed, and there is no `go` to build it with")
        with _one_at_a_time(folder / f"{BUILT}.lock"):
            if failed.exists() and time.time() - failed.stat().st_mtime < TRY_AGAIN_S:
                raise Missing(f"{failed} says: {failed.read_text()}")
            if not program.exists():
                _build(go, program, failed)
    return str(program)


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + BUILDING_S
    with lock.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Missing("influxd 1.8 is still being built by another process") from None
                time.sleep(0.1)
        yield


def _build(go: str, program: Path, failed: Path) -> None:
    """Appears whole or not at all; why it could not be built is kept beside it."""
    place = program.with_suffix(".building")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    more = {"CGO_ENABLED": "0", "GOBIN": str(place), "GOTMPDIR": str(place), "GOTOOLCHAIN": "local"}
    words = [go, "install", "-trimpath", "-ldflags", "-s -w -X main.version=1.8.10", MODULE]
    try:
        done = subprocess.run(
            words, env=os.environ | more, capture_output=True, text=True, check=False, timeout=BUILDING_S
        )
        why = "" if done.returncode == 0 else done.stderr.strip()[-500:] or "go failed without a word"
    except subprocess.TimeoutExpired:
        why = f"not built within {BUILDING_S:.0f} s"
    if why:
        failed.write_text(f"influxd 1.8.10 could not be built: {why}")
    else:
        (place / "influxd").replace(program)
        failed.unlink(missing_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    if why:
        raise Missing(f"influxd 1.8.10 could not be built: {why}")


def main(words: list[str]) -> int:
    """Builds what is named; the code to end with."""
    if words != ["influx27"]:
        print("usage: python -m tests.series_programs influx27", file=sys.stderr)
        return 2
    program = _kept() / BUILT27
    try:
        if not program.exists():
            series_building.build(program)
    except series_building.NotBuilt as error:
        print(error, file=sys.stderr)
        return 1
    print(program)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
