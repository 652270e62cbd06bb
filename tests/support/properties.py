"""Properties: by the same examples in each run, or by others and more of them where asked for.

A run that fails fails again, and none fails for what another had not tried. ``FUZZ_EXAMPLES=20000``
in the environment makes a long run, with other examples each time.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_WANTED = os.environ.get("FUZZ_EXAMPLES")


def examples(count: int) -> settings:
    """The decorator of a property that is tried by ``count`` examples.

    Nothing is kept between runs, and no time is measured: a busy machine is no fault of the data.
    """
    return settings(
        max_examples=int(_WANTED or count),
        derandomize=_WANTED is None,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
