"""A process that is killed amid a turn, after all was decided and before it is committed.

python -m tests.alerts.killed_turn DATABASE NOW_US
"""

from __future__ import annotations

import os
import signal
import sys

from alerts.settings import Settings
from alerts.turn import decide_turn
from devices.database import open_database, writing


def main(database: str, now_us: int) -> None:
    with writing(open_database(database)) as connection:
        decide_turn(connection, Settings(b"k" * 32, "http://answers.example"), now_us)
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
