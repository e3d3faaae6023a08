"""What messages say by a configuration, for commands: as the running service has it within seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from alerts.following_texts import own_texts
from alerts.text_file import Texts, shipped_texts
from gengfu.config import Config
from ingest.probes.finding import Finding


class TextsHere(NamedTuple):
    """The texts that hold, and what is wrong with the site's own file."""

    texts: Texts
    faults: tuple[str, ...] = ()


def texts_here(config: Config) -> TextsHere:
    """The texts by this configuration; the shipped one for each that cannot be used."""
    if not config.alerts.texts:
        return TextsHere(shipped_texts())
    return TextsHere(*own_texts(Path(config.alerts.texts)))


def text_findings(config: Config) -> Iterator[Finding]:
    """What `gengfu check` says of the texts: every fault of the site's own file."""
    here = texts_here(config)
    name = f"texts {Path(config.alerts.texts).name}" if config.alerts.texts else "texts"
    for fault in here.faults:
        yield Finding(name, False, f"{fault}; the shipped text is said in its place")
    if not here.faults:
        own = len({key for key, _ in here.texts.own})
        yield Finding(name, True, f"{own} of the site's own" if own else "as shipped")
