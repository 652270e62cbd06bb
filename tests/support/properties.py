"""Properties: by the same examples in each run, or by others and more of them where asked for.

A run that fails fails again, and none fails for what another had not tried. ``FUZZ_EXAMPLES=20000``
in the environment makes a long run, with other examples each time.
"""

from __future__ import annotations

import contextlib
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


def _draw_nothing_from_modules() -> None:
    """Let Hypothesis draw no constants out of the modules that happen to be loaded.

    With several processes those are others each time, and with them the examples. It has no setting
    for that; ``test_properties`` tells where this is not enough any more.
    """
    with contextlib.suppress(ImportError):  # a version that has none of it, or has it elsewhere
        from hypothesis.internal.conjecture import providers
        from hypothesis.internal.constants_ast import Constants

        nothing = Constants()
        vars(providers)["_get_local_constants"] = lambda: nothing


if _WANTED is None:
    _draw_nothing_from_modules()
