"""A file of the site's own: its text, and when it has changed while the service runs.

Errors:
* PolicyError: the file cannot be read.
"""

from __future__ import annotations

from pathlib import Path

from alerts.toml_table import FILE_BYTES, PolicyError


class SiteFile:
    """A file that is looked at again and again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: object = None
        self._used: object = None

    def changed(self, *, settled: bool) -> bool:
        """Whether it is another than when this last said so: what was never read is. With `settled` false a
        change counts that is the same at two looks. Never raises."""
        stamp = _stamp_of(self.path)
        same, self._seen = stamp == self._seen, stamp
        if stamp == self._used or not (same or settled):
            return False
        self._used = stamp
        return True


def read_site_file(path: Path) -> str:
    """Its text, to one byte beyond what a file may have. Raises PolicyError."""
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES + 1).decode("utf-8")
    except OSError as error:
        raise PolicyError(f"{path.name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path.name}: cannot be read: not UTF-8 at byte {error.start}") from None


def _stamp_of(path: Path) -> object:
    """Changes when the file does, and when it may be read by others than before."""
    try:
        said = path.stat()
    except OSError as error:
        return error.errno
    return said.st_size, said.st_mtime_ns, said.st_ctime_ns, said.st_ino
