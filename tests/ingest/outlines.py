"""When two outlines are one."""

from __future__ import annotations

import numpy as np

from ingest.store.history import Outline


def alike(found: Outline, wanted: Outline) -> None:
    """AssertionError where they differ; NaN is NaN, and means are sums of floats in another order."""
    assert found.step_ns == wanted.step_ns
    np.testing.assert_array_equal(found.begin_ns, wanted.begin_ns)
    np.testing.assert_array_equal(found.count, wanted.count)
    np.testing.assert_array_equal(found.doubtful, wanted.doubtful)
    np.testing.assert_array_equal(found.least, wanted.least)
    np.testing.assert_array_equal(found.most, wanted.most)
    np.testing.assert_allclose(found.mean, wanted.mean, rtol=1e-9)
