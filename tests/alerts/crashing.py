"""A story in which the process dies before every commit."""

from __future__ import annotations

from alerts.turn import decide_turn
from devices.database import writing
from tests.alerts.story import Story


class CrashingStory(Story):
    """Every turn is decided once in vain before it is committed."""

    def turn(self) -> None:
        try:
            with writing(self.engine) as connection:
                decide_turn(connection, self.settings, self.now_us)
                raise InterruptedError
        except InterruptedError:
            super().turn()
