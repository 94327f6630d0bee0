"""Compile the kernels that answer in a second process, while this one compiles those that learn.

The machine code goes to the folder where kernels are kept. What is not there yet when this process needs it,
this process compiles itself.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from fspinn.backends.numba import engine
from fspinn.base.cores import available_cores
from fspinn.base.jit import kernel_folder, will_compile
from fspinn.base.settings import with_settings
from fspinn.lowering.compiler import answering_plan
from fspinn.model.tensors import LayerTensors, Tensor
from fspinn.network.description import Network
from fspinn.network.encoders import Spikes
from fspinn.quant.formats import Format

_PROGRAM = "from fspinn.answering.ahead import work_for_parent; work_for_parent()"


@contextmanager
def compiling_ahead() -> Iterator[None]:
    """Let a process compile until the block ends, if nothing is compiled yet and a core is free."""
    process = _begun() if kernel_folder() is not None and will_compile() and available_cores() > 1 else None
    try:
        yield
    finally:
        if process is not None:
            process.kill()
            process.communicate()


def _begun() -> "subprocess.Popen[bytes] | None":
    """Return the process; None where there is no interpreter that could run it."""
    if not sys.executable or getattr(sys, "frozen", False):
        return None
    nothing = subprocess.DEVNULL
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.PIPE,  # closes when this process is gone
            stdout=nothing,
            stderr=nothing,
            start_new_session=True,  # Ctrl-C is meant for this process, which ends the other one
        )
    except OSError:
        return None


def work_for_parent() -> None:
    """Compile what answers, but no longer than the process lives that began this one."""

    def end_with_it() -> None:
        sys.stdin.read()
        os._exit(1)

    threading.Thread(target=end_with_it, daemon=True).start()
    compile_answers()
    os._exit(0)  # the thread that reads would hold up an end in order


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
