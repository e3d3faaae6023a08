"""One data folder, one service."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gengfu.folder import FolderTaken, Holder, holder_of, lock, make_folder, wait_free
from tests.gengfu.program import gengfu


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


def test_a_folder_that_was_open_is_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    make_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_meant_for_all_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "common"
    folder.mkdir()
    folder.chmod(0o1777)
    make_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777


def test_every_file_that_a_command_makes_is_its_users_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    before = os.umask(0o022)
    try:
        done = gengfu("contact", "add", "p1", "--name", "示例甲", cwd=tmp_path)
        own = gengfu("tls", "init", "--name", "localhost", cwd=tmp_path)
    finally:
        os.umask(before)
    assert (done.returncode, own.returncode) == (0, 0)
    open_to_others = {
        str(path.relative_to(folder)) for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077
    }
    assert (folder / "gengfu.db").exists()
    assert open_to_others == {"tls/ca.crt", "tls/server.crt"}


def test_a_lock_says_whether_its_holders_keys_come_from_the_environment(tmp_path: Path) -> None:
    assert holder_of(tmp_path, "ingest") is None
    program = (
        "import sys, time; from pathlib import Path; from gengfu.folder import lock; "
        "held = lock(Path(sys.argv[1]), sys.argv[2]); print('held', flush=True); time.sleep(60)"
    )
    for name, key in (("ingest", ""), ("alerts", "1 x")):
        holder = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), name],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "GENGFU_KEY": key},
        )
        assert holder.stdout
        with holder.stdout:
            assert holder.stdout.readline() == "held\n"
            assert holder_of(tmp_path, name) == Holder(str(holder.pid), bool(key))
            with pytest.raises(FolderTaken, match=rf"process {holder.pid}\)"):
                lock(tmp_path, name)
            holder.kill()
            holder.wait()
        assert holder_of(tmp_path, name) is None
