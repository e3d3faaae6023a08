"""What policies hold by a configuration, for commands: as the running service has them within seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from alerts.following_policies import read_policies
from alerts.plans import Plans, Policies, PolicyError, shipped_policies
from devices.area_codes import area_codes
from devices.database import DriverMissing, reading
from devices.schema import area
from devices.shortlist import shortlist
from gengfu.config import Config
from gengfu.database_here import NothingHere, is_here, open_here
from ingest.probes.finding import Finding


class PoliciesHere(NamedTuple):
    """The policies, and why the site's own file is not used; empty where it is, or there is none."""

    policies: Policies
    refused: str = ""


def policies_here(config: Config) -> PoliciesHere:
    """The policies by this configuration. A file that cannot be used is told, and the shipped ones hold."""
    if not config.alerts.policies:
        return PoliciesHere(shipped_policies())
    try:
        return PoliciesHere(read_policies(Path(config.alerts.policies)))
    except PolicyError as error:
        return PoliciesHere(shipped_policies(), str(error))


def plans_here(config: Config, connection: Connection, building_id: int) -> Plans:
    """What holds for an incident in a building, 0 for none."""
    policies = policies_here(config).policies
    areas = area_codes(connection, {building_id} - {0}) if policies.areas else {}
    return Plans(policies, config.alerts.clock_ratio, areas)


def policy_findings(config: Config) -> Iterator[Finding]:
    """What `gengfu check` says of the policies, and of areas in them that the registry does not know."""
    here = policies_here(config)
    name = f"policies {Path(config.alerts.policies).name}" if config.alerts.policies else "policies"
    if here.refused:
        yield Finding(name, False, f"{here.refused}; until it is mended the shipped policies hold")
        return
    own = len(here.policies.own)
    kind = f"{own} of the site's own" if own else "as shipped"
    yield Finding(name, True, kind)
    if unknown := _unknown(config, sorted(here.policies.areas)):
        yield Finding(name, False, f"no such area: {shortlist(unknown)}; see gengfu area list")


def _unknown(config: Config, codes: Sequence[str]) -> list[str]:
    """Those of `codes` that no area has; none where nobody can be asked."""
    if not codes or not is_here(config):
        return []
    try:
        engine = open_here(config)
    except (NothingHere, DriverMissing):
        return []
    try:
        with reading(engine) as connection:
            known = set(connection.scalars(select(area.c.code).where(area.c.code.in_(codes))))
    except SQLAlchemyError:
        return []  # what is wrong with the database another finding says
    finally:
        engine.dispose()
    return [code for code in codes if code not in known]
