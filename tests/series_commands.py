"""How InfluxDB 1.x and VictoriaMetrics are started for tests: on loopback, with all they keep in a folder."""

from __future__ import annotations

from collections.abc import Mapping

from gengfu.ports import free_port
from tests.series_process import Process

Settings = Mapping[str, str]
"""Lines of influxd's configuration by section, as in {"data": "max-values-per-tag = 3"}; of VictoriaMetrics
{"flags": "-httpAuth.username=a"}, apart by spaces."""


def victoria(program: str, process: Process, settings: Settings) -> list[str]:
    """Keeps what is older than the month that it would keep of its own."""
    own = [f"-storageDataPath={process.folder / 'data'}", f"-httpListenAddr=127.0.0.1:{process.port}"]
    own += ["-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms", "-memory.allowedBytes=128MB"]
    return [program, *own, "-loggerLevel=ERROR", *settings.get("flags", "").split()]


def influxd(program: str, process: Process, settings: Settings, password: str) -> list[str]:
    folder = process.folder
    sections = {
        "meta": f'dir = "{folder / "meta"}"',
        "data": f'dir = "{folder / "data"}"\nwal-dir = "{folder / "wal"}"\nquery-log-enabled = false',
        "monitor": "store-enabled = false",
        "logging": 'level = "error"\nsuppress-logo = true',
        "http": f'bind-address = "127.0.0.1:{process.port}"\nlog-enabled = false\nflux-enabled = true\n'
        f"auth-enabled = {'true' if password else 'false'}",
    }
    lines = ["reporting-disabled = true", f'bind-address = "127.0.0.1:{free_port()}"']
    for name, text in sections.items():
        lines += [f"[{name}]", text, settings.get(name, "")]
    (folder / "influxd.conf").write_text("\n".join(lines))
    return [program, "-config", str(folder / "influxd.conf")]
