"""Asking a profile what the messages of a tick mean, so that a bug in it costs only what it cannot take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import structlog

from devices.profiles.profile import Decoded, Profile, Reason, Rejected, Rescuing
from ingest.answers import check_answer, renumbered, together
from ingest.series import SeriesIndex

log = structlog.get_logger()


class Heard(NamedTuple):
    """Messages that came together."""

    topics: Sequence[str]
    payloads: Sequence[bytes]
    received_us: int
    retained: Sequence[bool] | None
    cut: bool = False
    """Whether the payloads are only the beginnings of theirs."""

    def only(self, messages: Sequence[int]) -> Heard:
        """Some of them, by number."""
        if len(messages) == len(self.topics):
            return self
        kept = None if self.retained is None else [self.retained[n] for n in messages]
        topics = [self.topics[n] for n in messages]
        return Heard(topics, [self.payloads[n] for n in messages], self.received_us, kept, self.cut)

    def beginnings(self, limit: int) -> Heard:
        """All of them, cut to so many octets."""
        return self._replace(payloads=[payload[:limit] for payload in self.payloads], cut=True)


class Asking:
    """A profile that raises or returns nonsense is asked again by halves: it costs only the messages it
    cannot take, which are rejected as `profile_error`."""

    def __init__(self, index: SeriesIndex) -> None:
        self._index = index
        self.errors = 0
        """How often a profile raised; each is a bug to report."""

    def ask(self, profile: Profile, heard: Heard, messages: Sequence[int]) -> Decoded:
        """The profile's answer with message indices of the tick."""
        asked = heard.only(messages)
        try:
            part = self._checked(profile, asked)
        except Exception as error:  # a bug in a profile must cost its own message only
            self.report(profile)
            return self._halved(profile, heard, messages, error)
        return part if asked is heard else renumbered(part, messages)

    def _checked(self, profile: Profile, heard: Heard) -> Decoded:
        topics, payloads, received_us, retained, cut = heard
        ask = profile.rescued if cut and isinstance(profile, Rescuing) else profile.decode
        part = ask(topics, payloads, self._index, received_us=received_us, retained=retained)
        check_answer(part, len(topics), self._index.rows)
        return part

    def _halved(
        self,
        profile: Profile,
        heard: Heard,
        messages: Sequence[int],
        error: Exception,
    ) -> Decoded:
        """The answer for messages of which one at least makes the profile fail, with `error`.

        The halves are asked again, so that one such message costs about as much as the whole tick once more.
        """
        if len(messages) == 1:
            detail = f"profile {profile.name} failed: {type(error).__name__}"
            return together([], len(heard.topics), [Rejected(messages[0], Reason.PROFILE_ERROR, detail)], [])
        middle = len(messages) // 2
        parts = []
        for half in (messages[:middle], messages[middle:]):
            try:
                parts.append(renumbered(self._checked(profile, heard.only(half)), half))
            except Exception as found:
                parts.append(self._halved(profile, heard, half, found))
        rejected = [one for part in parts for one in part.rejected]
        strangers = [stranger for part in parts for stranger in part.strangers]
        return together(parts, len(heard.topics), rejected, strangers)

    def report(self, profile: Profile) -> None:
        """A profile failed: counted, and logged now and then. To be called where its error is caught."""
        self.errors += 1
        if self.errors & (self.errors - 1) == 0:  # the 1st, 2nd, 4th, ...: no flood of tracebacks
            log.exception("profile_failed", profile=profile.name, times=self.errors)
