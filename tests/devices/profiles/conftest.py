"""Examples of property tests have no deadline: how long one takes says what else the machine does."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
