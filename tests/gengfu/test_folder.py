"""One data folder, one service."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gengfu.folder import FolderTaken, lock, make_folder, wait_free


def test_a_second_lock_is_refused_with_the_holders_number(tmp_path: Path) -> None:
    with lock(tmp_path, "ingest"), pytest.raises(FolderTaken, match=rf"ingest .*process {os.getpid()}\)"):
        lock(tmp_path, "ingest")


def test_locks_of_other_names_and_other_folders_do_not_meet(tmp_path: Path) -> None:
    with lock(tmp_path / "one", "ingest"), lock(tmp_path / "one", "store"), lock(tmp_path / "two", "ingest"):
        pass


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from gengfu.folder import lock; "
        "held = lock(Path(sys.argv[1]), 'ingest'); print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    with holder.stdout:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(FolderTaken, match=str(holder.pid)):
            lock(tmp_path, "ingest")
        holder.kill()
        holder.wait()
    lock(tmp_path, "ingest").close()
    assert (tmp_path / "ingest.lock").read_text() == str(os.getpid())


def test_waiting_ends_when_the_holder_lets_go_and_is_refused_when_it_does_not(tmp_path: Path) -> None:
    held = lock(tmp_path, "broker")
    with pytest.raises(FolderTaken):
        wait_free(tmp_path, "broker", 0.0)
    timer = threading.Timer(0.2, held.close)
    timer.start()
    wait_free(tmp_path, "broker", 60.0)
    timer.join()
    lock(tmp_path, "broker").close()


def test_the_folder_is_its_owners_only(tmp_path: Path) -> None:
    make_folder(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
