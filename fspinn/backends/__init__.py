"""Who runs a network? One module per engine; each has the functions `learn` and `respond`.

- ``numba`` (`float_engine`): compiled for event-driven work, the fast one.
- ``brian2`` (`brian2_engine`): Brian2 integrates equations; slow, the reference.

Networks of fixed-point numbers, state included, learn and answer with `integer_engine`, which has no float.
"""

from importlib import import_module
from typing import Any

from fspinn.base.errors import ConfigError

ENGINES = {"numba": "fspinn.backends.numba.float_engine", "brian2": "fspinn.backends.brian2.engine"}
"""Names of the engines and their modules."""

_ONE_THREAD = ("brian2",)


def engine_of(name: str, threads: int | None = None) -> Any:
    """Return the module of an engine.

    Parameters
    ----------
    name : str
        One of `ENGINES`.
    threads : int or None, default None
        How many threads were asked for, if any.

    Raises
    ------
    ConfigError
        If there is no such engine, or it cannot use so many threads.
    """
    if name not in ENGINES:
        raise ConfigError(f"engine: there is no {name!r}; use one of {', '.join(ENGINES)}")
    if name in _ONE_THREAD and threads is not None and threads > 1:
        raise ConfigError(
            f"threads: the engine {name} works with one, not {threads}; leave threads out, or use the engine "
            "numba"
        )
    return import_module(ENGINES[name])
