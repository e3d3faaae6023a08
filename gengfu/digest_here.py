"""What the configuration says of the reports of each day and week, for the caretaker and the command."""

from __future__ import annotations

from alerts.channels.carriers import Accounts
from alerts.contact_tests import refused_carriers, uncarried
from alerts.digest_settings import DigestSettings
from gengfu.channel_accounts import accounts_of
from gengfu.config import Config


def digest_settings(config: Config, accounts: Accounts | None = None) -> DigestSettings:
    """With the site's accounts, read from their files where none are given."""
    accounts = accounts_of(config.channels, config.site.timezone) if accounts is None else accounts
    hours, minute = config.digest.at.split(":")
    return DigestSettings(
        site=config.site.name,
        timezone=config.site.timezone,
        daily=config.digest.daily,
        weekly=config.digest.weekly,
        minute_of_day=int(hours) * 60 + int(minute),
        refused=refused_carriers(accounts),
        uncarried=uncarried(accounts),
    )
