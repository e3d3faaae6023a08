"""A site of which `gengfu influx copy` copies the history, as a person runs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ingest.store.influx.copying_progress import Progress, load
from ingest.store.layout import DAY_NS
from ingest.store.points import Points
from tests.gengfu.program import gengfu
from tests.ingest.influx.house_copying import DAY, Site
from tests.series_servers import VICTORIA, SeriesServer

WHERE = '[store]\nkind = "influxdb"\nurl = "{url}"\n{place}\n'
Ran = tuple[int, str, str]


@contextmanager
def site_in(folder: Path) -> Iterator[Site]:
    """One whose data folder is made as the service makes it."""
    made = gengfu("area", "list", cwd=folder)
    assert made.returncode == 0, made.stderr
    site = Site(folder / "data", f"sqlite:///{folder}/data/gengfu.db")
    try:
        yield site
    finally:
        site.close()


def configured(folder: Path, server: SeriesServer) -> None:
    place = 'bucket = "any"' if server.kind == VICTORIA else f'database = "{server.database}"'
    (folder / "gengfu.toml").write_text(WHERE.format(url=server.url, place=place))


def copy(folder: Path, *more: str) -> Ran:
    done = gengfu("influx", "copy", *more, cwd=folder)
    return done.returncode, done.stdout, done.stderr


def minutes(slot: int, n: int, day: int = DAY) -> Points:
    ts_ns = day * DAY_NS + np.arange(n) * 60 * 10**9
    return Points(np.full(n, slot, np.int32), ts_ns, np.arange(n) / 8, np.zeros(n, np.uint32))


def progress_of(folder: Path) -> Progress:
    found = load(folder / "data")
    assert found
    return found
