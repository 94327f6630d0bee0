"""Who runs or writes a network? One module per backend, with the functions of `fspinn.backends.protocol`.

- ``numba`` runs networks, in floats and in integers, compiled for event-driven work: the fast one.
- ``brian2`` runs them as equations that Brian2 integrates: slow, the reference.
- ``c`` writes a program for a microcontroller, ``verilog`` a core for an FPGA, ``nir`` a graph for other
  simulators.
"""

from importlib import import_module
from typing import Any

from fspinn.base.errors import ConfigError

BACKENDS = {
    "numba": "fspinn.backends.numba.engine",
    "brian2": "fspinn.backends.brian2.engine",
    "c": "fspinn.backends.c.export",
    "nir": "fspinn.backends.nir",
    "verilog": "fspinn.backends.verilog.export",
}
"""Names of the backends and their modules."""

ENGINES = ("numba", "brian2")
"""Those that run networks."""

_ONE_THREAD = ("brian2",)


def engine_of(name: str, threads: int | None = None) -> Any:
    """Return the module of a backend that runs networks, a `fspinn.backends.protocol.Simulator`.

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
    return import_module(BACKENDS[name])


def threads_of(name: str, cores: int) -> int:
    """Return how many threads share the samples unless a number is given."""
    return 1 if name in _ONE_THREAD else cores
