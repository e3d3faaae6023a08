"""What the configuration says of reachability, for the caretaker and the commands."""

from __future__ import annotations

from alerts.channels.carriers import Accounts
from alerts.contact_tests import refused_carriers, uncarried
from alerts.reach_settings import ReachSettings
from devices.quiet import Quiet
from gengfu.channel_accounts import accounts_of
from gengfu.config import Config


def reach_settings(config: Config, accounts: Accounts | None = None) -> ReachSettings:
    """With the site's accounts, read from their files where none are given."""
    accounts = accounts_of(config.channels, config.site.timezone) if accounts is None else accounts
    hours, minute = config.reachability.report_at.split(":")
    return ReachSettings(
        site=config.site.name,
        timezone=config.site.timezone,
        silent=config.reachability.monthly_tests,
        per_minute=config.reachability.tests_per_minute,
        hours=Quiet.parse(config.reachability.test_hours),
        report=config.reachability.daily_report,
        report_minute=int(hours) * 60 + int(minute),
        refused=refused_carriers(accounts),
        uncarried=uncarried(accounts),
    )
