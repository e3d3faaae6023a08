"""What `gengfu check` says of who can be reached, and of the tests that find it out."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from alerts.reach_read import report_now
from alerts.reach_watch import deserted_homes
from alerts.ways import Reach
from devices.shortlist import shortlist
from gengfu.config import Config
from gengfu.reach_here import reach_settings
from ingest.probes.finding import Finding


def reach_findings(connection: Connection, config: Config, now_us: int) -> Iterator[Finding]:
    """Ways that fail, and what of the tests is switched off or cannot be carried."""
    settings = reach_settings(config)
    report = report_now(connection, now_us, settings.uncarried, proven=False)
    bounced = [one.code for one in report.of(Reach.BOUNCED)]
    if bounced:
        text = f"every way to {len(bounced)} of the contacts who are bound fails: {shortlist(bounced)}"
        yield Finding("failing ways", False, f"{text}; correct them, `gengfu reachability` says why")
    if bare := deserted_homes(report):
        codes = shortlist([one.code for one in bare])
        text = f"dwellings with a smoke detector where every way to every one of its people fails: {codes}"
        yield Finding("deserted dwellings", False, f"{text}; `gengfu reachability`")
    yield _tests(config)
    if not config.reachability.daily_report:
        yield Finding(
            "daily report", None, "off (`reachability.daily_report`): nobody is told who is deserted"
        )
    words = [f"{carrier}: {why}" for carrier, why in settings.refused.items() if "approved" in why]
    if words:
        yield Finding("contact tests", None, f"ways that take no test: {'; '.join(words)}")


def _tests(config: Config) -> Finding:
    tests = config.reachability
    if not tests.monthly_tests:
        off = (
            "off (`reachability.monthly_tests`): a number that went dead shows at the next alarm, not before"
        )
        return Finding("monthly tests", None, off)
    return Finding(
        "monthly tests", True, f"each contact once in 30 days, {tests.test_hours} of the site's day"
    )
