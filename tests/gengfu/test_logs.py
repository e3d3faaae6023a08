"""Every line of a log is one JSON object, and no line holds somebody's data."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from gengfu.logs import PERSONAL
from tests.gengfu.program import objects

ROOT = Path(__file__).parents[2]
ROOMS = ("alerts", "benchmarks", "console", "devices", "gengfu", "ingest", "rules", "simulators")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}

PROGRAM = """
import logging, threading
import structlog
from gengfu.logs import set_up_logs

set_up_logs("ingest")
log = structlog.get_logger()
log.info("broker_connected", epoch=1)
log.debug("not shown")
logging.getLogger("uvicorn.error").warning("from %s", "another library")
thread = threading.Thread(target=lambda: log.info("from a thread"))
thread.start()
thread.join()
log.warning("told", phone="13800001234", note="两行\\nnext")
try:
    {}["gone"]
except KeyError:
    log.exception("failed")
raise RuntimeError("the end")
"""


def lines() -> list[dict[str, object]]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    return objects(done.stderr)


def test_every_line_is_an_object_marked_with_its_process_also_from_threads_libraries_and_the_end() -> None:
    shown = lines()
    assert [line["event"] for line in shown] == [
        "broker_connected",
        "from another library",
        "from a thread",
        "told",
        "failed",
        "ended by an error",
    ]
    assert all(line["process"] == "ingest" and line["level"] and line["timestamp"] for line in shown)
    assert "KeyError" in str(shown[4]["exception"])
    assert "RuntimeError: the end" in str(shown[5]["exception"])


def test_what_stands_under_a_personal_key_is_masked() -> None:
    told = lines()[3]
    assert (told["phone"], told["note"]) == ("***", "***")


def test_no_call_logs_under_a_personal_key() -> None:
    used = {(place, key) for place, key in logged_keys() if key in PERSONAL}
    assert used == set()
    assert len(set(logged_keys())) > 30


def logged_keys() -> Iterator[tuple[str, str]]:
    """Every keyword of every `log.…(…)` call in the rooms, with where it stands."""
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in LEVELS
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "log"
                ):
                    for keyword in node.keywords:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", keyword.arg or "**"
