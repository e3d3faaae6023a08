"""InfluxDB 2.7.12 built from its Go modules, for `python -m tests.series_programs influx27`.

Its engine of Flux is Rust, built by cargo through a `pkg-config` of InfluxData's own. It takes minutes, so no
run of tests begins it by itself.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

VERSION = "2.7.12"
MODULE = f"github.com/influxdata/influxdb/v2@v{VERSION}"
PKG_CONFIG = "github.com/influxdata/pkg-config"
RUST = "1.72"
"""What libflux of that time is built with; newer ones do not compile it."""
_WANTED = {
    "go": "go (1.23 or later)",
    "gcc": "gcc, for cgo",
    "cargo": "cargo (https://rustup.rs)",
    "rustup": "rustup (https://rustup.rs)",
}


class NotBuilt(Exception):
    """The text says what is missing, or the last words of what failed."""


def lacking() -> list[str]:
    """What has to be installed first."""
    missing = [what for name, what in _WANTED.items() if not shutil.which(name)]
    if shutil.which("rustup") and f"{RUST}-" not in _said(["rustup", "toolchain", "list"]):
        missing.append(f"Rust {RUST}: rustup toolchain install {RUST} --profile minimal")
    return missing


def build(program: Path) -> None:
    """Makes it appear at this path, whole or not at all. Raises NotBuilt."""
    if missing := lacking():
        raise NotBuilt("InfluxDB 2 cannot be built here without " + "; ".join(missing))
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent, prefix="building-") as place:
        folder, tools = Path(place) / "influxdb", Path(place) / "bin"
        _copy(Path(json.loads(_said(["go", "mod", "download", "-json", MODULE]))["Dir"]), folder)
        tools.mkdir()
        more = {
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PKG_CONFIG": str(tools / "pkg-config"),
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-mod=mod -p=2",
            "CGO_ENABLED": "1",
        }
        _run(["go", "build", "-o", str(tools / "pkg-config"), PKG_CONFIG], folder, more)
        words = ["-tags", "sqlite_foreign_keys,sqlite_json", "-trimpath"]
        words += ["-ldflags", f"-s -w -X main.version={VERSION}", "-o", f"{place}/influxd", "./cmd/influxd"]
        _run(["go", "build", *words], folder, more)
        Path(place, "influxd").replace(program)


def _copy(module: Path, folder: Path) -> None:
    """What Go keeps is read-only; building writes beside the sources."""
    shutil.copytree(module, folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


def _said(words: list[str]) -> str:
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotBuilt(f"{' '.join(words)}: {getattr(error, 'stderr', '') or error}") from None


def _run(words: list[str], folder: Path, more: Mapping[str, str]) -> None:
    print(" ".join(words), file=sys.stderr, flush=True)
    done = subprocess.run(words, cwd=folder, env=os.environ | more, check=False)
    if done.returncode:
        raise NotBuilt(f"{words[0]} {words[1]} failed with code {done.returncode}")
