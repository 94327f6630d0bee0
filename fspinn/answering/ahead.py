"""Compile the kernels that answer in a second process, while this one compiles those that learn.

The machine code goes to the folder where kernels are kept. What is not there yet when this process needs it,
this process compiles itself.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from fspinn.backends.numba import engine
from fspinn.base.cores import available_cores
from fspinn.base.jit import will_compile
from fspinn.base.settings import with_settings
from fspinn.lowering.compiler import answering_plan
from fspinn.model.tensors import LayerTensors, Tensor
from fspinn.network.description import Network
from fspinn.network.encoders import Spikes
from fspinn.quant.formats import Format

_PROGRAM = "from fspinn.answering.ahead import compile_answers; compile_answers()"


@contextmanager
def compiling_ahead() -> Iterator[None]:
    """Let a process compile until the block ends, if nothing is compiled yet and a core is free."""
    if not will_compile() or available_cores() < 2:
        yield
        return
    nothing = subprocess.DEVNULL
    # Its session is its own: Ctrl-C is meant for this process, which ends the other one.
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM],
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def compile_answers() -> None:
    """Answer with the kernels of columns and of dense layers, in all their types."""
    column, dense = (
        with_settings(network, {"weight_norm": 1.0})
        for network in (Network.patches(1, field=2, cells=1), Network.dense(1))
    )
    _answer(column, None)
    _answer(column, ("UQ0.3", "Q6.3"))
    _answer(column, ("UQ0.3", "Q6.12"))  # more than 16 bits hold
    _answer(dense, ("UQ0.8", "Q6.9"))


def _answer(network: Network, formats: tuple[str, str] | None) -> None:
    """Answer one sample without spikes, of 2 x 2 pixels."""
    tensors = LayerTensors.of_floats(np.full((4, 1), 0.5, np.float32), np.zeros(1, np.float32))
    if formats is not None:
        weights, state = map(Format.parse, formats)
        tensors = LayerTensors(
            Tensor.rounded(tensors.weights.values, weights),
            Tensor.rounded(tensors.theta.values, state),
            state,
        )
    spikes = Spikes(np.zeros((1, network.steps + 1), np.int64), np.zeros(0, np.int32))
    engine.respond(answering_plan(network, (tensors,), (2, 2)), spikes)
