"""Kernels for several threads at one presentation: each has neurons of its own, all agree on every spike.

The threads are the members of a team. They share a board, on which each writes what it found and in which
round of the run it did so; nobody waits for anything else. News of a round stay until all have read them,
since a member can be at most one round ahead of the others.
"""

import sys

import numpy as np
from numba import types
from numba.extending import intrinsic

from fspinn.jit import njit

LINE = 8
"""Numbers of 8 bytes in a cache line: each member writes into its own."""

PATIENCE = 1_000
"""How often a member looks for the others' news, some 2 us, before it lets other threads of the core run."""

STEP, EXCESS, NEURON = range(3)
"""What the news of a member are."""

# Members that sleep instead may stay on one core for ever: to the system one core looks enough.
_give_way = types.ExternalFunction(
    "SwitchToThread" if sys.platform == "win32" else "sched_yield", types.int32()
)


@intrinsic
def _read(typing_context, numbers, place):
    """Read a number that another thread writes; what was written before it can then be read too."""

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.load_atomic(builder.gep(array.data, [arguments[1]]), "acquire", 8)

    return types.int64(numbers, types.intp), generate


@intrinsic
def _write(typing_context, numbers, place, number):
    """Write a number for other threads, after everything that was written before."""

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        builder.store_atomic(arguments[2], builder.gep(array.data, [arguments[1]]), "release", 8)
        return context.get_dummy_value()

    return types.none(numbers, types.intp, types.int64), generate


@njit
def wait(rounds, member, this_round):
    """Tell that this member has come to a round (from 1), and wait until all others have.

    `rounds` ((members + 1) * 8,) holds each member's round in a cache line of its own, then a number that is
    not 0 when they shall stop: some other member will never come.
    """
    _write(rounds, member * LINE, this_round)
    members = rounds.size // LINE - 1
    for other in range(members):
        looked = 0
        while _read(rounds, other * LINE) < this_round:
            looked += 1
            if looked % PATIENCE == 0:
                if _read(rounds, members * LINE) != 0:
                    raise RuntimeError("the team was stopped")
                _give_way()


@njit
def agree(rounds, news, member, this_round, step, excess, neuron):
    """Return step and neuron of the first spike that any member found: of the earliest, the furthest above.

    Every member gives the step that it came to and a neuron above its threshold there, or -1; `news`
    (2, members, 8) is the board.
    """
    page = news[this_round % 2]
    page[member, STEP] = step
    page[member, EXCESS] = excess
    page[member, NEURON] = neuron
    wait(rounds, member, this_round)
    first, best, chosen = np.inf, 0.0, -1.0
    for other in range(page.shape[0]):
        if page[other, NEURON] < 0:
            continue
        if page[other, STEP] < first or (page[other, STEP] == first and page[other, EXCESS] > best):
            first, best, chosen = page[other, STEP], page[other, EXCESS], page[other, NEURON]
    if chosen < 0:
        return step, -1
    return int(first), int(chosen)
