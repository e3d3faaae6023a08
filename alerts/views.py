"""What pages show: plain values read on the caller's connection, without names, numbers or addresses.

People appear as roles and contact codes. `open_incidents` and the changes are in `board_view`, one incident
with everything in `detail_view`, the one-tap page in `answer_view`.
"""

from __future__ import annotations

from alerts.answer_view import AnswerPage, Fellow, answer_page
from alerts.board_view import (
    ChangeLine,
    OpenIncident,
    Standing,
    changed_since,
    changes_after,
    count_open,
    lines_for,
    newest_change_id,
    open_incidents,
    passing_ids,
    seen_at_the_desk,
    standings,
)
from alerts.detail_view import ActLine, AlarmLine, IncidentDetail, MessageLine, StepLine, incident_detail
from alerts.lifecycle import possible_acts

__all__ = [
    "ActLine",
    "AlarmLine",
    "AnswerPage",
    "ChangeLine",
    "Fellow",
    "IncidentDetail",
    "MessageLine",
    "OpenIncident",
    "Standing",
    "StepLine",
    "answer_page",
    "changed_since",
    "changes_after",
    "count_open",
    "incident_detail",
    "lines_for",
    "newest_change_id",
    "open_incidents",
    "passing_ids",
    "possible_acts",
    "seen_at_the_desk",
    "standings",
]
