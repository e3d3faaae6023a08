"""What `gengfu check` says of the site's accounts with providers, and of ways that nothing carries."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from alerts.channels.carriers import NEEDING
from devices.model import Carrier
from devices.schema import contact, contact_channel
from gengfu.channel_accounts import accounts_of
from gengfu.config import Config
from ingest.probes.finding import Finding


def account_findings(config: Config) -> Iterator[Finding]:
    """One for each account of `[channels]`. Nobody is asked: a wrong secret shows with the first message."""
    accounts = accounts_of(config.channels, config.site.timezone)
    for carrier in accounts.by_carrier:
        yield Finding("channel", True, f"{carrier}: the account is set up")
    for carrier, why in accounts.broken.items():
        yield Finding("channel", False, f"{carrier}: {why}")


def uncarried_finding(connection: Connection, config: Config) -> Finding | None:
    """A problem where contacts have ways whose carrier has no account here; None where all are carried."""
    accounts = accounts_of(config.channels, config.site.timezone)
    missing = [carrier for carrier in NEEDING if carrier not in accounts.by_carrier]
    ways, count = contact_channel.c, func.count()
    rows = connection.execute(
        select(ways.carrier, count)
        .join(contact, ways.contact_id == contact.c.id)
        .where(ways.carrier.in_(missing), ways.removed_us.is_(None), contact.c.erased_us.is_(None))
        .group_by(ways.carrier)
        .order_by(ways.carrier)
    ).all()
    if not rows:
        return None
    said = ", ".join(f"{number} by {carrier} ([{NEEDING[Carrier(carrier)]}])" for carrier, number in rows)
    return Finding(
        "ways", False, f"contacts have ways that nothing carries here: {said}; set the accounts up"
    )
