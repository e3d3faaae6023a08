"""What `gengfu check` says of profiles: each file of the site's own, and names that mean nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gengfu.config import Config
from gengfu.profiles import shelf_of
from ingest.filters import overlapping
from ingest.probes.finding import Finding


def profile_findings(config: Config) -> Iterator[Finding]:
    """One for each file of `ingest.profiles_dir`, and one for all that is heard.

    Filters of the site's own that overlap others are a note: of the shipped ones none shares a topic that
    devices use.
    """
    shelf = shelf_of(config)
    files = [name for name in sorted(shelf.stamps()) if name]
    lineup = shelf.line_up()
    for name in sorted({*files, *lineup.refused}):
        why = lineup.refused.get(name, "")
        yield Finding(f"profile {name}", not why, why or "ok")
    heard = [one.name for one in lineup.profiles]
    folder = Path(config.ingest.profiles_dir)
    for key, names in (("profiles", config.ingest.profiles), ("replies_for", config.ingest.replies_for)):
        if unknown := [name for name in names if name not in heard]:
            text = f"ingest.{key} names {', '.join(unknown)}: neither shipped nor in {folder}"
            yield Finding("profiles", False, f"{text}; heard are {', '.join(heard)}")
    if not heard:
        yield Finding("profiles", False, "none is heard; see ingest.profiles")
        return
    yield Finding("profiles", True, f"heard are {', '.join(heard)}, on {len(lineup.filters)} filters")
    own = {name.removesuffix(".toml") for name in files}
    theirs = {text for one in lineup.profiles if one.name in own for text in one.filters}
    if both := [pair for pair in overlapping(lineup.filters) if theirs.intersection(pair)]:
        pairs = ", ".join(f"{one} and {other}" for one, other in both[:3])
        more = f" and {len(both) - 3} more pairs" if len(both) > 3 else ""
        text = (
            f"what comes on topics of both {pairs}{more} is delivered twice, and heard once where both "
            "copies come within a second; narrow ingest.profiles"
        )
        yield Finding("profiles", None, text)
